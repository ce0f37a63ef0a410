"""The Prefer header (RFC 7240): how long a client wants to wait."""

import re
from typing import Annotated, Final

from fastapi import Depends, Header

from api.services import Provided

_WAIT = re.compile(r"wait=(\d{1,6})")


RESPOND_ASYNC: Final = "respond-async"


def preferences(prefer: str | None) -> list[str]:
    return [part.strip().lower() for part in re.split("[,;]", prefer or "")]


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
    wanted = preferences(prefer)
    for preference in wanted:
        if match := _WAIT.fullmatch(preference):
            return min(float(match[1]), longest)
    return 0 if RESPOND_ASYNC in wanted else longest


WaitSeconds = Annotated[float, Depends(_wait_seconds)]
