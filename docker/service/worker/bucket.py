"""A model's files in a bucket, in the folders of a model volume: a backup's copy of one serves."""

from pathlib import Path
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from core.settings import Settings
from worker.repository import Digests

SUMS = "SHA256SUMS"
"""As sha256sum writes it: the files of a model that the service does not know by hash."""

_PIECE = 64 * 2**20
"""Bytes of one request, each of which has a minute."""


class Bucket:
    def __init__(self, settings: Settings, directory: Path) -> None:
        """@param directory: of the volume, whose copy the bucket has"""
        url = urlsplit(settings.hf_endpoint)
        folder = directory.relative_to(settings.model_dir)
        self._folder = f"{url.path}/{folder}".strip("/")
        self._bucket = url.netloc
        self._store = S3Store(
            self._bucket,
            config={"region": settings.aws_region},
            client_options={"allow_http": True, "connect_timeout": "5s", "timeout": "60s"},
        )

    def listed(self) -> Digests:
        """The files that SHA256SUMS names. Raises OSError when it is not to be had."""
        try:
            text = bytes(obstore.get(self._store, f"{self._folder}/{SUMS}").bytes()).decode()
        except (BaseError, FileNotFoundError) as error:
            raise OSError(f"{self.address(SUMS)}: {_first_line(error)}") from error
        lines = (line.split(maxsplit=1) for line in text.splitlines())
        return {name.removeprefix("*").removeprefix("./"): digest for digest, name in lines}

    def address(self, name: str) -> str:
        return f"s3://{self._bucket}/{self._folder}/{name}"

    def fetch(self, name: str, part: Path) -> None:
        """Goes on with what is there of the file. Raises OSError."""
        path = f"{self._folder}/{name}"
        try:
            size = obstore.head(self._store, path)["size"]
            with part.open("ab") as file:
                while (start := file.tell()) < size:
                    end = min(start + _PIECE, size)
                    file.write(obstore.get_range(self._store, path, start=start, end=end))
        except (BaseError, FileNotFoundError) as error:
            raise OSError(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    """Without what obstore adds for who debugs it."""
    return str(error).partition("\n")[0]
