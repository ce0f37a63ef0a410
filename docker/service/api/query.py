"""A query parameter that means nothing is a mistake of the client's: it is told."""

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError


async def refuse_unknown(request: Request) -> None:
    known = _known(request.scope["route"].dependant)
    if unknown := [name for name in request.query_params if name not in known]:
        raise RequestValidationError(
            [
                {"type": "extra_forbidden", "loc": ("query", name), "msg": "There is no such field"}
                for name in unknown
            ]
        )


def _known(dependant: Dependant) -> set[str]:
    own = {field.alias for field in dependant.query_params}
    return own.union(*map(_known, dependant.dependencies))
