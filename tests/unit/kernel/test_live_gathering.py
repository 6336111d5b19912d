"""Reads asked for side by side are one read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from domains.kernel.gathering import Gathered


class Doubled:
    """Doubles numbers, some time later, and remembers how it was asked."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []

    async def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.calls.append(list(numbers))
        await asyncio.sleep(0.01)
        if 13 in numbers:
            raise ValueError("unlucky")
        return [2 * each for each in numbers]


async def test_what_is_asked_together_is_read_together() -> None:
    read = Doubled()
    double = Gathered(read, most=3)
    assert await asyncio.gather(*(double(n) for n in (1, 2, 2, 4))) == [2, 4, 4, 8]
    assert read.calls == [[1, 2, 2], [4]]
    assert await double(5) == 10


async def test_what_comes_during_a_read_waits_for_the_next() -> None:
    read = Doubled()
    double = Gathered(read)
    first = asyncio.create_task(double(1))
    await asyncio.sleep(0.005)
    assert [*await asyncio.gather(double(2), double(3))] == [4, 6]
    assert await first == 2
    assert read.calls == [[1], [2, 3]]


async def test_a_failure_is_of_those_who_asked_with_it() -> None:
    read = Doubled()
    double = Gathered(read, most=2)
    answers = await asyncio.gather(*(double(n) for n in (1, 13, 3)), return_exceptions=True)
    assert [type(each) for each in answers] == [ValueError, ValueError, int]
    with pytest.raises(ValueError, match="unlucky"):
        await double(13)


async def test_who_does_not_wait_any_more_harms_nobody() -> None:
    double = Gathered(Doubled())
    for fate in (1, 13):
        gone, stays = asyncio.create_task(double(fate)), asyncio.create_task(double(4))
        await asyncio.sleep(0)
        gone.cancel()
        assert (await asyncio.gather(stays, return_exceptions=True))[0] == 8 or fate == 13
        assert gone.cancelled()
