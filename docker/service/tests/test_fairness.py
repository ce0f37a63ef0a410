"""Every key with waiting tasks gets its share, whoever comes meanwhile."""

from collections import Counter, deque
from collections.abc import Callable

import pytest

from tasks.store import Claim, TaskStore
from tasks.task import Task
from tests.test_store import claim, submit

WORKERS = 4
BATCH = 20
BATCH_KEY = 1


class Loop:
    """Workers that always draw, each the next task as soon as the longest one is done."""

    def __init__(self, store: TaskStore) -> None:
        self._store = store
        self._running: deque[Task] = deque()
        self.claims: list[int] = []
        """The key of each."""

    async def turn(self) -> Task | None:
        """@returns the task that is done by the claim"""
        task = await claim(self._store)
        self.claims.append(task.key_id)
        self._running.append(task)
        if len(self._running) < WORKERS:
            return None
        done = self._running.popleft()
        assert await self._store.succeed(Claim(done.id, done.attempt), [])
        return done


@pytest.fixture
def loop(store: TaskStore) -> Loop:
    return Loop(store)


async def test_a_batch_gets_its_share_among_keys_that_send_the_next_when_one_is_done(
    store: TaskStore, loop: Loop
) -> None:
    interactive = range(2, 7)
    for _ in range(BATCH):
        await submit(store, key_id=BATCH_KEY)
    for key_id in interactive:
        await submit(store, key_id=key_id)
    for _ in range(200):
        done = await loop.turn()
        if done and done.key_id != BATCH_KEY:
            await submit(store, key_id=done.key_id)
    shares = Counter(loop.claims[: 6 * BATCH])
    assert Counter(loop.claims)[BATCH_KEY] == BATCH
    # Six keys with a sixth each, but for what the first and the last round leave.
    assert all(shares[key_id] >= BATCH * 0.75 for key_id in (BATCH_KEY, *interactive)), shares


@pytest.mark.parametrize(
    "key_of",
    [lambda n: 2 + n, lambda n: 2 + n % 10],
    ids=["each for the first time", "now and then"],
)
async def test_newcomers_starve_nobody(
    store: TaskStore, loop: Loop, key_of: Callable[[int], int]
) -> None:
    for _ in range(BATCH):
        await submit(store, key_id=BATCH_KEY)
    for n in range(4 * BATCH + 2):
        if n < 2:  # so that one waits at any time
            await submit(store, key_id=key_of(n))
            continue
        await submit(store, key_id=key_of(n))
        await loop.turn()
    assert Counter(loop.claims)[BATCH_KEY] >= BATCH / 4, loop.claims


async def test_a_key_that_comes_back_waits_for_no_turns_that_it_left_out(
    store: TaskStore, loop: Loop
) -> None:
    for _ in range(BATCH):
        await submit(store, key_id=BATCH_KEY)
    for _ in range(BATCH // 2):
        await loop.turn()
    await submit(store, key_id=2)
    for _ in range(2):
        await loop.turn()
    assert 2 in loop.claims[-2:]
