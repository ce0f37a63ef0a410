"""python -m worker.compiler FILE: compiles what the settings name, and writes it to FILE.

A process of its own, since a compiler may hang, crash or take all memory. It is started with the
worker, and begins when a line comes by its standard input.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

from core.settings import Settings

_PR_SET_PDEATHSIG = 1


def main(file: Path) -> None:
    # The worker comes first. By its niceness the kernel ranks what it reads from the disk, too:
    # https://docs.kernel.org/block/ioprio.html
    os.nice(10)
    # However the worker ends, this process ends with it.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    import torch

    from worker import compiled, loading, sdxl  # noqa: F401  # for seconds, while the worker loads

    if not sys.stdin.readline():
        return  # the worker ended before it could be told
    loading.load(Settings()).compile()
    artifacts = torch.compiler.save_cache_artifacts()
    if artifacts is None:
        raise SystemExit("The compiler left nothing to keep.")
    file.write_bytes(artifacts[0])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
