"""The real diffusers code on a tiny model."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

torch = pytest.importorskip("torch")

from diffusers.models.attention import BasicTransformerBlock  # noqa: E402
from diffusers.models.resnet import ResnetBlock2D  # noqa: E402

from tasks.parameters import Parameters  # noqa: E402
from worker import batch_size, pipelines, tiny_sdxl  # noqa: E402
from worker.channels_last import GroupNorm  # noqa: E402
from worker.compiled import Mode  # noqa: E402
from worker.fp8 import Fp8Linear, quantize  # noqa: E402
from worker.latents import to_image  # noqa: E402
from worker.model import Interrupted, OutOfMemory  # noqa: E402
from worker.sdxl import SdxlModel  # noqa: E402

pytestmark = pytest.mark.model

A_CAT = Parameters(prompt="a cat", width=256, height=256, steps=3, seed=7)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "tiny"
    tiny_sdxl.save(path)
    return path


@pytest.fixture(scope="module")
def model(path: Path) -> SdxlModel:
    return SdxlModel(path)


@pytest.fixture
def compiled() -> Iterator[list[Any]]:
    """The graphs that were compiled; the compiler itself does nothing to them."""
    graphs: list[Any] = []

    def backend(graph: Any, _inputs: Any) -> Callable[..., Any]:
        graphs.append(graph)
        return graph.forward  # type: ignore[no-any-return]

    torch.compiler.reset()
    with torch.compiler.set_stance(force_backend=backend):
        yield graphs
    torch.compiler.reset()


def draw(model: SdxlModel, parameters: Parameters, n: int = 0) -> Image.Image:
    return model.generate(parameters, range(n, n + 1), lambda _: None)[0]


def psnr(one: Image.Image, other: Image.Image) -> float:
    squares = ImageStat.Stat(ImageChops.difference(one, other)).rms
    return float(10 * math.log10(255**2 / (sum(rms**2 for rms in squares) / 3)))


def difference(one: Image.Image, other: Image.Image) -> int:
    return max(high for _, high in ImageChops.difference(one, other).getextrema())


def draw_plainly(pipeline: Any, parameters: Parameters) -> Image.Image:
    """As diffusers draws it by itself."""
    pictures = pipeline(
        prompt=parameters.prompt,
        width=parameters.width,
        height=parameters.height,
        num_inference_steps=parameters.steps,
        guidance_scale=parameters.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(parameters.seed),
    ).images
    return pictures[0]  # type: ignore[no-any-return]


def test_the_same_seed_draws_the_same_picture(model: SdxlModel) -> None:
    assert difference(draw(model, A_CAT), draw(model, A_CAT)) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 8},
        {"prompt": "a dog"},
        {"negative_prompt": "fur"},
        {"steps": 4},
        {"guidance_scale": 2.0},
        {"guidance_scale": 1.0},
    ],
    ids=str,
)
def test_every_parameter_counts(model: SdxlModel, change: dict[str, Any]) -> None:
    assert difference(draw(model, A_CAT), draw(model, A_CAT.model_copy(update=change))) > 0


def test_the_picture_has_the_size_that_was_asked_for(model: SdxlModel) -> None:
    wide = A_CAT.model_copy(update={"width": 320})
    assert draw(model, wide).size == (320, 256)


def test_the_picture_is_that_of_plain_diffusers(model: SdxlModel, path: Path) -> None:
    from diffusers import StableDiffusionXLPipeline

    plain = StableDiffusionXLPipeline.from_pretrained(path, add_watermarker=False)
    assert difference(draw(model, A_CAT), draw_plainly(plain, A_CAT)) <= 1


def test_pictures_drawn_at_once_are_those_drawn_alone(model: SdxlModel) -> None:
    together = model.generate(A_CAT, range(3), lambda _: None)
    for n, picture in enumerate(together):
        assert difference(picture, draw(model, A_CAT, n)) <= 1


def test_every_step_is_reported_once_and_in_order(model: SdxlModel) -> None:
    steps: list[int] = []
    model.generate(A_CAT, range(1), steps.append)
    assert steps == [1, 2, 3]


def test_previews_change_no_picture_and_come_nearer_to_it(model: SdxlModel) -> None:
    parameters = A_CAT.model_copy(update={"steps": 8, "partial_images": 3})
    shown: list[tuple[int, int, Image.Image]] = []

    def on_preview(n: int, number: int, render: Callable[[], Image.Image]) -> None:
        shown.append((n, number, render()))

    pictures = model.generate(parameters, range(2), lambda _: None, on_preview)
    for n, picture in enumerate(pictures):
        assert difference(picture, draw(model, parameters, n)) <= 1
        previews = [preview for n_, _, preview in shown if n_ == n]
        assert [number for n_, number, _ in shown if n_ == n] == [0, 1, 2]
        assert {preview.size for preview in previews} == {(32, 32)}
        finished = to_image(finished_latents(model, parameters, n))
        quality = [psnr(preview, finished) for preview in previews]
        assert quality == sorted(quality)


def finished_latents(model: SdxlModel, parameters: Parameters, n: int) -> torch.Tensor:
    draw(model, parameters, n)
    _, predictions = model._schedulers.choose(parameters.scheduler)
    latents = predictions.latest
    assert latents is not None
    return latents[0]


def test_an_unwanted_picture_ends_at_its_next_step_and_the_next_one_is_whole(
    model: SdxlModel,
) -> None:
    steps: list[int] = []

    def interrupt(step: int) -> None:
        steps.append(step)
        raise Interrupted

    whole = draw(model, A_CAT)
    with pytest.raises(Interrupted):
        model.generate(A_CAT, range(1), interrupt)
    assert steps == [1]
    assert difference(draw(model, A_CAT), whole) == 0


def test_a_full_gpu_is_freed_and_asked_once_more_for_one_picture_at_a_time_in_tiles(
    model: SdxlModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = model._pipeline.vae.decode
    decoded: list[int] = []
    tiled: list[bool] = []

    def out_of_memory_at_first(latents: torch.Tensor, **options: Any) -> Any:
        decoded.append(len(latents))
        tiled.append(model._pipeline.vae.use_tiling)
        if len(decoded) == 1:
            raise torch.OutOfMemoryError
        return decode(latents, **options)

    alone = [draw(model, A_CAT, n) for n in range(2)]
    monkeypatch.setattr(model._pipeline.vae, "decode", out_of_memory_at_first)
    steps: list[int] = []
    pictures = model.generate(A_CAT, range(2), steps.append)
    draw(model, A_CAT)
    assert decoded == [2, 1, 1, 1]
    assert tiled == [False, True, True, False], "the next task is drawn as ever"
    assert steps == [1, 2, 3, 0, 1, 1, 2, 2, 3]
    for picture, expected in zip(pictures, alone, strict=True):
        assert difference(picture, expected) <= 1


def test_a_picture_that_never_fits_is_out_of_memory(
    model: SdxlModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_memory(*_args: Any, **_options: Any) -> Any:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(model._pipeline.vae, "decode", out_of_memory)
    with pytest.raises(OutOfMemory):
        draw(model, A_CAT)
    assert not model._pipeline.vae.use_tiling


def test_a_model_is_ready_uncompiled(path: Path, model: SdxlModel, compiled: list[Any]) -> None:
    ready = SdxlModel(path, [(256, 256)])
    assert difference(draw(ready, A_CAT), draw(model, A_CAT)) == 0
    assert not compiled


@pytest.mark.parametrize("mode", ["whole", "regional"])
def test_what_is_compiled_draws_the_same_and_nothing_is_compiled_later(
    path: Path, model: SdxlModel, compiled: list[Any], mode: Mode
) -> None:
    ready = SdxlModel(path, [(256, 256)], compile_mode=mode)
    ready.compile()
    at_start = len(compiled)
    if mode == "regional":
        blocks = [
            module
            for part in (ready._pipeline.unet, ready._pipeline.vae.decoder)
            for module in part.modules()
            if isinstance(module, (BasicTransformerBlock, ResnetBlock2D, GroupNorm))
        ]
        assert 2 < at_start < len(blocks), "each sort of block once"
    else:
        assert at_start == 3, "UNet, with a negative prompt and without, and decoder"
    assert difference(draw(ready, A_CAT), draw(model, A_CAT)) <= 1
    foggy = A_CAT.model_copy(update={"negative_prompt": "fog"})
    assert difference(draw(ready, foggy), draw(model, foggy)) <= 1
    for change in ({"width": 320}, {"guidance_scale": 1.0}, {"steps": 5}):
        draw(ready, A_CAT.model_copy(update=change))
    ready.generate(A_CAT, range(2), lambda _: None)
    assert len(compiled) == at_start


def test_a_gpus_precisions_draw_the_same_picture(
    path: Path, model: SdxlModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that a GPU does differently but its kernels, on the CPU."""
    load = pipelines.TextToImage.from_pretrained

    def on_the_cpu(*args: Any, **options: Any) -> Any:
        assert options.pop("device_map") == "cuda"
        return load(*args, **options, device_map="cpu")

    class Event:
        def __init__(self, *, blocking: bool) -> None:
            assert blocking

        def record(self) -> None:
            """The CPU is done by now."""

        synchronize = record

    monkeypatch.setattr(pipelines.TextToImage, "from_pretrained", on_the_cpu)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "Event", Event)
    half = SdxlModel(path)
    assert half._pipeline.unet.dtype == half._pipeline.text_encoder_2.dtype == torch.float16
    assert half._pipeline.vae.dtype == torch.bfloat16
    # The same noise, though each draws it in its own precision.
    noise = torch.randn((1, 4, 32, 32), generator=torch.Generator().manual_seed(7)).half()
    monkeypatch.setattr(
        "diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl.randn_tensor",
        lambda *_, dtype, **__: noise.to(dtype),
    )
    assert psnr(draw(half, A_CAT), draw(model, A_CAT)) > 35
    steps: list[int] = []
    half.generate(A_CAT, range(1), steps.append)
    assert steps == [1, 2, 3]


def test_fp8_draws_nearly_the_picture_and_says_so_by_a_difference(
    path: Path, model: SdxlModel
) -> None:
    quick = SdxlModel(path, fp8=True)
    linears = [m for m in quick._pipeline.unet.modules() if isinstance(m, Fp8Linear)]
    assert linears
    attention = quick._pipeline.unet.mid_block.attentions[0].transformer_blocks[0].attn1
    types = []
    for module in (attention.to_qkv, attention.to_out[0]):
        module.register_forward_hook(lambda _module, _given, made: types.append(made.dtype))
    exact, drawn = draw(model, A_CAT), draw(quick, A_CAT)
    assert set(types[::2]) == {torch.bfloat16}, "what attention computes in"
    assert set(types[1::2]) == {torch.float32}, "the model's own"
    assert difference(exact, drawn) > 0
    assert ImageStat.Stat(ImageChops.difference(exact, drawn)).mean < [25, 25, 25]


def test_fp8_names_what_the_gpu_lacks(model: SdxlModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (8, 0))
    with pytest.raises(ValueError, match=r"PRECISION=fp8 needs .* 8\.9 .* this one has 8\.0"):
        quantize(model._pipeline.unet)


def test_a_step_cache_runs_the_inner_blocks_every_other_step_from_the_first(
    path: Path, model: SdxlModel
) -> None:
    quick = SdxlModel(path, step_cache=True)
    calls = []
    quick._pipeline.unet.mid_block.register_forward_hook(lambda *_: calls.append(None))
    drawn = [draw(quick, A_CAT) for _ in range(2)]
    assert len(calls) == 2 * 2, "steps 1 and 3 of each picture"
    assert difference(*drawn) == 0
    assert difference(drawn[0], draw(model, A_CAT)) > 0
    one_step = A_CAT.model_copy(update={"steps": 1, "width": 264, "guidance_scale": 1.0})
    assert difference(draw(quick, one_step), draw(model, one_step)) <= 1, "the whole UNet's picture"


def test_a_step_cache_is_compiled_in_both_its_forms(path: Path, compiled: list[Any]) -> None:
    ready = SdxlModel(path, [(256, 256)], compile_mode="whole", step_cache=True)
    ready.compile()
    at_start = len(compiled)
    assert at_start == 4, "both forms of the UNet, the whole one twice, and the decoder"
    draw(ready, A_CAT)
    draw(ready, A_CAT.model_copy(update={"negative_prompt": "fog"}))
    assert len(compiled) == at_start


def test_batches_that_the_table_names_are_compiled(
    path: Path, compiled: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(batch_size.BATCH_SIZES, (256, 256), 2)
    ready = SdxlModel(path, [(256, 256)])
    ready.compile()
    at_start = len(compiled)
    assert at_start
    ready.generate(A_CAT, range(2), lambda _: None)
    assert len(compiled) == at_start
