"""Brings the model into the volume that a node's pods share: whole, checked, or not at all."""

import fcntl
import hashlib
import logging
import shutil
import time
import urllib.error
import urllib.request
from pathlib import Path

from core.settings import Settings
from worker import repository

log = logging.getLogger(__name__)

SDXL = "stabilityai/stable-diffusion-xl-base-1.0"
SDXL_REVISION = "462165984030d82259a11f4367a4eed129e94a7b"
SDXL_FILES = Path(__file__).parent / "sdxl_base_1.0.sha256"
TINY = "tiny-random-sdxl"

_TRIES = 5
_SILENCE_SECONDS = 60
_PAUSE_SECONDS = 2


def ensure(settings: Settings) -> None:
    """Returns when the model is there. Many pods may do this at once: one of them works."""
    target = settings.model_path
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / f".{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.exists():
            log.info("%s is there", target)
            return
        # Kept when this process dies: the next one goes on from it.
        partial = target.parent / f".{target.name}.partial"
        partial.mkdir(exist_ok=True)
        _fill(settings, partial)
        partial.rename(target)
        log.info("%s is ready", target)


def _fill(settings: Settings, directory: Path) -> None:
    if settings.model_id == TINY:
        from worker import tiny_sdxl

        tiny_sdxl.save(directory)
        return
    endpoint, model = settings.hf_endpoint.rstrip("/"), settings.model_id
    revision = settings.model_revision or SDXL_REVISION
    where = f"{endpoint}/{model}/resolve/{revision}"
    for name, digest in _files(endpoint, settings, where, directory).items():
        _fetch_checked(f"{where}/{name}", directory / name, digest)


def _files(endpoint: str, settings: Settings, where: str, directory: Path) -> repository.Digests:
    """The pipeline's files: SDXL's as they are known here, others' as the hub lists them."""
    model, revision = settings.model_id, settings.model_revision
    if not revision:
        if model == SDXL:
            lines = (line.split() for line in SDXL_FILES.read_text().splitlines())
            return {name: digest for digest, name in lines}
        raise SystemExit(f"MODEL_REVISION must be the commit of {model} that is wanted.")
    try:
        listed = repository.listed(endpoint, model, revision, _SILENCE_SECONDS)
    except OSError as error:
        raise SystemExit(f"{model} at {revision} could not be listed: {error}") from None
    if repository.INDEX not in listed:
        raise SystemExit(f"{model} at {revision} is no diffusers repository.")
    index = directory / repository.INDEX
    _fetch_checked(f"{where}/{repository.INDEX}", index, listed[repository.INDEX])
    repository.check_index(index)
    return repository.pipeline_files(listed)


def _fetch_checked(url: str, path: Path, digest: str) -> None:
    """A file that is at its path is whole and was checked."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    problem = ""
    for _ in range(_TRIES):
        try:
            _fetch(url, part)
        except OSError as error:
            problem = f"could not be fetched: {error}"
            log.warning("%s %s", url, problem)
            time.sleep(_PAUSE_SECONDS)
            continue
        if _has_digest(part, digest):
            part.rename(path)
            return
        problem = f"does not have the hash {digest}"
        log.warning("%s %s", url, problem)
        part.unlink()
    raise SystemExit(f"{url} {problem} ({_TRIES} tries).")


def _has_digest(path: Path, digest: str) -> bool:
    """Of 64 hex digits, a SHA-256; of 40, git's id of a file."""
    with path.open("rb") as file:
        if len(digest) == hashlib.sha256().digest_size * 2:
            return hashlib.file_digest(file, "sha256").hexdigest() == digest
        header = b"blob %d\0" % path.stat().st_size
        blob = hashlib.sha1(header + file.read(), usedforsecurity=False)
        return blob.hexdigest() == digest


def _fetch(url: str, part: Path) -> None:
    """Goes on with what is there of the file."""
    with part.open("ab") as file:
        start = file.tell()
        log.info("fetching %s from byte %s", url, start)
        request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"})  # noqa: S310
        try:
            response = urllib.request.urlopen(request, timeout=_SILENCE_SECONDS)  # noqa: S310
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
