"""What one worker's compiler made, the next worker draws by. Wants a C++ compiler."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from core.settings import Settings  # noqa: E402
from tests.test_compilation import compiled, draw, loaded, settings  # noqa: E402, F401
from worker import loading  # noqa: E402
from worker.compilation import compile_beside  # noqa: E402
from worker.compile_cache import fingerprint  # noqa: E402
from worker.compiled import swap_in  # noqa: E402

pytestmark = [
    pytest.mark.model,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        not shutil.which("g++") or not (Path(torch.__file__).parent / "include").exists(),
        reason="no C++ compiler, or a trimmed torch",
    ),
]


@pytest.fixture
def counters() -> Iterator[dict[str, int]]:
    from torch._dynamo.utils import counters

    counters.clear()
    yield counters["inductor"]
    counters.clear()


async def test_a_worker_draws_compiled_by_what_another_one_left_in_the_bucket(
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    counters: dict[str, int],
) -> None:
    model = loading.load(settings)
    eager = draw(model)
    given: list[bytes] = []

    async def use(artifact: bytes) -> None:
        given.append(artifact)
        swap_in(model, artifact)

    await compile_beside(settings, loaded, use)
    assert compiled() == 1
    (kept,) = (settings.data_dir / "compiled").iterdir()
    assert kept.name == fingerprint(settings)
    assert kept.read_bytes() == given[0]

    # Another node: nothing on its disk, and a compiler that would fail.
    torch.compiler.reset()
    counters.clear()
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "another"))
    monkeypatch.setenv("PATH", "/nowhere")
    model = loading.load(settings)
    await compile_beside(settings, loaded, use)
    assert given[1] == given[0]
    assert compiled() == 1
    assert counters["fxgraph_cache_hit"] > 0 or counters["extern_calls"] == 0
    assert not counters["fxgraph_cache_miss"]
    drawn = draw(model)
    assert max(abs(one - other) for one, other in zip(drawn, eager, strict=True)) <= 2


def test_what_compiled_code_depends_on_is_in_its_name(
    settings: Settings,
) -> None:
    changes = [
        {"model_revision": "1"},
        {"precision": "fp8"},
        {"step_cache": True},
        {"compile": "whole"},
        {"compiled_sizes": ((512, 512),)},
    ]
    changed = [fingerprint(settings.model_copy(update=change)) for change in changes]
    assert len({fingerprint(settings), *changed}) == 1 + len(changes)
