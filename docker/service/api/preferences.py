"""The Prefer header (RFC 7240): how long a client wants to wait."""

import re
from typing import Annotated

from fastapi import Depends, Header

from api.services import Provided

_WAIT = re.compile(r"wait=(\d{1,6})")


def _wait_seconds(
    services: Provided,
    prefer: Annotated[
        str | None,
        Header(
            max_length=200,
            description="`respond-async` answers at once, `wait=N` after N seconds at most.",
            examples=["respond-async", "wait=30"],
        ),
    ] = None,
) -> float:
    longest = services.settings.max_wait_seconds
    preferences = [part.strip().lower() for part in re.split("[,;]", prefer or "")]
    for preference in preferences:
        if match := _WAIT.fullmatch(preference):
            return min(float(match[1]), longest)
    return 0 if "respond-async" in preferences else longest


WaitSeconds = Annotated[float, Depends(_wait_seconds)]
