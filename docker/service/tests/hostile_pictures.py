"""Files that pretend to be pictures, and pictures that are more than they seem; made by code."""

import io
import struct
import zlib
from collections.abc import Callable, Iterator

from PIL import Image, ImageDraw

_PNG = b"\x89PNG\r\n\x1a\n"


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)  # type: ignore[arg-type]
    return file.getvalue()


def photo(size: tuple[int, int] = (96, 64)) -> Image.Image:
    """Red on its left, blue on its right, a white spot at its upper left corner."""
    picture = Image.new("RGB", size, "red")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((size[0] // 2, 0, *size), fill="blue")
    draw.rectangle((0, 0, 15, 15), fill="white")
    return picture


def chunk(name: bytes, data: bytes, *, crc: int | None = None, length: int | None = None) -> bytes:
    checksum = zlib.crc32(name + data) if crc is None else crc
    size = len(data) if length is None else length
    return struct.pack(">I", size) + name + data + struct.pack(">I", checksum)


def png(width: int, height: int, *, depth: int = 8, kind: int = 2, data: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return _PNG + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def _zeros(length: int) -> bytes:
    """Compressed about a thousand times."""
    deflate = zlib.compressobj(9)
    return (
        b"".join(deflate.compress(bytes(2**20)) for _ in range(length // 2**20)) + deflate.flush()
    )


def _jpeg_of(width: int, height: int) -> bytes:
    """A small one whose header says another size."""
    data = bytearray(saved(photo(), "JPEG"))
    start = data.index(b"\xff\xc0") + 5
    data[start : start + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def _webp_of(width: int, height: int) -> bytes:
    data = bytearray(saved(photo().convert("RGBA"), "WEBP", lossless=True, exif=b"Exif\0\0MM"))
    start = data.index(b"VP8X") + 12
    data[start : start + 6] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes(data)


def _frames(kind: str) -> bytes:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "green", "blue")]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:])


def _with_chunk(name: bytes, data: bytes) -> bytes:
    whole = saved(photo(), "PNG")
    return whole[:33] + chunk(name, data) + whole[33:]


def refused() -> Iterator[tuple[str, bytes]]:
    """None of them is a picture to draw from."""
    small = {kind: saved(photo(), kind) for kind in ("PNG", "JPEG", "WEBP")}
    for kind, file in small.items():
        yield f"{kind} cut in half", file[: len(file) // 2]
        yield f"{kind} cut after its header", file[:40]
        yield f"{kind} whose start alone is there", file[:12]
    yield "empty", b""
    yield "one byte", b"\x89"
    yield "zeros", bytes(5000)
    yield "text", b"a lighthouse at dawn" * 100
    yield "HTML", b"<!doctype html><script>alert(1)</script>"
    yield "SVG", b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
    yield (
        "SVG that fetches",
        b'<svg xmlns="http://www.w3.org/2000/svg"><use href="http://10.0.0.1/"/></svg>',
    )
    yield "PostScript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file"
    yield "ImageMagick's language", b"push graphic-context\nfill 'url(https://10.0.0.1/)'\npop"
    yield "zip archive", b"PK\x03\x04" + bytes(500)
    yield "ELF program", b"\x7fELF" + bytes(500)
    for kind in ("GIF", "BMP", "TIFF", "PPM", "ICO", "TGA", "PCX"):
        yield kind, saved(photo(), kind)
    yield "animated GIF", _frames("GIF")
    yield "animated PNG", _frames("PNG")
    yield "animated WebP", _frames("WEBP")
    yield "PNG bomb of 2^31 pixels a side", png(2**31 - 1, 2**31 - 1, data=_zeros(2**20))
    yield "PNG bomb of a gigapixel", png(32768, 32768, data=_zeros(64 * 2**20))
    yield "PNG bomb of 16 bits a sample", png(30000, 30000, depth=16, data=_zeros(64 * 2**20))
    yield "PNG bomb of one bit a pixel", png(100_000, 100_000, depth=1, kind=0, data=_zeros(2**20))
    yield "PNG ribbon", png(30_000_000, 1, data=_zeros(2**20))
    yield "JPEG bomb", _jpeg_of(65000, 65000)
    yield "WebP bomb", _webp_of(16384, 16384)
    yield "PNG of no width", png(0, 64)
    yield "PNG of no height", png(64, 0)
    yield "JPEG of no size", _jpeg_of(0, 0)
    yield "PNG without pixels", png(64, 64)
    yield "PNG with too few pixels", png(64, 64, data=zlib.compress(bytes(100)))
    yield "PNG whose pixels are no deflate", png(64, 64, data=b"\xff" * 500)
    yield "PNG with a wrong checksum", small["PNG"][:33] + chunk(b"IDAT", b"x", crc=1)
    yield "PNG with an endless chunk", small["PNG"][:33] + chunk(b"IDAT", b"x", length=2**31 - 1)
    yield "PNG of no kind", png(64, 64, kind=5, data=zlib.compress(bytes(20_000)))
    yield "PNG of no depth", png(64, 64, depth=7, data=zlib.compress(bytes(20_000)))
    yield "PNG with a bomb of text", _with_chunk(b"zTXt", b"a\0\0" + _zeros(128 * 2**20))
    yield (
        "JPEG without tables",
        small["JPEG"][:2] + small["JPEG"][small["JPEG"].index(b"\xff\xda") :],
    )
    yield "JPEG with a picture of another", small["JPEG"][:20] + small["PNG"]


def taken() -> Iterator[tuple[str, bytes, tuple[int, int], Callable[[Image.Image], bool]]]:
    """Odd, yet pictures: with the size that they are kept in, and what has to be true of it."""
    whole = saved(photo(), "PNG")

    def upright(picture: Image.Image) -> bool:
        red, green, blue = picture.convert("RGB").getpixel((5, 5))  # type: ignore[misc]
        return min(red, green, blue) > 200

    def opaque(picture: Image.Image) -> bool:
        return picture.mode == "RGB" and upright(picture)

    def clear(picture: Image.Image) -> bool:
        return picture.mode == "RGBA" and picture.getpixel((90, 60))[3] == 0  # type: ignore[index]

    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        turned = photo().transpose(_UNDO[orientation]) if orientation > 1 else photo()
        yield (
            f"EXIF orientation {orientation}",
            saved(turned, "JPEG", exif=exif, quality=95),
            (
                96,
                64,
            ),
            upright,
        )
    yield "CMYK", saved(photo().convert("CMYK"), "JPEG", quality=95), (96, 64), opaque
    yield "grey", saved(photo().convert("L"), "JPEG"), (96, 64), opaque
    yield "one bit", saved(photo().convert("1"), "PNG"), (96, 64), opaque
    yield "palette", saved(photo().convert("P"), "PNG"), (96, 64), opaque
    glass = photo().convert("RGBA")
    glass.putalpha(
        Image.composite(Image.new("L", (96, 64), 255), Image.new("L", (96, 64)), _left())
    )
    yield "alpha", saved(glass, "PNG"), (96, 64), clear
    yield "alpha of a WebP", saved(glass, "WEBP", lossless=True), (96, 64), clear
    yield "alpha of a palette", saved(glass.quantize(16), "PNG"), (96, 64), clear
    yield "grey with alpha", saved(glass.convert("LA"), "PNG"), (96, 64), clear
    yield "alpha that hides nothing", saved(photo().convert("RGBA"), "PNG"), (96, 64), opaque
    rows = [[60_000 if x < 16 and y < 16 else 300 for x in range(96)] for y in range(64)]
    samples = b"".join(struct.pack("<96H", *row) for row in rows)
    dark = saved(Image.frombytes("I;16", (96, 64), samples), "PNG")
    yield "16 bits", dark, (96, 64), lambda it: opaque(it) and it.getpixel((90, 60)) == (1, 1, 1)
    yield "progressive", saved(photo(), "JPEG", progressive=True, quality=95), (96, 64), opaque
    yield "large", saved(photo((4096, 2048)), "JPEG"), (2048, 1024), opaque
    yield "one pixel", saved(Image.new("RGB", (1, 1)), "PNG"), (1, 1), lambda it: it.mode == "RGB"
    yield (
        "broken EXIF",
        saved(photo(), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"),
        (96, 64),
        opaque,
    )
    yield "something behind it", whole + b"<script>alert(1)</script>", (96, 64), opaque
    yield "a wrong colour profile", saved(photo(), "PNG", icc_profile=b"x" * 200), (96, 64), opaque
    mpo = saved(photo(), "MPO", save_all=True, append_images=[photo()], quality=95)
    yield "a camera's two pictures", mpo, (96, 64), opaque


def _left() -> Image.Image:
    left = Image.new("L", (96, 64), 0)
    left.paste(255, (0, 0, 48, 64))
    return left


_UNDO = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""By EXIF's number: what a camera that was held so did to the picture."""
