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

from core import metrics
from core.settings import Settings
from worker import start
from worker.compile_cache import CompileCache

log = logging.getLogger(__name__)

SwapIn = Callable[[bytes], Awaitable[None]]


class CompilerFailed(Exception):  # noqa: N818
    """It ended with an error, or not in time."""


async def compile_beside(settings: Settings, swap_in: SwapIn) -> None:
    """What another worker compiled is taken; else this one's compiler makes it, for all.

    @param swap_in: has the model use it from now on; raises where it can't
    """
    for width, height in settings.compiled_sizes:
        metrics.COMPILED.labels(f"{width}x{height}").set(0)
    try:
        cache = CompileCache(settings)
        kept = await _kept(cache)
        if kept is not None:
            try:
                await swap_in(kept)
                return
            except Exception as error:
                log.warning("what is kept of the compiler does not fit: %r", error)
        with start.phase("compile"):
            compiled = await _run_compiler(settings.compile_seconds)
        await swap_in(compiled)
    except Exception as error:
        log.error("pictures are drawn uncompiled: %r", error)
        return
    try:
        await cache.put(compiled, replace=kept is not None)
    except Exception as error:
        log.warning("what was compiled is not kept: %r", error)


async def _kept(cache: CompileCache) -> bytes | None:
    try:
        return await cache.get()
    except Exception as error:  # the store is asked for speed only
        log.warning("what was compiled before could not be read: %r", error)
        return None


async def _run_compiler(seconds: float) -> bytes:
    """@throws CompilerFailed; cancelled, it leaves no process behind"""
    with tempfile.TemporaryDirectory(prefix="compiler-") as directory:
        file = Path(directory) / "compiled"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "worker.compiler", str(file)),
            # Its own group: it has processes of its own.
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(seconds):
                status = await process.wait()
        except TimeoutError:
            raise CompilerFailed(f"the compiler was not done after {seconds:g} s") from None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        if status:
            raise CompilerFailed(f"the compiler ended with {status}")
        return await asyncio.to_thread(file.read_bytes)
