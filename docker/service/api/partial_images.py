"""Previews as OpenAI's clients expect them: in the picture's own size and format."""

import asyncio
import base64
from io import BytesIO

from PIL import Image

from tasks.broker import PartialImage
from tasks.parameters import Parameters


async def in_full_size(partial_image: PartialImage, parameters: Parameters) -> str:
    """In base64. A worker sends the small one: what is sent to every replica is to be short."""
    return await asyncio.to_thread(_enlarge, partial_image, parameters)


def _enlarge(partial_image: PartialImage, parameters: Parameters) -> str:
    small = Image.open(BytesIO(base64.b64decode(partial_image.jpeg)))
    large = small.resize(parameters.size, Image.Resampling.BICUBIC)
    buffer = BytesIO()
    large.save(buffer, parameters.format, compress_level=1, quality=parameters.quality)
    return base64.b64encode(buffer.getvalue()).decode()
