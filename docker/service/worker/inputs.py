"""The pictures that a task draws from, in the size of those that it makes."""

from dataclasses import dataclass
from io import BytesIO
from typing import Final

from PIL import Image, ImageChops, ImageOps

from tasks.parameters import Parameters


@dataclass(frozen=True)
class Inputs:
    image: Image.Image | None = None
    """RGB."""
    mask: Image.Image | None = None
    """Grey: white where the image is drawn anew, black where it stays."""

    def kept(self, picture: Image.Image) -> Image.Image:
        """The picture with all that had to stay."""
        if self.image is None or self.mask is None:
            return picture
        return Image.composite(picture, self.image, self.mask)


NO_INPUTS: Final = Inputs()


def fitted(image: bytes, mask: bytes | None, parameters: Parameters) -> Inputs:
    """Of the files of an InputStore. Where the shape is another, the edges go."""
    size = parameters.width, parameters.height
    given = Image.open(BytesIO(image)).convert("RGBA")
    flat = Image.alpha_composite(Image.new("RGBA", given.size, "white"), given).convert("RGB")
    return Inputs(
        image=ImageOps.fit(flat, size, Image.Resampling.LANCZOS),
        mask=None if mask is None else ImageOps.fit(_mask(mask), size, Image.Resampling.BILINEAR),
    )


def _mask(file: bytes) -> Image.Image:
    given = Image.open(BytesIO(file))
    if given.mode == "RGBA":  # as OpenAI has it: what can be seen through is drawn
        return ImageChops.invert(given.getchannel("A"))
    return given.convert("L")
