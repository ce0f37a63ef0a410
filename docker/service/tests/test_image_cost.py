"""What a picture from a picture costs: its share of the steps, and at most 5 % of a whole one.

Counted, not timed: how often the real code runs each part, and what that part multiplies in SDXL's
own size.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from tasks.parameters import Parameters  # noqa: E402
from tests.test_repaint import FROM_IMAGE, IMAGE, MASK  # noqa: E402
from tests.test_sdxl import model, path  # noqa: E402, F401
from worker import full_sdxl  # noqa: E402
from worker.inputs import NO_INPUTS, Inputs  # noqa: E402
from worker.sdxl import SdxlModel  # noqa: E402

pytestmark = pytest.mark.model


def parts(pipeline: Any) -> dict[str, Any]:
    vae = pipeline.vae
    return {
        "unet": pipeline.unet,
        "encoder": vae.encoder,
        "decoder": vae.decoder,
        "text_encoder": pipeline.text_encoder,
        "text_encoder_2": pipeline.text_encoder_2,
    }


def calls(model: SdxlModel, parameters: Parameters, inputs: Inputs) -> Counter[str]:
    """How often each part ran."""
    counted: Counter[str] = Counter()
    hooks = [
        module.register_forward_hook(lambda *_, name=name: counted.update([name]))
        for name, module in parts(model._pipeline).items()
    ]
    model.generate(parameters, range(1), lambda _: None, inputs=inputs)
    for hook in hooks:
        hook.remove()
    return counted


def products(call: Callable[[], Any]) -> int:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        call()
    return int(counter.get_total_flops())


@pytest.fixture(scope="module")
def prices() -> dict[str, int]:
    """Of a call of each part, at 1024 x 1024 pixels with guidance."""
    built = full_sdxl.components("meta")
    tokens = torch.zeros((1, 77), dtype=torch.long, device="meta")
    with torch.device("meta"):
        given = (torch.empty(2, 4, 128, 128), torch.tensor(0), torch.empty(2, 77, 2048))
        added = {"text_embeds": torch.empty(2, 1280), "time_ids": torch.empty(2, 6)}
        pixels, latents = torch.empty(1, 3, 1024, 1024), torch.empty(1, 4, 128, 128)
    return {
        "unet": products(lambda: built["unet"](*given, added_cond_kwargs=added)),
        "encoder": products(lambda: built["vae"].encode(pixels)),
        "decoder": products(lambda: built["vae"].decode(latents)),
        "text_encoder": products(lambda: built["text_encoder"](tokens)),
        "text_encoder_2": products(lambda: built["text_encoder_2"](tokens)),
    }


ASKED = FROM_IMAGE.model_copy(update={"steps": 30})


def cost(counted: Counter[str], prices: dict[str, int]) -> int:
    return sum(number * prices[name] for name, number in counted.items())


@pytest.fixture(scope="module")
def from_text(model: SdxlModel, prices: dict[str, int]) -> int:
    counted = calls(model, ASKED.model_copy(update={"image": None}), NO_INPUTS)
    assert (counted["unet"], counted["encoder"]) == (30, 0)
    return cost(counted, prices)


@pytest.mark.parametrize("strength", [0.1, 0.3, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("mask", [None, MASK], ids=["image", "mask"])
def test_it_is_its_share_of_the_steps_and_little_more(
    model: SdxlModel,
    prices: dict[str, int],
    from_text: int,
    strength: float,
    mask: Image.Image | None,
) -> None:
    assert all(prices.values())
    asked = ASKED.model_copy(update={"strength": strength})
    counted = calls(model, asked, Inputs(IMAGE, mask))
    assert (counted["unet"], counted["encoder"]) == (asked.drawn_steps, 1)
    share = cost(counted, prices) / from_text
    print(f"strength {strength}: {share:.3f} of a picture from text")
    assert share <= asked.drawn_steps / 30 + 0.05
