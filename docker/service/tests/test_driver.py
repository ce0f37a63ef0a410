"""A node whose driver is too old for the image's CUDA, of which torch says that it finds no GPU."""

from pathlib import Path

import pytest

from worker.driver import DriverTooOld, check_driver

OPEN = (
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  {}  Release Build  (dvs@U16)\n"
    "GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n"
)
CLOSED = (
    "NVRM version: NVIDIA UNIX x86_64 Kernel Module  {}  Thu May  9 15:48:30 UTC 2024\n"
    "GCC version:  gcc version 11.4.0 (Ubuntu 11.4.0-1ubuntu1~22.04)\n"
)


@pytest.mark.parametrize("text", [OPEN, CLOSED])
def test_an_old_driver_is_named_with_the_one_that_is_needed(text: str, tmp_path: Path) -> None:
    version = tmp_path / "version"
    version.write_text(text.format("535.183.01"))
    with pytest.raises(DriverTooOld, match=r"driver is 535\.183\.01, but CUDA 13\.2 needs 580"):
        check_driver("13.2", version)


@pytest.mark.parametrize("text", [OPEN, CLOSED])
@pytest.mark.parametrize("driver", ["580.65.06", "595.58"])
def test_a_driver_that_is_new_enough_is_let_through(text: str, driver: str, tmp_path: Path) -> None:
    version = tmp_path / "version"
    version.write_text(text.format(driver))
    check_driver("13.2", version)


def test_a_node_without_a_gpu_and_a_torch_without_cuda_are_let_through(tmp_path: Path) -> None:
    check_driver("13.2", tmp_path / "version")
    old = tmp_path / "old"
    old.write_text(CLOSED.format("470.10"))
    check_driver(None, old)
