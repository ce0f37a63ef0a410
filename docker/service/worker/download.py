"""Brings the model into the volume that a node's pods share: whole, checked, or not at all."""

import fcntl
import hashlib
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from tasks.settings import Settings

log = logging.getLogger(__name__)

SDXL = "stabilityai/stable-diffusion-xl-base-1.0"
SDXL_REVISION = "462165984030d82259a11f4367a4eed129e94a7b"
SDXL_FILES = Path(__file__).parent / "sdxl_base_1.0.sha256"
TINY = "tiny-random-sdxl"

_TRIES = 3

Fetch = Callable[[str, Path], None]
"""Puts one file of the model below a directory; goes on with what is there of it."""


def ensure(settings: Settings, fetch: Fetch | None = None) -> None:
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
        _fill(settings.model_id, partial, fetch or _from_hub)
        partial.rename(target)
        log.info("%s is ready", target)


def _fill(model_id: str, directory: Path, fetch: Fetch) -> None:
    if model_id == TINY:
        from worker import tiny_sdxl

        tiny_sdxl.save(directory)
    elif model_id == SDXL:
        for line in SDXL_FILES.read_text().splitlines():
            digest, name = line.split()
            _fetch_checked(name, digest, directory, fetch)
        shutil.rmtree(directory / ".cache", ignore_errors=True)
    else:
        raise SystemExit(f"MODEL_ID must be {SDXL} or {TINY}, not {model_id}.")


def _fetch_checked(name: str, digest: str, directory: Path, fetch: Fetch) -> None:
    path = directory / name
    for _ in range(_TRIES):
        if not path.exists():
            log.info("fetching %s", name)
            fetch(name, directory)
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == digest:
                return
        log.warning("%s is damaged", name)
        path.unlink()
    raise SystemExit(f"{name} does not have the SHA-256 {digest} after {_TRIES} tries.")


def _from_hub(name: str, directory: Path) -> None:
    # The image forbids the hub to all else.
    os.environ["HF_HUB_OFFLINE"] = "0"
    from huggingface_hub import hf_hub_download

    hf_hub_download(SDXL, name, revision=SDXL_REVISION, local_dir=directory)
