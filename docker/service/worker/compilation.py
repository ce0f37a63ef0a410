"""Has the model compiled while the worker draws, by a process that may fail, hang or be slow."""

import asyncio
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from core import metrics
from core.settings import Settings
from worker import start

if TYPE_CHECKING:
    from worker.compile_cache import CompileCache

log = logging.getLogger(__name__)

Loaded = Callable[[], Awaitable[bool]]
SwapIn = Callable[[bytes], Awaitable[None]]


class CompilerFailed(Exception):  # noqa: N818
    """It ended with an error, or not in time."""


async def compile_beside(settings: Settings, loaded: Loaded, swap_in: SwapIn) -> None:
    """What another worker compiled is taken; else this one's compiler makes it, for all.

    @param loaded: waits until the worker draws; whether there is anything to compile
    @param swap_in: has the model use it from now on; raises where it can't
    """
    try:
        async with _Compiler() as compiler:
            if not await loaded():
                return
            for width, height in settings.compiled_sizes:
                metrics.COMPILED.labels(f"{width}x{height}").set(0)
            # It imports torch, which the worker does in another thread meanwhile.
            from worker.compile_cache import CompileCache

            cache = CompileCache(settings)
            kept = await _kept(cache)
            if kept is not None:
                try:
                    await swap_in(kept)
                    return
                except Exception as error:
                    log.warning("what is kept of the compiler does not fit: %r", error)
            with start.phase("compile"):
                compiled = await compiler.compile(settings.compile_seconds)
        # Not before: what the compiler took of the GPU's memory is free again.
        await swap_in(compiled)
    except Exception as error:
        log.error("pictures are drawn uncompiled: %r", error)
        return
    try:
        await cache.put(compiled, replace=kept is not None)
    except Exception as error:
        log.warning("what was compiled is not kept: %r", error)


async def _kept(cache: "CompileCache") -> bytes | None:
    try:
        return await cache.get()
    except Exception as error:  # the store is asked for speed only
        log.warning("what was compiled before could not be read: %r", error)
        return None


class _Compiler:
    """Its process, from its start to the end of `async with`, which leaves none of it.

    It imports at once what takes as long as the worker's own imports, but touches the GPU only by
    `compile`: a worker that loads must not find too little memory there.
    """

    async def __aenter__(self) -> Self:
        self._directory = tempfile.TemporaryDirectory(prefix="compiler-")
        self._file = Path(self._directory.name) / "compiled"
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "worker.compiler", str(self._file)),
            stdin=asyncio.subprocess.PIPE,
            # Its own group: it has processes of its own.
            start_new_session=True,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        self._directory.cleanup()

    async def compile(self, seconds: float) -> bytes:
        """@throws CompilerFailed"""
        assert self._process.stdin
        with suppress(ConnectionError):  # it ended already
            self._process.stdin.write(b"compile\n")
            await self._process.stdin.drain()
        try:
            async with asyncio.timeout(seconds):
                status = await self._process.wait()
        except TimeoutError:
            raise CompilerFailed(f"the compiler was not done after {seconds:g} s") from None
        if status:
            raise CompilerFailed(f"the compiler ended with {status}")
        return await asyncio.to_thread(self._file.read_bytes)
