"""Whatever the compiler does, the worker draws."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

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

Result = TypeVar("Result")

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
    torch.set_num_threads(1)  # as the compiler's process: what it makes for a CPU depends on them
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


async def loaded() -> bool:
    return True


async def never(_compiled: bytes) -> None:
    raise AssertionError("nothing was compiled")


async def test_a_compiler_that_fails_leaves_a_worker_that_draws(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = compilers.stand_in(tmp_path, monkeypatch, compilers.FAILS)
    model = loading.load(settings)
    before = draw(model)
    await compile_beside(settings, loaded, never)
    assert called.exists()
    assert draw(model) == before
    assert compiled() == 0


async def test_a_compiler_that_hangs_holds_up_no_picture_and_ends_with_the_worker(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = compilers.stand_in(tmp_path, monkeypatch, compilers.HANGS)
    model = loading.load(settings)
    before = draw(model)
    compiling = asyncio.create_task(compile_beside(settings, loaded, never))
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
    impatient = settings.model_copy(update={"compile_seconds": 1})
    await compile_beside(impatient, loaded, never)
    assert children() == set()
    assert compiled() == 0


async def test_the_compiler_is_there_while_the_worker_loads_and_begins_when_that_draws(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = compilers.stand_in(tmp_path, monkeypatch, compilers.HANGS)
    ready = asyncio.Event()
    compiling = asyncio.create_task(compile_beside(settings, ready.wait, never))
    (compiler,) = await started(children)
    # The worker comes first.
    await started(lambda: os.getpriority(os.PRIO_PROCESS, compiler) >= 10)
    assert not called.exists()
    assert compiled() is None
    ready.set()
    await started(called.exists)
    compiling.cancel()
    await asyncio.wait([compiling])
    assert children() == set()


@pytest.mark.parametrize("body", [compilers.ENDS_AT_ONCE, compilers.HANGS_AT_ONCE])
async def test_a_compiler_that_does_not_even_start_leaves_a_worker_that_draws(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    compilers.start_with(tmp_path, monkeypatch, body)
    impatient = settings.model_copy(update={"compile_seconds": 1})
    model: list[Model] = []

    async def load() -> bool:
        model.append(await asyncio.to_thread(loading.load, settings))
        return True

    await compile_beside(impatient, load, never)
    assert draw(model[0])
    assert children() == set()
    assert compiled() == 0


async def test_a_worker_with_nothing_to_compile_leaves_no_compiler(settings: Settings) -> None:
    async def loaded_on_a_cpu() -> bool:
        assert children() != set()
        return False

    await compile_beside(settings, loaded_on_a_cpu, never)
    assert children() == set()


WORKER = """
import asyncio
from core.settings import Settings
from worker.compilation import compile_beside
asyncio.run(compile_beside(Settings(), asyncio.Event().wait, None))
"""


async def test_however_a_worker_ends_its_compiler_ends_with_it(settings: Settings) -> None:
    worker = await asyncio.create_subprocess_exec(sys.executable, "-c", WORKER)
    (compiler,) = await started(lambda: children(worker.pid))
    await started(lambda: imports(compiler))
    worker.kill()
    await worker.wait()
    await started(lambda: not (Path("/proc") / str(compiler)).exists())


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


async def started(condition: Callable[[], Result]) -> Result:
    async with asyncio.timeout(120):
        while not (result := condition()):
            await asyncio.sleep(0.1)
    return result


def imports(process: int) -> bool:
    """Whether it has got to torch."""
    return "libtorch" in (Path("/proc") / str(process) / "maps").read_text()


def children(parent: int | None = None) -> set[int]:
    """The processes that this one started, or another one."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == (parent or os.getpid()) and fields[0] != "Z":
            found.add(int(stat.parent.name))
    return found
