"""Starts API and worker processes quickly: a fork of one process that has all code loaded.

A crash point ends a process by SIGKILL at an exact place in the protocol.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
ROOT = HERE.parents[2]


class Nursery:
    """The runner's side."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, kind: str, env: dict[str, str], log: Path, crash: str = "") -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"kind": kind, "env": env, "log": str(log), "crash": crash}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def alive(pid: int) -> bool:
    if pid == 0:  # never started; to the kernel it would mean this process's own group
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    if not alive(pid):
        return
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
    while number == signal.SIGKILL and alive(pid):
        time.sleep(0.005)


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _arm(crash: str) -> None:
    """Makes this process die at a point, in the first attempt of every task it runs."""
    from tasks.redis_broker import RedisBroker
    from tasks.store import TaskStore

    def before(owner: type, name: str, due: Callable[..., bool]) -> None:
        original = getattr(owner, name)

        async def replacement(*args: Any, **kwargs: Any) -> Any:
            if due(*args, **kwargs):
                _die()
            return await original(*args, **kwargs)

        setattr(owner, name, replacement)

    match crash:
        case "":
            pass
        case "before-put":
            before(RedisBroker, "put", lambda *_: True)
        case "before-finalise":
            before(TaskStore, "succeed", lambda _, claim, __: claim.attempt == 1)
        case "after-finalise":
            succeed = TaskStore.succeed

            async def succeed_and_die(self: TaskStore, claim: Any, images: Any) -> bool:
                done = await succeed(self, claim, images)
                if done:
                    _die()
                return done

            TaskStore.succeed = succeed_and_die  # type: ignore[method-assign]
        case "before-acknowledge":
            claim_task = TaskStore.claim
            fresh = False

            async def claim_and_note(self: TaskStore, worker_id: str) -> Any:
                nonlocal fresh
                task = await claim_task(self, worker_id)
                fresh = task is not None and task.attempt == 1
                return task

            TaskStore.claim = claim_and_note  # type: ignore[method-assign]
            before(RedisBroker, "acknowledge", lambda *_: fresh)
        case "sick":
            from worker.noop import NoopModel

            def generate(*_: object) -> Any:
                raise RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR")

            NoopModel.generate = generate  # type: ignore[method-assign]
        case "no-limiter":
            from api.ratelimit import RateLimiter

            async def admit(*_: object) -> dict[str, str]:
                return {}

            RateLimiter.admit = admit  # type: ignore[method-assign]
        case _:
            raise ValueError(crash)


def _live(order: dict[str, Any]) -> None:
    """A child's whole life."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(order["env"])
    _arm(order["crash"])
    if order["kind"] == "api":
        import uvicorn

        uvicorn.run("api:app", port=int(os.environ["PORT"]), log_config=None)
    else:
        import runpy

        runpy.run_module("worker", run_name="__main__")


def _serve() -> None:
    import api.application  # noqa: F401 - loaded once, here
    import worker.noop
    import worker.worker  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children that died leave at once
    children: list[int] = []
    # Not a for loop over sys.stdin: its buffer would be copied into the children.
    while line := sys.stdin.readline():
        pid = os.fork()
        if pid == 0:
            try:
                _live(json.loads(line))
            finally:
                os._exit(1)
        children.append(pid)
        print(pid, flush=True)
    for pid in children:
        kill(pid)


if __name__ == "__main__":
    _serve()
