"""How many pictures of one task are drawn at once."""

BATCH_SIZES: dict[tuple[int, int], int] = {}
"""By width and height: what `npm run bench -- gpu` found to pay, else one.

At 1024 x 1024 one picture fills an H100, and a batch only delays the first picture. At 512 x 512
four at once take a third less time each, but a size is compiled for one number of pictures: a
task of one would be drawn uncompiled.
"""


def batch_size(width: int, height: int) -> int:
    return BATCH_SIZES.get((width, height), 1)
