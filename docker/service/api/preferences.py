"""The Prefer header (RFC 7240): how long a client wants to wait."""

import re
from typing import Final

_WAIT = re.compile(r"wait=(\d{1,6})")

RESPOND_ASYNC: Final = "respond-async"


def preferences(prefer: str | None) -> list[str]:
    return [part.strip().lower() for part in re.split("[,;]", prefer or "")]


def wait_seconds(prefer: str | None, longest: float) -> float:
    wanted = preferences(prefer)
    for preference in wanted:
        if match := _WAIT.fullmatch(preference):
            return min(float(match[1]), longest)
    return 0 if RESPOND_ASYNC in wanted else longest
