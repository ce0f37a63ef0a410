"""LoRAs, on the real diffusers code and a tiny model; their files are made by code."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from diffusers import StableDiffusionXLPipeline  # noqa: E402

from tasks.parameters import Lora  # noqa: E402
from tests import lora_files as files  # noqa: E402
from tests.test_sdxl import (  # noqa: E402
    A_CAT,
    compiled,  # noqa: F401
    difference,
    draw,
    draw_plainly,
    model,  # noqa: F401
    path,  # noqa: F401
)
from worker import loras  # noqa: E402
from worker.lora_file import UnfitLora  # noqa: E402
from worker.model import LoraMissing  # noqa: E402
from worker.sdxl import SdxlModel  # noqa: E402

pytestmark = pytest.mark.model

PARTS = {
    "attention": [("unet", files.ATTENTION)],
    "convolutions": [("unet", files.CONVOLUTION)],
    "text": [("text_encoder", files.TEXT), ("text_encoder_2", files.TEXT)],
}


def with_loras(**weights: float) -> Any:
    loras = [Lora(name=name, weight=weight) for name, weight in weights.items()]
    return A_CAT.model_copy(update={"loras": loras})


@pytest.fixture(scope="module")
def plain(path: Path) -> StableDiffusionXLPipeline:
    return StableDiffusionXLPipeline.from_pretrained(path, add_watermarker=False)


@pytest.fixture(scope="module")
def tensors(plain: StableDiffusionXLPipeline) -> dict[str, dict[str, Any]]:
    """By the part that each changes, and one of all."""
    made: dict[str, dict[str, Any]] = {}
    for seed, (name, changed) in enumerate(PARTS.items()):
        layers = [it for part, ends in changed for it in files.layers(plain, part, ends)]
        assert len(layers) > 2
        made[name] = files.lora(plain, layers, seed=seed)
    made["wide"] = files.lora(plain, files.layers(plain, "unet", files.ATTENTION), rank=16, seed=9)
    made["all"] = {name: it for part in PARTS for name, it in made[part].items()}
    return made


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory, tensors: dict[str, dict[str, Any]]) -> Path:
    directory = tmp_path_factory.mktemp("loras")
    for name, lora in tensors.items():
        files.save(lora, directory / f"{name}.safetensors")
    return directory


@pytest.fixture(scope="module")
def ready(path: Path, directory: Path) -> SdxlModel:
    return SdxlModel(path, loras=directory)


def by_hand(path: Path, *added: tuple[dict[str, Any], float]) -> Any:
    """Plain diffusers' picture by weights to which the products were added, each to its layer."""
    pipeline = StableDiffusionXLPipeline.from_pretrained(path, add_watermarker=False)
    for tensors, weight in added:
        for name in tensors:
            if not name.endswith(".lora_A.weight"):
                continue
            layer = name.removesuffix(".lora_A.weight")
            part, _, rest = layer.partition(".")
            target = getattr(pipeline, part).get_submodule(rest).weight.data
            up, down = (tensors[f"{layer}.lora_{half}.weight"].flatten(1) for half in "BA")
            target += weight * (up @ down).view(target.shape)
    return draw_plainly(pipeline, A_CAT)


@pytest.mark.parametrize("name", PARTS)
def test_a_picture_is_that_of_weights_with_the_products_added(
    ready: SdxlModel, model: SdxlModel, path: Path, tensors: Any, name: str
) -> None:
    drawn = draw(ready, with_loras(**{name: 0.7}))
    assert difference(drawn, by_hand(path, (tensors[name], 0.7))) <= 1
    assert difference(drawn, draw(model, A_CAT)) > 1


def test_several_are_added_each_by_its_weight(ready: SdxlModel, path: Path, tensors: Any) -> None:
    added = {"attention": 0.5, "wide": -0.4, "text": 1.0}
    expected = by_hand(path, *((tensors[name], weight) for name, weight in added.items()))
    assert difference(draw(ready, with_loras(**added)), expected) <= 1


def test_what_is_drawn_next_is_as_if_there_had_been_none(
    ready: SdxlModel, model: SdxlModel
) -> None:
    first = draw(ready, with_loras(all=1.0))
    for other in (with_loras(wide=1.0), with_loras(all=0.0), A_CAT):
        draw(ready, other)
    assert difference(draw(ready, A_CAT), draw(model, A_CAT)) == 0
    assert difference(draw(ready, with_loras(all=0.0)), draw(model, A_CAT)) == 0
    assert difference(draw(ready, with_loras(all=1.0)), first) == 0


def test_a_swap_that_breaks_off_is_made_good_by_the_next(
    ready: SdxlModel, model: SdxlModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, calls = loras._Change.add, []

    def out_of_memory_later(change: Any, more: torch.Tensor) -> None:
        calls.append(None)
        if len(calls) == 5:
            raise torch.OutOfMemoryError
        add(change, more)

    draw(ready, with_loras(all=1.0))
    with monkeypatch.context() as patch:
        patch.setattr(loras._Change, "add", out_of_memory_later)
        with pytest.raises(torch.OutOfMemoryError):
            ready._loras.merge([Lora(name="wide")])
    assert difference(draw(ready, A_CAT), draw(model, A_CAT)) == 0


@pytest.mark.parametrize("options", [{}, {"compile_mode": "whole"}, {"step_cache": True}], ids=str)
def test_nothing_is_compiled_for_them(
    path: Path, directory: Path, compiled: list[Any], options: dict[str, bool]
) -> None:
    each = [with_loras(attention=1.0), with_loras(wide=-0.5, all=0.3), A_CAT]
    eager = SdxlModel(path, loras=directory, step_cache=options.get("step_cache", False))
    expected = [draw(eager, parameters) for parameters in each]
    ready = SdxlModel(path, [(256, 256)], loras=directory, **options)
    ready.compile()
    at_start = len(compiled)
    assert at_start
    for parameters, picture in zip(each, expected, strict=True):
        assert difference(draw(ready, parameters), picture) <= 1
    assert len(compiled) == at_start


def test_float8_takes_them_too(path: Path, directory: Path, ready: SdxlModel) -> None:
    quick = SdxlModel(path, loras=directory, fp8=True)
    plain, changed = draw(quick, A_CAT), draw(quick, with_loras(attention=1.0))
    assert difference(draw(quick, A_CAT), plain) == 0
    exact = draw(ready, with_loras(attention=1.0))
    assert total(changed, exact) < total(changed, plain), "nearer to it than to none"


def total(one: Any, other: Any) -> float:
    from PIL import ImageChops, ImageStat

    return float(sum(ImageStat.Stat(ImageChops.difference(one, other)).sum))


@pytest.mark.parametrize("written", ["by kohya's trainer", "with peft's configuration"])
def test_a_file_scales_its_products_by_alpha_through_rank(
    path: Path, tmp_path: Path, tensors: Any, written: str
) -> None:
    if written == "by kohya's trainer":
        files.save(files.kohya(tensors["all"], alpha=2), tmp_path / "it.safetensors")
    else:
        parts = ("unet", "text_encoder", "text_encoder_2")
        settings = {f"{part}.lora_alpha": 2 for part in parts}
        files.save(tensors["all"], tmp_path / "it.safetensors", settings)
    ready = SdxlModel(path, loras=tmp_path)
    expected = by_hand(path, (tensors["all"], 2 / files.RANK))
    assert difference(draw(ready, with_loras(it=1.0)), expected) <= 1


def test_a_file_in_the_place_of_another_is_the_one_that_counts(
    path: Path, tmp_path: Path, tensors: Any
) -> None:
    file = tmp_path / "it.safetensors"
    ready = SdxlModel(path, loras=tmp_path)
    files.save(tensors["attention"], file)
    draw(ready, with_loras(it=1.0))
    files.save(tensors["wide"], tmp_path / "new")
    (tmp_path / "new").rename(file)
    expected = by_hand(path, (tensors["wide"], 1.0))
    assert difference(draw(ready, with_loras(it=1.0)), expected) <= 1


def test_one_that_is_not_there_is_named_and_changes_nothing(
    ready: SdxlModel, model: SdxlModel
) -> None:
    with pytest.raises(LoraMissing, match="nothing"):
        draw(ready, with_loras(nothing=1.0))
    assert difference(draw(ready, A_CAT), draw(model, A_CAT)) == 0


def dora(lora: dict[str, Any]) -> dict[str, Any]:
    return lora | {"unet.mid_block.dora_scale": torch.ones(1)}


def half(lora: dict[str, Any]) -> dict[str, Any]:
    return {name: it for name, it in lora.items() if ".lora_B." not in name}


def of_another_model(lora: dict[str, Any]) -> dict[str, Any]:
    return {
        name: torch.cat([it, it], dim=-1) if ".lora_A." in name else it for name, it in lora.items()
    }


def elsewhere(lora: dict[str, Any]) -> dict[str, Any]:
    return {name.replace("unet.", "unet.nowhere."): it for name, it in lora.items()}


def weights(_lora: dict[str, Any]) -> dict[str, Any]:
    return {"conv_in.weight": torch.ones(4, 4)}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (dora, "DoRA is not supported"),
        (half, "has no other half"),
        (of_another_model, "in the model"),
        (elsewhere, "the model has no layer"),
        (weights, "is no part of a LoRA"),
        (lambda _: {}, "it is empty"),
    ],
)
def test_what_does_not_fit_is_refused_before_a_worker_meets_it(
    path: Path,
    tmp_path: Path,
    tensors: Any,
    ready: SdxlModel,
    spoil: Callable[[dict[str, Any]], dict[str, Any]],
    message: str,
) -> None:
    files.save(spoil(tensors["attention"]), tmp_path / "it.safetensors")
    with pytest.raises(SystemExit, match=f"The LoRA it does not fit .*{message}"):
        loras.check(path, tmp_path, ["it"])
    with pytest.raises(UnfitLora, match=message):
        loras.Loras(ready._pipeline, tmp_path).check("it")


def test_those_that_fit_are_found_fit_without_the_models_weights(
    path: Path, directory: Path, tensors: Any
) -> None:
    loras.check(path, directory, tensors)
