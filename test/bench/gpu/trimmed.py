"""A copy of this Python's packages, trimmed by the scripts that trim the worker image.

The machine's own are read only: trimming strips files in place, which a hard link would pass on.
"""

import os
import shutil
import subprocess
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

import core

REQUIREMENTS = Path(core.__file__).parent.parent / "requirements"


def copy(directory: Path) -> Path:
    """@returns the environment's Python"""
    # The interpreter is this one's, and its packages are not seen.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", directory], check=True)
    (site,) = directory.glob("lib/python3*/site-packages")
    for package in _in_the_image(_installed()):
        for file in package.files or []:
            source = Path(str(package.locate_file(file)))
            # Programs lie outside; compiled code is made anew.
            if ".." in file.parts or "__pycache__" in file.parts or not source.is_file():
                continue
            (site / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, site / file)
    for script in ("cuda.sh", "slim.sh"):
        subprocess.run(["sh", REQUIREMENTS / script, directory], check=True, stdout=sys.stderr)
    return directory / "bin/python"


def environment(directory: Path) -> dict[str, str]:
    """What a process in the copy gets: nothing that this machine compiled before."""
    caches = ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR")
    copied = {cache: str(directory / cache) for cache in caches}
    copied["PYTHONPATH"] = str(REQUIREMENTS.parent)
    # An older Triton compiles a launcher for each kernel besides, and gets the machine's compiler.
    driver = next(
        directory.glob("lib/python3*/site-packages/triton/backends/nvidia/driver.py"), None
    )
    if driver and "make_launcher" not in driver.read_text():
        copied["CC"] = str(directory / "bin/cc")
    return os.environ | copied


def _installed() -> list[Distribution]:
    """Of the worker's lock, and what this machine's versions want besides."""
    found: dict[str, Distribution] = {}
    lock = (REQUIREMENTS / "worker.txt").read_text().splitlines()
    waiting = [Requirement(line.split("==")[0]) for line in lock if line[:1].isalnum()]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        wanted = waiting.pop()
        kind = wanted.name, frozenset(wanted.extras)
        if kind in seen:
            continue
        seen.add(kind)
        try:
            package = distribution(wanted.name)
        except PackageNotFoundError:  # the api's, or another platform's
            continue
        found[package.name] = package
        extras = {"", *wanted.extras}
        waiting += [
            requirement
            for requirement in map(Requirement, package.requires or [])
            if requirement.marker is None
            or any(requirement.marker.evaluate({"extra": extra}) for extra in extras)
        ]
    return list(found.values())


def _in_the_image(packages: list[Distribution]) -> list[Distribution]:
    by_line = {f"{it.name.lower().replace('_', '-')}==": it for it in packages}
    kept = subprocess.run(
        ["awk", "-f", REQUIREMENTS / "image.awk"],
        input="\n".join(by_line),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    return [by_line[line] for line in kept.splitlines()]
