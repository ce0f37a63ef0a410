"""The worker image lacks nothing that drawing needs. Runs inside the image alone."""

import ctypes
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(sys.prefix != "/opt/venv", reason="not in the image"),
]

SITE = Path("/opt/venv/lib/python3.11/site-packages")

# What the node brings: its driver, and its network for work on many GPUs.
OF_THE_NODE = r"lib(cuda\.so|nvidia-ml|ibverbs|mlx5|rdmacm|fabric|ucp|ucs|mpi|pmix|doca|gdrapi)"


def test_it_runs_as_the_services_own_user() -> None:
    assert os.getuid() == 10001


def test_it_has_no_compiler() -> None:
    assert not [name for name in ("gcc", "cc1", "clang", "ld", "as") if shutil.which(name)]


@pytest.mark.parametrize("package", ["torch", "triton", "nvidia"])
def test_every_library_finds_those_it_is_linked_with(package: str) -> None:
    import torch  # noqa: F401  # loads those that find each other only in its company

    missing = {}
    for library in sorted((SITE / package).rglob("*.so*")):
        try:
            ctypes.CDLL(str(library), os.RTLD_LAZY)
        except OSError as error:
            if not re.match(OF_THE_NODE, str(error)):
                missing[library.name] = str(error)
    assert missing == {}


def test_everything_that_compiles_for_a_gpu_can_be_imported() -> None:
    import torch._inductor.compile_fx
    import torch._inductor.kernel.conv
    import torch._inductor.kernel.mm  # noqa: F401
    from torch._inductor.codecache import torch_key

    assert torch_key()


@pytest.mark.parametrize("capability", [80, 86, 89, 90, 100, 120])
def test_kernels_are_compiled_for_every_gpu_in_use(
    capability: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from tests.kernel import exponentials

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    source = ASTSource(
        fn=exponentials,
        signature={"x": "*fp16", "n": "i32", "BLOCK": "constexpr"},
        constexprs={(2,): 128},
    )
    compiled = triton.compile(source, target=GPUTarget("cuda", capability, 32))
    assert compiled.asm["cubin"].startswith(b"\x7fELF")


def test_tritons_binding_to_the_driver_is_there_without_a_compiler(tmp_path: Path) -> None:
    source = SITE / "triton/backends/nvidia/driver.c"
    binding = tmp_path / "cuda_utils.so"
    compiler = os.environ["CC"]
    subprocess.run([compiler, source, "-O3", "-o", binding], check=True)
    # Only the driver is missing here; each GPU's node has it.
    with pytest.raises(OSError, match=r"^libcuda\.so\.1: cannot open shared object file"):
        ctypes.CDLL(str(binding), os.RTLD_LAZY)
    other = subprocess.run([compiler, "other.c"], check=False, stderr=subprocess.PIPE)
    assert other.returncode == 1
    assert b"other.c cannot be compiled" in other.stderr


@pytest.mark.parametrize(
    ("library", "function"),
    [
        ("nvidia/cu13/lib/libcufft.so.12", "cufftCreate"),
        ("nvidia/nccl/lib/libnccl.so.2", "ncclGetVersion"),
        ("nvidia/cusparselt/lib/libcusparseLt.so.0", "cusparseLtInit"),
        ("nvidia/nvshmem/lib/libnvshmem_host.so.3", "nvshmem_info_get_version"),
    ],
)
def test_what_was_left_out_says_so_instead_of_crashing(library: str, function: str) -> None:
    assert getattr(ctypes.CDLL(str(SITE / library)), function)() == 1
