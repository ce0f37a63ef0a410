"""python -m worker.compiler FILE: compiles what the settings name, and writes it to FILE.

A process of its own, since a compiler may hang, crash or take all memory.
"""

import os
import sys
from pathlib import Path

import torch

from core.settings import Settings
from worker import loading

if __name__ == "__main__":
    os.nice(10)  # the worker draws meanwhile
    loading.load(Settings()).compile()
    artifacts = torch.compiler.save_cache_artifacts()
    if artifacts is None:
        raise SystemExit("The compiler left nothing to keep.")
    Path(sys.argv[1]).write_bytes(artifacts[0])
