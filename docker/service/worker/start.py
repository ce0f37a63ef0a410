"""The phases of a worker's start, so that each can be held to its budget."""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core import metrics

log = logging.getLogger(__name__)


@contextmanager
def phase(name: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    _record(name, time.monotonic() - started)


def imports_done() -> None:
    """The first phase began with the process, before any of our code."""
    stat = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    started = int(stat[19]) / os.sysconf("SC_CLK_TCK")  # since the machine's start
    _record("imports", time.clock_gettime(time.CLOCK_BOOTTIME) - started)


def _record(name: str, seconds: float) -> None:
    metrics.START.labels(name).set(seconds)
    log.info("start phase done", extra={"phase": name, "seconds": round(seconds, 3)})
