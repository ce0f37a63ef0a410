"""Calls that go together stay apart in what they get."""

import asyncio

import pytest

from core.coalescer import Coalescer


class Doubler:
    """Doubles numbers, a batch at a time; 13 is bad luck for all in its batch."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.double = Coalescer(self._double_all)

    async def _double_all(self, numbers: list[int]) -> list[int]:
        self.batches.append(numbers)
        await asyncio.sleep(0.01)
        if 13 in numbers:
            raise ValueError("13")
        return [2 * number for number in numbers]


async def test_calls_that_come_while_one_is_under_way_go_together() -> None:
    doubler = Doubler()
    alone = asyncio.ensure_future(doubler.double(0))
    await asyncio.sleep(0.001)
    assert doubler.batches == [[0]]
    assert await asyncio.gather(*map(doubler.double, [1, 2, 3])) == [2, 4, 6]
    assert await alone == 0
    assert doubler.batches == [[0], [1, 2, 3]]


async def test_a_batch_has_a_largest_size() -> None:
    doubler = Doubler()
    assert await asyncio.gather(*map(doubler.double, range(100, 350))) == list(range(200, 700, 2))
    assert max(map(len, doubler.batches)) <= 100


async def test_an_error_ends_its_batch_and_no_later_one() -> None:
    doubler = Doubler()
    with pytest.raises(ValueError, match="13"):
        await doubler.double(13)
    assert await doubler.double(1) == 2


async def test_a_caller_that_gives_up_takes_nothing_from_the_others() -> None:
    doubler = Doubler()
    calls = [asyncio.ensure_future(doubler.double(number)) for number in range(3)]
    await asyncio.sleep(0)
    calls[1].cancel()
    assert await calls[0] == 0
    assert await calls[2] == 4
