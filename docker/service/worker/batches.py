"""How many pictures of one task are drawn at once."""

PICTURES_AT_ONCE: dict[tuple[int, int], int] = {}
"""By width and height: what `npm run bench -- gpu` found to pay, else one.

A batch pays where one picture leaves the GPU idle: at small sizes. At 1024 x 1024 one picture
fills it, and a batch only delays the first picture.
"""


def pictures_at_once(width: int, height: int) -> int:
    return PICTURES_AT_ONCE.get((width, height), 1)
