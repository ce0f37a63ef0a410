"""The Accept header (RFC 9110, section 12.5.1)."""

import re
from collections.abc import Sequence
from typing import Final

JSON: Final = "application/json"

_QUALITY = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")


def best(accept: str, offered: Sequence[str]) -> str | None:
    """What the client likes best of the media types on offer; None when it takes none of them.
    What it likes as well comes in its order, then in that of the offer."""
    ranges = [_range(part) for part in accept.lower().split(",") if part.strip()] or [("*/*", 1)]
    refused = {range_ for range_, quality in ranges if quality == 0}
    for range_, quality in sorted(ranges, key=lambda it: -it[1]):
        for media_type in offered:
            if quality > 0 and media_type not in refused and _includes(range_, media_type):
                return media_type
    return None


def _range(part: str) -> tuple[str, float]:
    range_, *parameters = (piece.strip() for piece in part.split(";"))
    qualities = [float(match[1]) for match in map(_QUALITY.fullmatch, parameters) if match]
    return range_, qualities[0] if qualities else 1


def _includes(range_: str, media_type: str) -> bool:
    return range_ in ("*/*", media_type, f"{media_type.split('/')[0]}/*")
