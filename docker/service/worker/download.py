"""Brings the model into the volume that a node's pods share: whole, checked, or not at all."""

import fcntl
import hashlib
import logging
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from core.settings import Companion, Settings
from worker import repository
from worker.bucket import SUMS, Bucket
from worker.hub import Hub

log = logging.getLogger(__name__)

SDXL = "stabilityai/stable-diffusion-xl-base-1.0"
SDXL_REVISION = "462165984030d82259a11f4367a4eed129e94a7b"
SDXL_FILES = Path(__file__).parent / "sdxl_base_1.0.sha256"
TINY = "tiny-sdxl"
CONFIGURATION, WEIGHTS = "config.json", "model.safetensors"
"""Of a companion."""

_TRIES = 5
_PAUSE_SECONDS = 2


def ensure(settings: Settings) -> None:
    """Returns when the model is there, and its LoRAs. Many pods may do this at once: one of them
    works."""
    target = settings.model_path
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / f".{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _ensure_model(settings, target)
        fetch_loras(settings)
        _check_loras(settings)
        for companion in settings.companions:
            _ensure_companion(settings, companion)
        _check_companions(settings)


def _ensure_model(settings: Settings, target: Path) -> None:
    if target.exists():
        log.info("%s is there", target)
        return
    # Kept when this process dies: the next one goes on from it.
    partial = target.parent / f".{target.name}.partial"
    partial.mkdir(exist_ok=True)
    _fill(settings, partial)
    partial.rename(target)
    log.info("%s is ready", target)


def fetch_loras(settings: Settings) -> None:
    """Those that are wanted, and no others: each by its name, whole and checked."""
    directory = settings.lora_dir
    wanted = {directory / f"{lora.name}.safetensors": lora for lora in settings.loras}
    for path, lora in wanted.items():
        if path.exists() and _sha256(path) != lora.sha256:
            path.unlink()
        source = _source(settings, lora.repository, lora.revision, directory)
        name = path.name if isinstance(source, Bucket) else lora.file
        _fetch_checked(source, name, path, lora.sha256)
    for path in directory.glob("*"):
        if path not in wanted:
            path.unlink()


def _ensure_companion(settings: Settings, companion: Companion) -> None:
    directory = settings.model_dir / companion.folder
    weights, configuration = directory / WEIGHTS, directory / CONFIGURATION
    if weights.exists() and _sha256(weights) != companion.sha256:
        weights.unlink()
    source = _source(settings, companion.repository, companion.revision, directory)
    if not configuration.exists():
        listed = _listed(source, companion.folder)
        if CONFIGURATION not in listed:
            raise SystemExit(f"{companion.folder} has no {CONFIGURATION}.")
        _fetch_checked(source, CONFIGURATION, configuration, listed[CONFIGURATION])
    _fetch_checked(source, WEIGHTS, weights, companion.sha256)
    _write_sums(directory, [CONFIGURATION, WEIGHTS])


def _check_companions(settings: Settings) -> None:
    """Before a worker meets them. @throws SystemExit"""
    if not settings.companions:
        return
    from worker.safety import SafetyChecker
    from worker.upscaler import Upscaler

    for companion, kind in (
        (settings.safety_checker, SafetyChecker),
        (settings.upscaler, Upscaler),
    ):
        if companion:
            try:
                kind(settings.model_dir / companion.folder)
            except (OSError, ValueError) as error:
                raise SystemExit(f"{companion.folder}: {error}") from error


def _check_loras(settings: Settings) -> None:
    """Before a worker meets them. @throws SystemExit"""
    if not settings.loras:
        return
    from worker import loras

    names = [lora.name for lora in settings.loras]
    loras.check(settings.model_path, settings.lora_dir, names)


def _fill(settings: Settings, directory: Path) -> None:
    if settings.model_id == TINY:
        from worker import tiny_sdxl

        tiny_sdxl.save(directory)
        return
    revision = settings.model_revision or SDXL_REVISION
    source = _source(settings, settings.model_id, revision, settings.model_path)
    files = _files(settings, source, directory)
    for name, digest in files.items():
        _fetch_checked(source, name, directory / name, digest)
    if settings.model_revision:
        _write_sums(directory, files)


def _write_sums(directory: Path, names: Iterable[str]) -> None:
    """With them, a bucket that the volume is copied to can serve the next one."""
    sums = [f"{_sha256(directory / name)}  {name}\n" for name in names]
    (directory / SUMS).write_text("".join(sums))


class Source(Protocol):
    """Where a model's files come from."""

    def listed(self) -> repository.Digests: ...
    def address(self, name: str) -> str: ...
    def fetch(self, name: str, part: Path) -> None: ...


def _source(settings: Settings, repository: str, revision: str, directory: Path) -> Source:
    """@param directory: of the volume, where the files shall lie"""
    if settings.hf_endpoint.startswith("s3://"):
        return Bucket(settings, directory)
    return Hub(settings, repository, revision)


def _listed(source: Source, what: str) -> repository.Digests:
    try:
        return source.listed()
    except OSError as error:
        raise SystemExit(f"{what} could not be listed: {error}") from None


def _files(settings: Settings, source: Source, directory: Path) -> repository.Digests:
    """The pipeline's files: SDXL's as they are known here, others' as the source lists them."""
    model, revision = settings.model_id, settings.model_revision
    if not revision:
        if model == SDXL:
            lines = (line.split() for line in SDXL_FILES.read_text().splitlines())
            return {name: digest for digest, name in lines}
        raise SystemExit(f"MODEL_REVISION must be the commit of {model} that is wanted.")
    listed = _listed(source, f"{model} at {revision}")
    if repository.INDEX not in listed:
        raise SystemExit(f"{model} at {revision} is no diffusers repository.")
    index = directory / repository.INDEX
    _fetch_checked(source, repository.INDEX, index, listed[repository.INDEX])
    repository.check_index(index)
    return repository.pipeline_files(listed)


def _fetch_checked(source: Source, name: str, path: Path, digest: str) -> None:
    """A file that is at its path is whole and was checked."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    address = source.address(name)
    problem = ""
    for _ in range(_TRIES):
        try:
            source.fetch(name, part)
        except OSError as error:
            problem = f"could not be fetched: {error}"
            log.warning("%s %s", address, problem)
            time.sleep(_PAUSE_SECONDS)
            continue
        if _has_digest(part, digest):
            part.rename(path)
            return
        problem = f"does not have the hash {digest}"
        log.warning("%s %s", address, problem)
        part.unlink()
    raise SystemExit(f"{address} {problem} ({_TRIES} tries).")


def _has_digest(path: Path, digest: str) -> bool:
    """Of 64 hex digits, a SHA-256; of 40, git's id of a file."""
    if len(digest) == hashlib.sha256().digest_size * 2:
        return _sha256(path) == digest
    header = b"blob %d\0" % path.stat().st_size
    blob = hashlib.sha1(header + path.read_bytes(), usedforsecurity=False)
    return blob.hexdigest() == digest


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
