"""Links to pictures that work without a key, for a while."""

import hashlib
import hmac
import time

from tasks.settings import Settings


class Links:
    def __init__(self, settings: Settings) -> None:
        assert settings.api_secret is not None
        secret = settings.api_secret.get_secret_value().encode()
        self._key = hashlib.sha256(b"links:" + secret).digest()

    def sign(self, path: str, seconds: int) -> str:
        expires = int(time.time()) + seconds
        return f"{path}?expires={expires}&signature={self._signature(path, expires)}"

    def valid(self, path: str, expires: int, signature: str) -> bool:
        right = hmac.compare_digest(
            signature.encode(errors="replace"), self._signature(path, expires).encode()
        )
        return right and time.time() < expires

    def _signature(self, path: str, expires: int) -> str:
        return hmac.new(self._key, f"{path}:{expires}".encode(), hashlib.sha256).hexdigest()
