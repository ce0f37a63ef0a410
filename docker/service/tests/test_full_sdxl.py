"""The full-size SDXL that measurements run on, without its memory."""

import pytest

pytest.importorskip("torch")

from worker import full_sdxl

pytestmark = pytest.mark.model


def test_every_part_has_as_many_parameters_as_sdxl_base_1_0() -> None:
    counts = {
        name: sum(parameter.numel() for parameter in module.parameters())
        for name, module in full_sdxl.components("meta").items()
    }
    assert counts == {
        "unet": 2_567_463_684,
        "vae": 83_653_863,
        "text_encoder": 123_060_480,
        "text_encoder_2": 694_659_840,
    }
