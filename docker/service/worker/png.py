"""PNG several times as fast as Pillow's, within about a tenth of its size.

Pillow chooses the best of five filters for each row, which takes longer than to compress them. One
filter for all rows does as well when only runs are matched (RFC 2083, section 6; zlib's Z_RLE).
"""

import struct
from io import BytesIO

from PIL import Image, ImageChops
from PIL.PngImagePlugin import PngInfo, putchunk
from zlib_ng import zlib_ng

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SUB = b"\x01"


def encode_png(picture: Image.Image, info: PngInfo) -> bytes:
    """An RGB picture with the text chunks of `info`."""
    file = BytesIO(_SIGNATURE)
    file.seek(0, 2)
    # 8 bits a sample, RGB; deflate, the standard filters, not interlaced.
    header = struct.pack(">IIBBBBB", *picture.size, 8, 2, 0, 0, 0)
    putchunk(file, b"IHDR", header)
    for name, data, *_ in info.chunks:
        putchunk(file, name, data)
    putchunk(file, b"IDAT", _compress(_filter(picture)))
    putchunk(file, b"IEND")
    return file.getvalue()


def _filter(picture: Image.Image) -> bytes:
    """Each pixel as its difference from the one to its left."""
    left = Image.new("RGB", picture.size)
    left.paste(picture, (1, 0))
    pixels = ImageChops.subtract_modulo(picture, left).tobytes()
    row = 3 * picture.width
    return b"".join(_SUB + pixels[start : start + row] for start in range(0, len(pixels), row))


def _compress(data: bytes) -> bytes:
    deflate = zlib_ng.compressobj(level=1, memLevel=9, strategy=zlib_ng.Z_RLE)
    return deflate.compress(data) + deflate.flush()
