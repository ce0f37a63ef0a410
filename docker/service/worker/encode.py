"""Pictures as bytes, with how they were made."""

from io import BytesIO

from PIL import ExifTags
from PIL.Image import Exif, Image
from PIL.PngImagePlugin import PngInfo

from tasks.parameters import ImageFormat, Parameters
from worker.png import encode_png

_NOT_OF_THE_PICTURE = {"partial_images", "webhook", "upload"}
_EXIF_CHARACTERS = 15_000
"""Of each prompt. All that EXIF says has to fit into 64 KiB, at up to two bytes a character."""


def encode(picture: Image, parameters: Parameters, n: int) -> bytes:
    """The same picture gives the same bytes. Each format says how it was made: PNG in text chunks,
    JPEG and WebP in EXIF's comment."""
    format_ = ImageFormat(parameters.format)  # in a row of a newer release it may be any word
    if format_ is ImageFormat.PNG:
        info = PngInfo()
        info.add_text("prompt", parameters.prompt, zip=False)
        info.add_text("seed", str(parameters.image_seed(n)))
        info.add_text(
            "parameters",
            parameters.model_dump_json(
                exclude=_NOT_OF_THE_PICTURE | {"prompt", "seed"}, exclude_none=True
            ),
        )
        return encode_png(picture, info)
    buffer = BytesIO()
    picture.save(buffer, format_.value, quality=parameters.quality, exif=_exif(parameters, n))
    return buffer.getvalue()


def _exif(parameters: Parameters, n: int) -> Exif:
    made = {
        "seed": parameters.image_seed(n),
        "prompt": _cut(parameters.prompt),
        "negative_prompt": _cut(parameters.negative_prompt),
    }
    comment = parameters.model_copy(update=made).model_dump_json(
        exclude=_NOT_OF_THE_PICTURE, exclude_none=True
    )
    exif = Exif()
    # Exif 2.32, section 4.6.5: eight bytes name the encoding, UNICODE is UTF-16.
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = b"UNICODE\0" + comment.encode(
        "utf-16-be"
    )
    return exif


def _cut(text: str) -> str:
    return text.encode("utf-16-be")[: 2 * _EXIF_CHARACTERS].decode("utf-16-be", "ignore")
