"""Pictures as bytes, with how they were made."""

from io import BytesIO

from PIL.Image import Image
from PIL.PngImagePlugin import PngInfo

from tasks.parameters import ImageFormat, Parameters
from worker.png import encode_png


def encode(picture: Image, parameters: Parameters, n: int) -> bytes:
    """The same picture gives the same bytes. PNG says in its text chunks how it was made."""
    if parameters.format is ImageFormat.PNG:
        info = PngInfo()
        info.add_text("prompt", parameters.prompt, zip=False)
        info.add_text("seed", str(parameters.image_seed(n)))
        info.add_text("parameters", parameters.model_dump_json(exclude={"prompt", "seed"}))
        return encode_png(picture, info)
    buffer = BytesIO()
    picture.save(buffer, parameters.format.value, quality=95)
    return buffer.getvalue()
