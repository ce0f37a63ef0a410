"""python -m api.decode PIXELS SIDE <FILE >PNG: a stranger's picture, where it can do no harm.

A process of its own, with little memory and little time, that runs once. It refuses more than so
many pixels, and says why on its standard error. What it writes is upright, RGB or, where something
shows through, RGBA, at most SIDE pixels wide and high, without a word on where it came from.
"""

import resource
import sys
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image, ImageOps

REFUSED: Final = 3
"""The exit status that comes with a reason."""

_MEMORY = 400 * 2**20
"""Bytes of addresses, not all of which are used; the api's container has 512 MiB."""
_CPU_SECONDS = 10
_FORMATS = ("PNG", "JPEG", "WEBP")


class Refused(Exception):  # noqa: N818
    """Its text is for the client."""


def main() -> None:
    Path("/proc/self/oom_score_adj").write_text("1000")  # if memory ends, not the api's process
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    try:
        png = decode(sys.stdin.buffer.read(), *map(int, sys.argv[1:]))
    except Refused as refused:
        sys.stderr.write(str(refused))
        sys.exit(REFUSED)
    sys.stdout.buffer.write(png)


def decode(data: bytes, max_pixels: int, side: int) -> bytes:
    """@throws Refused"""
    Image.MAX_IMAGE_PIXELS = None  # the bound below refuses, where Pillow's warns at first
    try:
        picture = Image.open(BytesIO(data), formats=_FORMATS)
    except Exception:
        raise Refused("it is no PNG, JPEG or WebP picture") from None
    width, height = picture.size
    # Large JPEGs are decoded in half their size, or less, while they stay large enough.
    picture.draft(None, (side, side))
    if picture.width * picture.height > max_pixels:
        raise Refused(f"it has {width} x {height} pixels, which is too many")
    # MPO is a JPEG whose camera kept a second picture, such as its depth.
    if getattr(picture, "n_frames", 1) > 1 and picture.format != "MPO":
        raise Refused("it is animated")
    try:
        harmless = _harmless(picture, side)
    except MemoryError:
        raise Refused("it takes too much memory to decode") from None
    except Exception:
        raise Refused("it is broken or not all there") from None
    file = BytesIO()
    harmless.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _harmless(picture: Image.Image, side: int) -> Image.Image:
    picture.load()
    decoded = picture if picture.mode in ("RGB", "RGBA") else _coloured(picture)
    decoded.thumbnail((side, side))
    if decoded.mode == "RGBA" and decoded.getchannel("A").getextrema() == (255, 255):
        decoded = decoded.convert("RGB")
    with suppress(Exception):  # many a camera's EXIF is broken
        decoded.info["exif"] = picture.info.get("exif", b"")
        decoded = ImageOps.exif_transpose(decoded)
    decoded.info.clear()
    return decoded


def _coloured(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # 16 bits a sample, which Pillow would cut off at 255
        picture = picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


if __name__ == "__main__":
    main()
