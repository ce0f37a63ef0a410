"""Which steps of a picture are shown to those who wait, and in what form."""

from collections.abc import Callable
from io import BytesIO

from PIL.Image import Image

from tasks.parameters import Parameters

_QUALITY = 80
"""A preview of 128 x 128 pixels takes about 5 kB."""


def preview_steps(parameters: Parameters) -> dict[int, int]:
    """The preview's number by the steps done, evenly between the first step and the last. Where a
    picture has too few steps, there are fewer previews than were asked for."""
    parts = parameters.partial_images + 1
    drawn = parameters.drawn_steps
    shown = sorted({drawn * part // parts for part in range(1, parts)} - {0, drawn})
    return {step: number for number, step in enumerate(shown)}


def preview_jpeg(render: Callable[[], Image]) -> bytes:
    buffer = BytesIO()
    render().save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
