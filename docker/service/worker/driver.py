"""Whether the node's NVIDIA driver runs the CUDA that comes with the image."""

import re
from pathlib import Path

_VERSION = Path("/proc/driver/nvidia/version")
"""The kernel module's own word, in every container of a node that has it."""

_OLDEST = {12: 525, 13: 580}
"""The oldest branch by CUDA's major version:
https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html"""


class DriverTooOld(Exception):  # noqa: N818
    """Without this torch would find no GPU, and the worker would draw on the CPU, for minutes."""


def check_driver(cuda: str | None, version_file: Path = _VERSION) -> None:
    """@param cuda: torch's, like "13.2"; None for a torch without
    @throws DriverTooOld with both versions; nothing where there is no driver"""
    if cuda is None or not version_file.exists():
        return
    # NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.95.05  Tue Sep 23 10:11:16 UTC 2025
    found = re.search(r"\b(\d{3,})\.\d+(?:\.\d+)?\b", version_file.read_text())
    oldest = _OLDEST.get(int(cuda.split(".")[0]))
    if found and oldest and int(found[1]) < oldest:
        raise DriverTooOld(
            f"the node's NVIDIA driver is {found[0]}, but CUDA {cuda} needs {oldest} or newer: "
            "update the node's driver (docs/reference/cluster.md)"
        )
