"""Pictures as bytes, with how they were made."""

from io import BytesIO

from PIL.Image import Image
from PIL.PngImagePlugin import PngInfo

from tasks.parameters import ImageFormat, Parameters
from worker.png import encode_png


def encode(picture: Image, parameters: Parameters, n: int) -> bytes:
    """The same picture gives the same bytes. PNG says in its text chunks how it was made."""
    format_ = ImageFormat(parameters.format)  # in a row of a newer release it may be any word
    if format_ is ImageFormat.PNG:
        info = PngInfo()
        info.add_text("prompt", parameters.prompt, zip=False)
        info.add_text("seed", str(parameters.image_seed(n)))
        info.add_text("parameters", parameters.model_dump_json(exclude={"prompt", "seed"}))
        return encode_png(picture, info)
    buffer = BytesIO()
    picture.save(buffer, format_.value, quality=95)
    return buffer.getvalue()
