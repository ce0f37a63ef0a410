"""A model's repository on the hub, or on a mirror that answers as the hub does."""

import json
import re
import shutil
import urllib.error
import urllib.request
from http.client import HTTPMessage
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode, urlsplit

from core.settings import Settings
from worker.repository import Digests

_SILENCE_SECONDS = 60
_NEXT_PAGE = re.compile(r'<([^>]+)>;\s*rel="next"')


class Hub:
    def __init__(self, settings: Settings, repository: str, revision: str) -> None:
        endpoint = settings.hf_endpoint.rstrip("/")
        self._tree = f"{endpoint}/api/models/{repository}/tree/{revision}"
        self._files = f"{endpoint}/{repository}/resolve/{revision}"
        self._host = urlsplit(endpoint)[:2]
        self._token = settings.hf_token.get_secret_value() if settings.hf_token else ""

    def listed(self) -> Digests:
        """All files at the revision. https://huggingface.co/docs/hub/api

        Raises OSError when the hub does not answer, or does not know the revision.
        """
        url: str | None = f"{self._tree}?{urlencode({'recursive': 'true'})}"
        entries = []
        while url:
            with self._open(url) as response:
                entries += json.load(response)
                following = _NEXT_PAGE.search(response.headers.get("Link", ""))
            url = following and following[1]
        return {
            entry["path"]: (entry.get("lfs") or entry)["oid"]
            for entry in entries
            if entry["type"] == "file"
        }

    def address(self, name: str) -> str:
        return f"{self._files}/{name}"

    def fetch(self, name: str, part: Path) -> None:
        """Goes on with what is there of the file. Raises OSError."""
        with part.open("ab") as file:
            start = file.tell()
            try:
                response = self._open(self.address(name), {"Range": f"bytes={start}-"})
            except urllib.error.HTTPError as error:
                if error.code == 416:  # all of it is there
                    return
                raise
            with response:
                if response.status != 206:  # from the start, whatever was asked
                    file.truncate(start := 0)
                shutil.copyfileobj(response, file, 1 << 20)
                if file.tell() != start + int(response.headers["Content-Length"]):
                    raise ConnectionError("the connection broke")

    def _open(self, url: str, headers: dict[str, str] | None = None) -> Any:
        request = urllib.request.Request(url, headers=headers or {})  # noqa: S310
        if self._token and urlsplit(url)[:2] == self._host:
            request.add_header("Authorization", f"Bearer {self._token}")
        opener = urllib.request.build_opener(_Redirects)
        return opener.open(request, timeout=_SILENCE_SECONDS)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """The token is for the hub alone; large files are kept by others, whose links need none."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following and urlsplit(newurl)[:2] != urlsplit(req.full_url)[:2]:
            following.remove_header("Authorization")
        return following
