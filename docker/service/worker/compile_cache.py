"""What workers compiled, one object for each kind of worker in the pictures' bucket.

Never a directory that several write to: concurrent compilers crash on one
(https://github.com/triton-lang/triton/issues/11512).
"""

import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path

import torch

from core.object_store import ObjectStore
from core.settings import Settings


class CompileCache:
    def __init__(self, settings: Settings) -> None:
        self._objects = ObjectStore(settings)
        self._key = f"compiled/{fingerprint(settings)}"

    async def get(self) -> bytes | None:
        try:
            size = await self._objects.size(self._key)
        except FileNotFoundError:
            return None
        return b"".join([piece async for piece in self._objects.pieces(self._key, size)])

    async def put(self, data: bytes, *, replace: bool) -> None:
        """@param replace: what is there was of no use; else the first writer's stays"""
        await self._objects.put_once(self._key, data, replace=replace)


def fingerprint(settings: Settings) -> str:
    """Of all that the compiled code depends on."""
    gpu = torch.cuda.is_available()
    parts = {
        "versions": [version(name) for name in ("torch", "triton", "diffusers")],
        "device": [torch.cuda.get_device_name(), torch.cuda.get_device_capability()]
        if gpu
        else platform.processor(),
        "model": [settings.model_id, settings.model_revision],
        "modes": [settings.compile, settings.precision, settings.step_cache],
        "sizes": sorted(settings.compiled_sizes),
        "code": [path.read_text() for path in sorted(Path(__file__).parent.rglob("*.py"))],
    }
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
