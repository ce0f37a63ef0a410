"""Who asks: the Bearer token decides."""

import hmac
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.problems import Problem
from api.services import Provided
from tasks.schema import OPERATOR_KEY_ID

_bearer = HTTPBearer(auto_error=False, description="The operator's key or a named key.")


def _key_id(
    services: Provided,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> int:
    secret = services.settings.api_secret
    if (
        secret is not None
        and credentials is not None
        and hmac.compare_digest(
            credentials.credentials.encode(), secret.get_secret_value().encode()
        )
    ):
        return OPERATOR_KEY_ID
    raise Problem(
        401,
        "unauthorized",
        "Send a valid key as 'Authorization: Bearer KEY'.",
        headers={"WWW-Authenticate": "Bearer"},
    )


KeyId = Annotated[int, Depends(_key_id)]
