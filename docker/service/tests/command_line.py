"""`python -m tasks`, the operator's commands, on a directory of the test's own."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def command_line(data: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    def tasks(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tasks", *arguments],
            env={"DATA_DIR": str(data), "PATH": "/usr/bin"},
            cwd=Path(__file__).parents[1],
            capture_output=True,
            text=True,
            check=False,
        )

    return tasks
