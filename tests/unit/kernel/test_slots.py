"""Slots: filled once, seen by every task that is started afterwards."""

from __future__ import annotations

import asyncio
import contextvars

import pytest

from domains.kernel.slots import Slot


def test_an_empty_slot_names_itself() -> None:
    with pytest.raises(RuntimeError, match="'keyring'"):
        Slot[int]("keyring")()


async def test_tasks_inherit_what_was_filled_and_do_not_change_it_for_others() -> None:
    slot = Slot[str]("name")
    slot.fill("outer")

    async def refill() -> str:
        seen = slot()
        slot.fill("inner")
        return f"{seen} {slot()}"

    assert tuple(await asyncio.gather(refill(), refill())) == ("outer inner", "outer inner")
    assert slot() == "outer"


def test_two_programs_in_one_process_do_not_see_each_other() -> None:
    slot = Slot[int]("number")
    contextvars.copy_context().run(slot.fill, 1)
    with pytest.raises(RuntimeError):
        slot()


def test_none_is_a_thing() -> None:
    slot = Slot[int | None]("maybe")
    slot.fill(None)
    assert slot() is None
