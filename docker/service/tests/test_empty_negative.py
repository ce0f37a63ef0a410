"""Pictures without a negative prompt, for which half of the cross-attention is left out."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from diffusers.models.attention_processor import Attention  # noqa: E402
from torch import nn  # noqa: E402

from tasks.parameters import Parameters  # noqa: E402
from worker import tiny_sdxl  # noqa: E402
from worker.empty_negative import EmptyNegative  # noqa: E402
from worker.inputs import Inputs  # noqa: E402
from worker.sdxl import SdxlModel  # noqa: E402

pytestmark = pytest.mark.model

A_CAT = Parameters(prompt="a cat", width=256, height=256, steps=3, seed=7)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "tiny"
    tiny_sdxl.save(path)
    return path


@pytest.fixture
def model(path: Path) -> SdxlModel:
    return SdxlModel(path)


def changed(**change: Any) -> Parameters:
    return A_CAT.model_copy(update=change)


def asked(model: SdxlModel) -> list[int]:
    """Fills with how many pictures, the negative halves counted in, each query is made of."""
    attention = next(
        module
        for module in model._pipeline.unet.modules()
        if isinstance(module, Attention) and module.is_cross_attention
    )
    pictures: list[int] = []
    attention.to_q.register_forward_hook(lambda _module, given, _: pictures.append(len(given[0])))
    return pictures


def draw_in_full(model: SdxlModel, draw: Callable[[], list[Image.Image]]) -> list[Image.Image]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model._empty_negative, "_keeps_zeros", False)
        return draw()


@pytest.mark.parametrize(
    ("parameters", "numbers"),
    [
        (A_CAT, range(1)),
        (A_CAT, range(2)),
        (changed(prompt=" ".join(["a cat"] * 60)), range(1)),
        (changed(image="01900000-0000-7000-8000-000000000000", strength=0.7), range(1)),
    ],
    ids=["one", "two at once", "in chunks", "from a picture"],
)
def test_half_of_each_query_is_left_out_and_the_picture_is_the_same(
    model: SdxlModel, parameters: Parameters, numbers: range
) -> None:
    inputs = Inputs(Image.new("RGB", (256, 256), "red") if parameters.image else None)

    def drawn() -> list[Image.Image]:
        return model.generate(parameters, numbers, lambda _: None, inputs=inputs)

    pictures = asked(model)
    short, rows = drawn(), set(pictures)
    pictures.clear()
    full, all_rows = draw_in_full(model, drawn), set(pictures)
    assert (rows, all_rows) == ({len(numbers)}, {2 * len(numbers)})
    for one, other in zip(short, full, strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize(
    ("change", "rows"),
    [({"negative_prompt": "fog"}, 2), ({"guidance_scale": 1.0}, 1)],
    ids=["a negative prompt", "no guidance"],
)
def test_what_is_asked_in_full_is_drawn_in_full(
    model: SdxlModel, change: dict[str, Any], rows: int
) -> None:
    pictures = asked(model)
    model.generate(changed(**change), range(1), lambda _: None)
    assert set(pictures) == {rows}


def test_a_model_whose_empty_prompt_says_something_is_drawn_in_full(
    path: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(path, other)
    index = other / "model_index.json"
    index.write_text(
        json.dumps({**json.loads(index.read_text()), "force_zeros_for_empty_prompt": False})
    )
    model = SdxlModel(other)
    pictures = asked(model)
    model.generate(A_CAT, range(1), lambda _: None)
    assert set(pictures) == {2}


def test_a_model_that_is_told_the_guidance_has_no_half_to_leave_out(model: SdxlModel) -> None:
    """As latent consistency models are: https://huggingface.co/latent-consistency/lcm-sdxl."""
    unet = model._pipeline.unet
    unet.register_to_config(time_cond_proj_dim=8)
    embedding = unet.time_embedding
    embedding.cond_proj = nn.Linear(8, embedding.linear_1.in_features, bias=False)
    model._empty_negative = EmptyNegative(unet)
    pictures = asked(model)
    model.generate(A_CAT, range(1), lambda _: None)
    assert set(pictures) == {1}


def test_a_model_that_makes_something_of_zeros_is_drawn_in_full(model: SdxlModel) -> None:
    """As a projection with a bias before all of them does."""
    unet = model._pipeline.unet
    unet.encoder_hid_proj = nn.Identity()
    model._empty_negative = EmptyNegative(unet)
    pictures = asked(model)
    model.generate(A_CAT, range(1), lambda _: None)
    assert set(pictures) == {2}
