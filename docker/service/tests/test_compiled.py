"""What a compiled model does otherwise than diffusers, on the CPU: it has no CUDA graphs, which
`npm run bench -- gpu` runs on a GPU."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from sympy import Integer  # noqa: E402
from torch import nn  # noqa: E402
from torch._inductor.runtime.hints import ReductionHint  # noqa: E402
from torch._inductor.virtualized import V  # noqa: E402

from tasks.parameters import Parameters  # noqa: E402
from worker import tiny_sdxl  # noqa: E402
from worker.channels_last import GroupNorm  # noqa: E402
from worker.compiled import _Choices  # noqa: E402
from worker.graphs import Graphs  # noqa: E402
from worker.sdxl import SdxlModel  # noqa: E402

pytestmark = pytest.mark.model

A_CAT = Parameters(prompt="a cat", width=256, height=256, steps=3, seed=7)
PROMPTS = [A_CAT, A_CAT.model_copy(update={"prompt": "two dogs", "steps": 2}), A_CAT]


@pytest.fixture(autouse=True)
def compiler_that_does_nothing() -> Iterator[None]:
    torch.compiler.reset()
    with torch.compiler.set_stance(force_backend="eager"):
        yield
    torch.compiler.reset()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "tiny"
    tiny_sdxl.save(path)
    return path


def draw(model: SdxlModel, parameters: Parameters) -> bytes:
    return model.generate(parameters, range(1), lambda _: None)[0].tobytes()


def compiled_model(path: Path) -> SdxlModel:
    model = SdxlModel(path, [(256, 256)])
    model.compile()
    return model


def calls_of_a_text_projection(model: SdxlModel, monkeypatch: pytest.MonkeyPatch) -> list[None]:
    assert model._compiled
    projection = model._compiled._texts._all[0]
    compute: Callable[[Any], Any] = projection._compute
    calls: list[None] = []

    def counted(text: Any) -> Any:
        calls.append(None)
        return compute(text)

    monkeypatch.setattr(projection, "_compute", counted)
    return calls


def test_a_prompts_keys_are_computed_once_a_picture_and_never_the_ones_before(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, ready = SdxlModel(path), compiled_model(path)
    calls = calls_of_a_text_projection(ready, monkeypatch)
    for parameters in PROMPTS:
        pair = zip(draw(ready, parameters), draw(plain, parameters), strict=True)
        assert max(abs(one - other) for one, other in pair) <= 1
    assert len(calls) == len(PROMPTS)


def test_a_picture_that_is_not_compiled_keeps_no_keys(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = compiled_model(path)
    calls = calls_of_a_text_projection(ready, monkeypatch)
    wide = A_CAT.model_copy(update={"width": 320})
    assert draw(ready, wide) == draw(SdxlModel(path), wide)
    assert len(calls) == wide.steps


def test_a_graph_is_replayed_for_the_work_that_it_was_recorded_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What records is a stand-in, which no GPU runs."""

    class Recording:
        def __init__(self, answer: Any) -> None:
            self._answer = answer

        def replay(self, _tensors: Any) -> Any:
            return self._answer

    graphs = Graphs()
    monkeypatch.setattr(graphs, "_gpu", True)
    monkeypatch.setattr(
        graphs, "_record", lambda call, leaves, _structure: Recording(call(*leaves))
    )
    work = "none"
    call = graphs.recorded(lambda x: (work, len(x)))
    answers = []
    for work in ("with", "without"):
        with graphs.used(work):
            answers += [call(torch.zeros(1)), call(torch.zeros(2))]
    recorded, work = list(answers), "neither"
    answers.clear()
    for name in ("with", "without"):
        with graphs.used(name):
            answers += [call(torch.zeros(1)), call(torch.zeros(2))]
    assert recorded == answers == [("with", 1), ("with", 2), ("without", 1), ("without", 2)]
    assert call(torch.zeros(1)) == ("neither", 1), "outside nothing is replayed"


@pytest.mark.parametrize(
    ("hint", "numbers", "once"),
    [
        (ReductionHint.INNER, 1280, True),
        (ReductionHint.INNER, 5120, True),
        (ReductionHint.INNER, 16384, False),
        (ReductionHint.OUTER, 1280, False),
    ],
)
def test_the_compiler_reads_the_rows_of_a_transformer_once(
    hint: ReductionHint, numbers: int, once: bool
) -> None:
    class Sizes:
        @staticmethod
        def statically_known_leq(left: int, right: int) -> bool:
            return left <= right

        @staticmethod
        def statically_known_geq(left: int, right: int) -> bool:
            return left >= right

    class Features:
        reduction_numel = Integer(numbers)

        @staticmethod
        def get_reduction_hint() -> ReductionHint:
            return hint

        @staticmethod
        def strict_reduction_rblock() -> None:
            return None

    class Graph:
        sizevars = Sizes

    with V.set_graph_handler(Graph):
        assert bool(_Choices.should_use_persistent_reduction(Features, False)) is once


@pytest.mark.parametrize("size", [(32, 32), (128, 128), (15, 9), (1, 7)], ids=str)
@pytest.mark.parametrize("mean", [0.0, 8.0])
def test_a_compiled_group_norm_is_torchs_and_leaves_channels_innermost(
    size: tuple[int, int], mean: float
) -> None:
    norm = nn.GroupNorm(4, 16)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    x = (torch.randn(2, 16, *size) + mean).to(memory_format=torch.channels_last)
    expected = norm(x)
    norm.__class__ = GroupNorm
    assert torch.equal(norm(x), expected), "uncompiled it is torch's own"
    norm.compile(fullgraph=True, dynamic=False)
    result = norm(x)
    # A GPU computes in float16, whose digits are three.
    torch.testing.assert_close(result, expected, rtol=1e-3, atol=1e-3)
    assert result.is_contiguous(memory_format=torch.channels_last)
