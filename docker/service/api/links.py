"""Links that work without a key, for a while: for an <img>, an EventSource, a colleague."""

import hashlib
import hmac
import time
from collections.abc import Mapping
from contextlib import suppress

from core.settings import Settings


class Links:
    def __init__(self, settings: Settings) -> None:
        assert settings.api_secret is not None
        secret = settings.api_secret.get_secret_value().encode()
        self._key = hashlib.sha256(b"links:" + secret).digest()

    def sign(self, path: str, expires: int) -> str:
        """A link to the path that works until `expires`, in seconds since 1970."""
        return f"{path}?expires={expires}&signature={self._signature(path, expires)}"

    def valid(self, path: str, query: Mapping[str, str]) -> bool:
        given = query.get("signature", "").encode(errors="replace")
        with suppress(ValueError):
            expires = int(query.get("expires", ""))
            right = hmac.compare_digest(given, self._signature(path, expires).encode())
            return right and time.time() < expires
        return False

    def _signature(self, path: str, expires: int) -> str:
        return hmac.new(self._key, f"{path}:{expires}".encode(), hashlib.sha256).hexdigest()
