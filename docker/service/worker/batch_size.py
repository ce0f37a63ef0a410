"""How many pictures of one task are drawn at once."""

BATCH_SIZES: dict[tuple[int, int], int] = {}
"""By width and height: what `npm run bench -- gpu` found to pay, else one.

A batch pays where one picture leaves the GPU idle: at small sizes. At 1024 x 1024 one picture
fills it, and a batch only delays the first picture.
"""


def batch_size(width: int, height: int) -> int:
    return BATCH_SIZES.get((width, height), 1)
