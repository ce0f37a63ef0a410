"""Our worker against diffusers, interleaved in one run: python bench.py [--quick] [options]

Progress goes to stderr; stdout gets each figure as a line of JSON once it is known. On a CPU the
same code runs with the tiny model, and what is compiled is only traced: it proves the code, its
figures mean nothing.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NoReturn

import torch
from PIL import Image

import trimmed
from contenders import (
    Contender,
    Diffusers,
    Worker,
    gpu,
    psnr,
    release,
    reserved_bytes,
    synchronize,
    timed,
)
from tasks.parameters import Parameters
from worker import full_sdxl, tiny_sdxl
from worker.encode import encode

Figure = dict[str, Any]

READY_BUDGETS = {"imports": 8, "weights": 4, "warm_up": 3}
"""Seconds that each phase of a start may take until the worker draws, uncompiled."""
COMPILED_BUDGETS = {"cold": 60, "warm": 20}
"""Seconds until it draws compiled, without and with what a worker compiled before."""

PLAN = ["start", "race", "fp8", "warm", "profile", "batches", "cache", "whole"]
"""What is asked of a GPU, the most important first: methods of Bench. What time leaves out can be
had by --only."""

SIDE = 1024 if gpu else 256
BATCHED_SIDES = (512, 1024) if gpu else (256, 320)


class TimeIsUp(BaseException):
    """Not an Exception, so that no part takes it for a failure of its own."""


def main() -> int:
    options = _options()
    if options.minutes:
        signal.signal(signal.SIGALRM, _time_is_up)
        signal.setitimer(signal.ITIMER_REAL, 60 * options.minutes)
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="gpu-bench-") as name:
        try:
            for figure in _figures(Path(name), options, failed):
                _say(f"  {figure['figure']}: {figure['value']} {figure['unit']}")
                print(json.dumps(figure), flush=True)
        except TimeIsUp:
            _say("time is up")
    if failed:
        _say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def _time_is_up(_signal: int, _frame: object) -> NoReturn:
    raise TimeIsUp


def _options() -> argparse.Namespace:
    def numbers(text: str) -> list[int]:
        return [int(part) for part in text.split(",")]

    def parts(text: str) -> list[str]:
        named = text.split(",")
        if unknown := set(named) - {*PLAN, "trimmed"}:
            raise argparse.ArgumentTypeError(f"no such part: {', '.join(sorted(unknown))}")
        return named

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="--steps 2 --batch 1,2 --rounds 1")
    parser.add_argument("--steps", type=numbers, default=[30, 20])
    parser.add_argument("--batch", type=numbers, default=[2, 4], help="pictures at once")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--minutes", type=float, help="ends with what is known by then")
    parser.add_argument(
        "--only", type=parts, default=PLAN, help=f"of {','.join(PLAN)},trimmed; in the order given"
    )
    parser.add_argument(
        "--trimmed", action="store_true", help="start and fp8 in a copy that is trimmed, too"
    )
    parser.add_argument("--model", type=Path, help="one that a run before this one made")
    options = parser.parse_args()
    if options.quick:
        options.steps, options.batch, options.rounds = [2], [2], 1
    if options.trimmed and "trimmed" not in options.only:
        options.only = [*options.only, "trimmed"]
    return options


def _figures(directory: Path, options: argparse.Namespace, failed: list[str]) -> Iterator[Figure]:
    """Each as soon as it is known. What fails costs its own figures alone."""
    path = options.model or directory / "model"
    if not path.exists():
        _say("random weights")
        if gpu:
            full_sdxl.save(path, "cuda")
        else:
            tiny_sdxl.save(path)
    if not gpu:
        torch.compiler.set_stance(force_backend="eager")
    bench = Bench(path, directory, options)
    for part in options.only:
        try:
            yield from getattr(bench, part)()
        except Exception:
            traceback.print_exc()
            failed.append(part)
        finally:
            release()


class Bench:
    def __init__(self, path: Path, directory: Path, options: argparse.Namespace) -> None:
        self._path = path
        self._directory = directory
        self._options = options
        self._worker: Worker | None = None
        self._references: dict[int, Image.Image] = {}
        self._compiled = False
        """Whether a start left what it compiled."""
        self._first = _parameters(SIDE, options.steps[0])
        self._last = _parameters(SIDE, options.steps[-1])

    def start(self) -> Iterator[Figure]:
        yield from self._start("cold")

    def race(self) -> Iterator[Figure]:
        half = torch.float16 if gpu else torch.float32
        peers: dict[str, Callable[[], Contender]] = {
            "diffusers": lambda: Diffusers(self._path, half),
            "diffusers + compile": lambda: Diffusers(self._path, half, compiled=True),
        }
        contenders: dict[str, Contender] = {}
        for name, build in peers.items():
            contenders[name] = yield from _enter(name, build)
        contenders["worker"] = yield from self._entered()
        case = f"{self._first.steps} steps"
        each = yield from self._raced(contenders, self._first)
        for other, factor in {"diffusers": 2.0, "diffusers + compile": 1.1}.items():
            target = f">= {factor}" if self._first.steps == 30 else None
            ratio = each[other] / each["worker"]
            yield _figure(f"worker against {other}, {case}", ratio, "x", target)
        yield from self._quality(contenders, self._first)
        worker = contenders["worker"]
        negative = partial(worker.draw, _parameters(SIDE, self._first.steps, "fog"), 1)
        negative()  # drawn by graphs of its own
        case += ", with a negative prompt"
        seconds = _race(case, {"worker": negative}, self._options.rounds)["worker"]
        yield _figure(f"worker, {case}: time", seconds, "s/image")
        yield from _around(worker, self._first)

    def fp8(self) -> Iterator[Figure]:
        yield from self._against_the_worker("worker, fp8", self._last, fp8=True)

    def warm(self) -> Iterator[Figure]:
        if not self._compiled:
            yield from self._start("cold")
        yield from self._start("warm")

    def cache(self) -> Iterator[Figure]:
        yield from self._against_the_worker("worker, step cache", self._first, step_cache=True)
        name = "worker, fp8, step cache"
        yield from self._against_the_worker(name, self._last, fp8=True, step_cache=True)

    def whole(self) -> Iterator[Figure]:
        yield from self._against_the_worker("worker, whole", self._first, "whole")

    def profile(self) -> Iterator[Figure]:
        """Where the time goes, kernel by kernel: a table to read."""
        worker = yield from self._entered()
        worker.draw(self._first, 1)
        with torch.profiler.profile() as profiler:
            worker.draw(self._first, 1)
            synchronize()
        kernels = profiler.key_averages()
        order = "self_device_time_total" if gpu else "self_cpu_time_total"
        _say(kernels.table(sort_by=order, row_limit=40, max_name_column_width=100))
        device = torch.autograd.DeviceType.CUDA if gpu else torch.autograd.DeviceType.CPU
        busy = sum(getattr(it, order) for it in kernels if it.device_type == device)
        yield _figure(f"worker, {self._first.steps} steps: in kernels", busy / 1e6, "s")

    def batches(self) -> Iterator[Figure]:
        """Whether several pictures at once take less time each: for worker/batch_size.py."""
        worker = yield from self._entered()
        for side in BATCHED_SIDES:
            parameters = _parameters(side, self._first.steps)
            case = f"worker, {side} x {side}, {parameters.steps} steps"
            _warm_up(worker, side, 1)
            for batch in self._options.batch:
                _say(f"warm-up: {case}, batch {batch}")
                before = reserved_bytes()
                _warm_up(worker, side, batch)
                more = (reserved_bytes() - before) / 1e9
                yield _figure(f"{case}, batch {batch}: VRAM more", more, "GB")
                draws = {
                    many: partial(worker.draw, parameters, many)
                    for many in dict.fromkeys((1, batch))
                }
                each = {
                    many: seconds / many
                    for many, seconds in _race(case, draws, self._options.rounds).items()
                }
                yield _figure(f"{case}, batch {batch}: time", each[batch], "s/image")
                yield _figure(f"{case}, batch {batch} against 1", each[1] / each[batch], "x")

    def trimmed(self) -> Iterator[Figure]:
        """What proves the stand-ins for CUDA's libraries: a start, and pictures in both modes."""
        environment = self._directory / "trimmed"
        _say("a trimmed copy of the packages")
        python = trimmed.copy(environment)
        size = sum(file.lstat().st_size for file in environment.rglob("*") if file.is_file())
        yield _figure("trimmed: packages", size / 1e9, "GB")
        steps = ",".join(map(str, self._options.steps))
        command = [python, __file__, "--only", "start,fp8", "--model", self._path]
        command += ["--steps", steps, "--rounds", str(self._options.rounds)]
        with _running(command, trimmed.environment(environment)) as process:
            for line in process.stdout:
                figure: Figure = json.loads(line)
                yield figure | {"figure": f"trimmed: {figure['figure']}"}
            if process.wait():
                raise RuntimeError(f"in the trimmed copy: status {process.returncode}")

    def _start(self, cache: str) -> Iterator[Figure]:
        """From the process's first moment to a worker that is ready, and to one that is compiled.

        @param cache: "cold", or "warm" where the directory has what a start before compiled
        """
        _say(f"start, {cache} cache")
        program = Path(__file__).parent / "start.py"
        command = [sys.executable, program, self._path, str(SIDE), self._directory]
        environment = dict(os.environ)
        if cache == "warm":  # what another node has, which compiled nothing itself
            for name in ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR"):
                environment[name] = str(self._directory / name)
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout
        phases: dict[str, float] = json.loads(output)
        self._compiled = True
        rows = {phase: (phases[phase], budget) for phase, budget in READY_BUDGETS.items()}
        rows["ready"] = sum(phases[phase] for phase in READY_BUDGETS), 20
        # Not on a CPU, where nothing is compiled, nor where the compiler failed.
        if "swap_in" in phases:
            seconds = phases.get("compile", 0) + phases["swap_in"]
            rows["from ready to compiled"] = seconds, COMPILED_BUDGETS[cache]
        for phase, (seconds, budget) in rows.items():
            yield _figure(f"start, {cache} cache: {phase}", seconds, "s", f"<= {budget}")

    def _entered(self) -> Any:
        """The worker as it is by default: built once, for all parts."""
        if self._worker is None:
            self._worker = yield from _enter("worker", lambda: Worker(self._path))
        return self._worker

    def _against_the_worker(
        self, name: str, parameters: Parameters, *compiled: Any, **modes: bool
    ) -> Iterator[Figure]:
        contenders: dict[str, Contender] = {"worker": (yield from self._entered())}
        contenders[name] = yield from _enter(name, lambda: Worker(self._path, *compiled, **modes))
        yield from self._raced(contenders, parameters)
        yield from self._quality(contenders, parameters)

    def _raced(self, contenders: dict[str, Contender], parameters: Parameters) -> Any:
        """@returns the seconds of each"""
        case = f"{parameters.steps} steps"
        draws = {name: partial(it.draw, parameters, 1) for name, it in contenders.items()}
        each = _race(case, draws, self._options.rounds)
        for name, one in each.items():
            target = ">= 2.4" if (name, parameters.steps) == ("worker, fp8", 20) else None
            yield _figure(f"{name}, {case}: time", one, "s/image")
            yield _figure(f"{name}, {case}", 1 / one, "images/s", target)
        return each

    def _quality(
        self, contenders: dict[str, Contender], parameters: Parameters
    ) -> Iterator[Figure]:
        if parameters.steps not in self._references:
            reference = Diffusers(self._path, torch.float32)
            self._references[parameters.steps] = reference.draw(parameters, 1)[0]
            del reference
            release()
        for name, contender in contenders.items():
            picture = contender.draw(parameters, 1)[0]
            decibels = psnr(picture, self._references[parameters.steps])
            target = ">= 35" if name == "worker" else None
            yield _figure(f"{name}, {parameters.steps} steps: PSNR", decibels, "dB", target)


def _enter(name: str, build: Callable[[], Contender]) -> Any:
    """@returns what was built"""
    _say(f"warm-up: {name}")
    release()
    before = reserved_bytes()
    started = time.perf_counter()
    contender = build()
    _warm_up(contender, SIDE, 1)
    yield _figure(f"{name}: build and warm-up", time.perf_counter() - started, "s")
    yield _figure(f"{name}: VRAM at its peak", (reserved_bytes() - before) / 1e9, "GB")
    return contender


def _warm_up(contender: Contender, side: int, batch: int) -> None:
    for _ in range(3):  # compile, record, replay
        contender.draw(_parameters(side, 2), batch)


def _race(case: str, draws: dict[Any, Callable[[], object]], rounds: int) -> dict[Any, float]:
    """In turns. @returns the median seconds of each, of as many rounds as there was time for"""
    seconds: dict[Any, list[float]] = {name: [] for name in draws}
    try:
        for round_ in range(rounds):
            _say(f"{case}: round {round_ + 1} of {rounds}")
            for name, draw in draws.items():
                seconds[name].append(timed(draw))
    except TimeIsUp:
        if not all(seconds.values()):
            raise
        signal.setitimer(signal.ITIMER_REAL, 1)  # again, once what is known is printed
    return {name: median(times) for name, times in seconds.items()}


@contextmanager
def _running(command: list[Any], environment: dict[str, str]) -> Iterator[Any]:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _around(worker: Any, parameters: Parameters) -> Iterator[Figure]:
    """What the GPU waits for: not the UNet's steps, not the decoder. The file is another thread's,
    while the next picture is drawn."""
    with worker.inside() as inside:
        picture: list[Any] = []
        drawing = timed(lambda: picture.extend(worker.draw(parameters, 1)))
    share = 100 * (drawing - sum(inside)) / drawing
    yield _figure("worker: around the pipeline", share, "%", "<= 1")
    encoding = timed(lambda: encode(picture[0], parameters, 0))
    yield _figure("worker: a picture's file", encoding, "s")


def _parameters(side: int, steps: int, negative: str = "") -> Parameters:
    prompt = "a lighthouse at dawn, oil painting"
    return Parameters(
        prompt=prompt, negative_prompt=negative, width=side, height=side, steps=steps, seed=1
    )


def _figure(name: str, value: float, unit: str, target: str | None = None) -> Figure:
    figure: Figure = {"figure": name, "value": round(value, 3), "unit": unit}
    return figure | {"target": target} if target else figure


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
