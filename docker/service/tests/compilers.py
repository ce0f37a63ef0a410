"""Stand-ins for torch.compile's compiler, in every Python process that is started with them."""

from pathlib import Path

import pytest

FAILS = "raise RuntimeError('this compiler fails')"
HANGS = "time.sleep(3600)"

ENDS_AT_ONCE = "import os; os._exit(3)"
HANGS_AT_ONCE = "import time; time.sleep(3600)"

_STAND_IN = """
import pathlib, time, torch
def stand_in(graph, inputs):
    pathlib.Path({called!r}).touch()
    {body}
torch.compiler.set_stance(force_backend=stand_in)
"""


def stand_in(directory: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> Path:
    """Gives the file that is there once the compiler was called."""
    called = directory / "called"
    start_with(directory, monkeypatch, _STAND_IN.format(called=str(called), body=body))
    return called


def start_with(directory: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    # Python imports it at its start: https://docs.python.org/3/library/site.html
    (directory / "sitecustomize.py").write_text(body)
    monkeypatch.setenv("PYTHONPATH", str(directory), prepend=":")
