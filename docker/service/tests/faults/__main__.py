"""Runs the fault tests and prints what came of them."""

import argparse
import asyncio
import statistics
import sys
import time

import tests.faults
from tests.faults import failures, outages, processes
from tests.faults.drain import take_workers_away
from tests.faults.rollout import roll_out_under_streams
from tests.faults.scaling import scale_at_random
from tests.faults.scenario import Outcome, Scenario

SCENARIOS: dict[str, tuple[str, Scenario]] = {
    "1": ("kill -9 worker in mid-run", processes.kill_worker_in_mid_run),
    "2": ("kill -9 API between commit and XADD", processes.kill_api_before_put),
    "3": ("kill -9 worker before finalise", processes.kill_worker_at("before-finalise")),
    "4": ("kill -9 worker after finalise", processes.kill_worker_at("after-finalise")),
    "4b": ("kill -9 worker between claim and XACK", processes.kill_worker_at("before-acknowledge")),
    "5": ("kill -9 Redis, then FLUSHALL", outages.kill_redis),
    "6": ("SIGSTOP worker past its lease", processes.freeze_worker_past_its_lease),
    "7": ("kill -9 PostgreSQL", outages.kill_postgres),
    "checkpoint": ("kill -9 PostgreSQL in a checkpoint", outages.kill_postgres_in_a_checkpoint),
    "7b": ("PostgreSQL away longer than a lease", outages.keep_postgres_away),
    "node": ("a node vanishes, with PostgreSQL on it", outages.lose_node),
    "8": ("partition, 5 s latency: Redis, PostgreSQL", outages.cut_off_stores),
    "9": ("Redis at maxmemory", outages.fill_redis),
    "10": ("poison tasks", failures.poison_workers),
    "sick": ("a worker that fails every task", failures.sicken_worker),
    "canary": ("a worker on trial that fails each", failures.sicken_worker_on_trial),
    "11": ("workers 4 to 1 to 4, then drained", take_workers_away),
    "scale": ("random scale-ins, busy workers spared", scale_at_random),
    "rollout": ("SIGTERM each API under streams", roll_out_under_streams),
}

# Faults whose trials take long or of which a hundred would show no more: their share of the
# trials, and the least that shows each side of them.
_SHARES = {
    "6": (0.2, 1),
    "7": (0.5, 1),
    "checkpoint": (0.1, 3),
    "7b": (0.05, 1),
    "node": (0.05, 1),
    "sick": (0.1, 2),
    "canary": (0.1, 2),
    "8": (0.08, 4),
    "9": (0.1, 1),
    "10": (0.05, 1),
    "11": (0.1, 2),
    "scale": (0.1, 5),
    "rollout": (0.03, 1),
}
_LINE = "{:>10}  {:<42} {:>6} {:>8} {:>5} {:>11} {:>8} {:>8} {:>8}  {}"


def _report(number: str, name: str, outcome: Outcome, seconds: float) -> None:
    verdict, times = outcome.verdict, outcome.recoveries
    p50 = f"{statistics.median(times):.1f} s" if times else "-"
    longest = f"{max(times):.1f} s" if times else "-"
    counts = [len(verdict.lost), len(verdict.duplicated), len(verdict.swapped)]
    result = "ok" if outcome.passed else "FAILED"
    columns = [number, name, outcome.trials, verdict.accepted, *counts, p50, longest]
    print(_LINE.format(*columns, f"{result} ({seconds:.0f} s)"), flush=True)
    for complaint in [
        *outcome.broken,
        *(f"lost {task}" for task in verdict.lost),
        *(f"duplicated {task}" for task in verdict.duplicated),
        *(f"swapped {task}" for task in verdict.swapped),
    ][:20]:
        print(f"     {complaint}", flush=True)


async def _main(trials: int, only: list[str]) -> bool:
    header = ["", "fault", "trials", "accepted", "lost", "duplicated", "swapped", "p50", "max", ""]
    print(_LINE.format(*header), flush=True)
    passed = True
    for number, (name, scenario) in SCENARIOS.items():
        if only and number not in only:
            continue
        started = time.monotonic()
        share, least = _SHARES.get(number, (1, 1))
        outcome = await scenario(max(least, round(trials * share)))
        _report(number, name, outcome, time.monotonic() - started)
        passed = passed and outcome.passed
    return passed


parser = argparse.ArgumentParser(prog="python -m tests.faults", description=tests.faults.__doc__)
parser.add_argument("--trials", type=int, default=100, help="kills in each of the tests 1 to 5")
parser.add_argument("--only", nargs="*", default=[], choices=SCENARIOS, metavar="NUMBER")
arguments = parser.parse_args()
sys.exit(0 if asyncio.run(_main(arguments.trials, arguments.only)) else 1)
