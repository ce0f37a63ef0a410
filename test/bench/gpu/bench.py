"""Our worker against diffusers, interleaved in one run: python bench.py [--quick] [options]

Progress goes to stderr; stdout gets each figure as a line of JSON once it is known. On a CPU the
same code runs with the tiny model, and what is compiled is only traced: it proves the code, its
figures mean nothing.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NoReturn

import torch

from contenders import Contender, Diffusers, Worker, gpu, psnr, release, reserved_bytes, timed
from tasks.parameters import Parameters
from worker import full_sdxl, tiny_sdxl
from worker.encode import encode

Figure = dict[str, Any]

READY_BUDGETS = {"imports": 8, "weights": 4, "warm_up": 3}
"""Seconds that each phase of a start may take until the worker draws, uncompiled."""
COMPILED_BUDGETS = {"cold": 60, "warm": 20}
"""Seconds until it draws compiled, without and with what a worker compiled before."""


def main() -> None:
    options = _options()
    if options.minutes:
        signal.signal(signal.SIGALRM, _time_is_up)
        signal.setitimer(signal.ITIMER_REAL, 60 * options.minutes)
    side = 1024 if gpu else 256
    with tempfile.TemporaryDirectory(prefix="gpu-bench-") as name:
        path = Path(name) / "model"
        _say("random weights")
        if gpu:
            full_sdxl.save(path, "cuda")
        else:
            tiny_sdxl.save(path)
        for figure in _figures(path, side, Path(name), options):
            _say(f"  {figure['figure']}: {figure['value']} {figure['unit']}")
            print(json.dumps(figure), flush=True)


def _time_is_up(_signal: int, _frame: object) -> NoReturn:
    _say("time is up")
    raise SystemExit


def _options() -> argparse.Namespace:
    def numbers(text: str) -> list[int]:
        return [int(part) for part in text.split(",")]

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="--steps 2 --batch 1,2 --rounds 1")
    parser.add_argument("--steps", type=numbers, default=[30, 20])
    parser.add_argument("--batch", type=numbers, default=[1, 2, 4])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--minutes", type=float, help="ends with what is known by then")
    options = parser.parse_args()
    if options.quick:
        options.steps, options.batch, options.rounds = [2], [1, 2], 1
    return options


def _figures(
    path: Path, side: int, directory: Path, options: argparse.Namespace
) -> Iterator[Figure]:
    """Each as soon as it is known, the most important first."""
    yield from _start(path, side, directory, "cold")
    if not gpu:
        torch.compiler.set_stance(force_backend="eager")
    half = torch.float16 if gpu else torch.float32
    contenders: dict[str, Contender] = {}

    def enter(**builders: Callable[[], Contender]) -> Iterator[Figure]:
        for name, build in builders.items():
            yield from _enter(contenders, name, build, side)

    yield from enter(
        **{
            "diffusers": lambda: Diffusers(path, half),
            "diffusers + compile": lambda: Diffusers(path, half, compiled=True),
            "worker": lambda: Worker(path),
        }
    )
    first = _parameters(side, options.steps[0])
    yield from _race(contenders, first, 1, options.rounds)
    yield from _quality(contenders, path, first)
    yield _around(contenders["worker"], first)
    yield from enter(
        **{
            "worker, whole": lambda: Worker(path, "whole"),
            "worker, fp8": lambda: Worker(path, fp8=True),
        }
    )
    last = _parameters(side, options.steps[-1])
    yield from _race(contenders, last, 1, options.rounds)
    yield from _start(path, side, directory, "warm")
    yield from enter(**{"worker, fp8, step cache": lambda: Worker(path, fp8=True, step_cache=True)})
    yield from _quality(contenders, path, last)
    for batch in options.batch:
        for name, contender in contenders.items():
            _say(f"warm-up, batch {batch}: {name}")
            _warm_up(contender, side, batch)
        for steps in options.steps:
            yield from _race(contenders, _parameters(side, steps), batch, options.rounds)


def _start(path: Path, side: int, directory: Path, cache: str) -> Iterator[Figure]:
    """From the process's first moment to a worker that is ready, and to one that is compiled.

    @param cache: "cold", or "warm" where the directory has what a start before compiled
    """
    _say(f"start, {cache} cache")
    program = Path(__file__).parent / "start.py"
    command = [sys.executable, str(program), str(path), str(side), str(directory)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    phases: dict[str, float] = json.loads(output)
    rows = {phase: (phases[phase], budget) for phase, budget in READY_BUDGETS.items()}
    rows["ready"] = sum(phases[phase] for phase in READY_BUDGETS), 20
    # Not on a CPU, where nothing is compiled, nor where the compiler failed.
    if "swap_in" in phases:
        seconds = phases.get("compile", 0) + phases["swap_in"]
        rows["from ready to compiled"] = seconds, COMPILED_BUDGETS[cache]
    for phase, (seconds, budget) in rows.items():
        yield _figure(f"start, {cache} cache: {phase}", seconds, "s", f"<= {budget}")


def _enter(
    contenders: dict[str, Contender], name: str, build: Callable[[], Contender], side: int
) -> Iterator[Figure]:
    _say(f"warm-up: {name}")
    release()
    before = reserved_bytes()
    started = time.perf_counter()
    contenders[name] = build()
    _warm_up(contenders[name], side, 1)
    yield _figure(f"{name}: build and warm-up", time.perf_counter() - started, "s")
    yield _figure(f"{name}: VRAM at its peak", (reserved_bytes() - before) / 1e9, "GB")


def _quality(
    contenders: dict[str, Contender], path: Path, parameters: Parameters
) -> Iterator[Figure]:
    reference = Diffusers(path, torch.float32)
    picture = reference.draw(parameters, 1)[0]
    del reference
    release()
    for name, contender in contenders.items():
        decibels = psnr(contender.draw(parameters, 1)[0], picture)
        target = ">= 35" if name == "worker" else None
        yield _figure(f"{name}, {parameters.steps} steps: PSNR", decibels, "dB", target)


def _warm_up(contender: Contender, side: int, batch: int) -> None:
    for _ in range(3):  # compile, record, replay
        contender.draw(_parameters(side, 2), batch)


def _race(
    contenders: dict[str, Contender], parameters: Parameters, batch: int, rounds: int
) -> list[Figure]:
    case = f"{parameters.steps} steps, batch {batch}"
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for round_ in range(rounds):
        _say(f"{case}: round {round_ + 1} of {rounds}")
        for name, contender in contenders.items():
            seconds[name].append(timed(partial(contender.draw, parameters, batch)))
    each = {name: median(times) / batch for name, times in seconds.items()}
    figures: list[Figure] = []
    for name, one in each.items():
        target = ">= 2.4" if (name, parameters.steps) == ("worker, fp8", 20) else None
        figures.append(_figure(f"{name}, {case}: time", one, "s/image"))
        figures.append(_figure(f"{name}, {case}", 1 / one, "images/s", target))
    for other, factor in {"diffusers": 2.0, "diffusers + compile": 1.1}.items():
        target = f">= {factor}" if (parameters.steps, batch) == (30, 1) else None
        ratio = each[other] / each["worker"]
        figures.append(_figure(f"worker against {other}, {case}", ratio, "x", target))
    return figures


def _around(worker: Any, parameters: Parameters) -> Figure:
    """What a request spends in our code: not in the UNet's steps, not in the decoder."""
    with worker.inside() as inside:
        picture: list[Any] = []
        drawing = timed(lambda: picture.extend(worker.draw(parameters, 1)))
    encoding = timed(lambda: encode(picture[0], parameters, 0))
    total = drawing + encoding
    share = 100 * (total - sum(inside)) / total
    return _figure("worker: around the pipeline", share, "%", "<= 2")


def _parameters(side: int, steps: int) -> Parameters:
    prompt = "a lighthouse at dawn, oil painting"
    return Parameters(prompt=prompt, width=side, height=side, steps=steps, seed=1)


def _figure(name: str, value: float, unit: str, target: str | None = None) -> Figure:
    figure: Figure = {"figure": name, "value": round(value, 3), "unit": unit}
    return figure | {"target": target} if target else figure


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
