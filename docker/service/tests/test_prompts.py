"""Long and weighted prompts on the real encoders of a tiny model."""

from pathlib import Path
from typing import Any

import pytest
from PIL import ImageChops

torch = pytest.importorskip("torch")

from tasks.parameters import Parameters  # noqa: E402
from worker import tiny_sdxl  # noqa: E402
from worker.model import PROMPT_TOKENS  # noqa: E402
from worker.prompts import PromptReader  # noqa: E402
from worker.sdxl import SdxlModel  # noqa: E402

pytestmark = pytest.mark.model

LONG = "a lighthouse on a cliff at dawn, " * 10


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "tiny"
    tiny_sdxl.save(path)
    return path


@pytest.fixture(scope="module")
def model(path: Path) -> SdxlModel:
    return SdxlModel(path)


@pytest.fixture(scope="module")
def weighing(path: Path) -> SdxlModel:
    return SdxlModel(path, prompt_weights=True)


def asked(prompt: str, **more: Any) -> Parameters:
    return Parameters(prompt=prompt, width=256, height=256, steps=2, seed=7, **more)


def differ(model: SdxlModel, one: Parameters, other: Parameters) -> bool:
    first, second = (model.generate(it, range(1), lambda _: None)[0] for it in (one, other))
    return ImageChops.difference(first, second).getbbox() is not None


@pytest.mark.parametrize("negative", ["", "fog", LONG])
def test_the_end_of_a_long_prompt_counts(model: SdxlModel, negative: str) -> None:
    one, other = (asked(LONG + end, negative_prompt=negative) for end in ("a red boat", "a cow"))
    assert differ(model, one, other)


def test_the_end_of_a_long_negative_prompt_counts(model: SdxlModel) -> None:
    assert differ(
        model, asked("a cat", negative_prompt=LONG + "fog"), asked("a cat", negative_prompt=LONG)
    )


def test_what_fits_into_a_chunk_is_embedded_as_diffusers_does(model: SdxlModel) -> None:
    pipeline = model._pipeline
    reader = PromptReader(pipeline, weights=False)
    theirs, _, their_pooled, _ = pipeline.encode_prompt("a cat on a mat", device="cpu")
    ours, our_pooled = reader._embed("a cat on a mat")
    assert torch.equal(ours, theirs)
    assert torch.equal(our_pooled, their_pooled)


def test_the_longest_prompt_is_read_to_its_end(model: SdxlModel) -> None:
    prompt = ("word " * 6_400)[:31_998]
    one, other = (model._prompts.read(asked(prompt + end)) for end in ("ox", "by"))
    assert one.tokens > 6_000
    embeds = [read.arguments["prompt_embeds"] for read in (one, other)]
    assert embeds[0].shape == embeds[1].shape
    assert embeds[0].shape[1] >= one.tokens
    assert not torch.equal(*embeds)


def test_tokens_are_the_models_own(model: SdxlModel) -> None:
    picture = model.generate(asked("a cat"), range(1), lambda _: None)[0]
    assert picture.info[PROMPT_TOKENS] == len(model._pipeline.tokenizer("a cat").input_ids) - 2


def test_a_weight_counts_where_it_is_configured(model: SdxlModel, weighing: SdxlModel) -> None:
    prompts = ("a (red:1.5) cat", "a red cat", "a (red:0.5) cat")
    heavy, plain, light = map(asked, prompts)
    assert differ(weighing, heavy, plain)
    assert differ(weighing, light, plain)
    assert differ(weighing, heavy, light)
    fragments = weighing._prompts._fragments("(a:1.2) cat (on:0.8)(mats:2)")
    assert fragments == (["a", " cat ", "on", "mats"], [1.2, 1.0, 0.8, 2.0])
    # Elsewhere brackets and figures are text.
    assert model._prompts.read(heavy).arguments["prompt"] == "a (red:1.5) cat"


def test_a_weighted_prompt_may_be_long(weighing: SdxlModel) -> None:
    assert differ(weighing, asked(LONG + "a (boat:1.5)"), asked(LONG + "a (boat:0.7)"))
