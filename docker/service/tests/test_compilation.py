"""Whatever the compiler does, the worker draws."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from core import metrics  # noqa: E402
from core.settings import Settings  # noqa: E402
from tasks.parameters import Parameters  # noqa: E402
from tests import compilers  # noqa: E402
from worker import loading, tiny_sdxl  # noqa: E402
from worker.compilation import compile_beside  # noqa: E402
from worker.compiled import swap_in  # noqa: E402
from worker.model import Model  # noqa: E402

pytestmark = [pytest.mark.model, pytest.mark.timeout(300)]

A_CAT = Parameters(prompt="a cat", width=256, height=256, steps=2, seed=7)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Of a worker of the tiny model, in the environment that its compiler's process gets."""
    tiny_sdxl.save(tmp_path / "models/tiny")
    for name, value in {
        "MODEL_DIR": str(tmp_path / "models"),
        "MODEL_ID": "tiny",
        "COMPILED_SIZES": "256x256",
        "COMPILE": "regional",
        "DATA_DIR": str(tmp_path / "data"),
        "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "inductor"),
        "OMP_NUM_THREADS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    torch.compiler.reset()
    metrics.COMPILED.clear()
    yield Settings()
    torch.compiler.reset()


def compiled() -> float | None:
    return metrics.registry(["worker"]).get_sample_value(
        "aigc_worker_compiled", {"size": "256x256"}
    )


def draw(model: Model) -> bytes:
    return model.generate(A_CAT, range(1), lambda _: None)[0].tobytes()


async def never(_compiled: bytes) -> None:
    raise AssertionError("nothing was compiled")


async def test_a_compiler_that_fails_leaves_a_worker_that_draws(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = compilers.stand_in(tmp_path, monkeypatch, compilers.FAILS)
    model = loading.load(settings)
    before = draw(model)
    await compile_beside(settings, never)
    assert called.exists()
    assert draw(model) == before
    assert compiled() == 0


async def test_a_compiler_that_hangs_holds_up_no_picture_and_ends_with_the_worker(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = compilers.stand_in(tmp_path, monkeypatch, compilers.HANGS)
    model = loading.load(settings)
    before = draw(model)
    compiling = asyncio.create_task(compile_beside(settings, never))
    while not called.exists():
        assert not compiling.done()
        await asyncio.sleep(0.1)
    assert draw(model) == before
    assert children() != set()
    compiling.cancel()
    await asyncio.wait([compiling])
    assert children() == set()
    assert compiled() == 0


async def test_a_compiler_that_is_not_done_in_time_is_ended(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compilers.stand_in(tmp_path, monkeypatch, compilers.HANGS)
    await compile_beside(settings.model_copy(update={"compile_seconds": 1}), never)
    assert children() == set()
    assert compiled() == 0


async def test_what_another_worker_compiled_of_something_else_is_not_used(
    settings: Settings,
) -> None:
    """The inference thread compiles nothing, so no task waits for a compiler."""
    model = loading.load(settings)
    before = draw(model)
    with pytest.raises(Exception, match="not those of this worker"):
        swap_in(model, b"")
    assert draw(model) == before
    assert compiled() is None


def children() -> set[int]:
    """The processes in groups that this one started."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and fields[0] != "Z":
            found.add(int(stat.parent.name))
    return found
