"""Waking the workers that send (唤醒): after a commit that left something to send; without it they poll."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from domains.kernel import database

Waker = Callable[[], Awaitable[object]]

_wakers: dict[bool, Waker] = {}


def wake_with(waker: Waker, urgent: Waker) -> None:
    """Set what wakes the senders after a commit, and those of the urgent lane."""
    _wakers.update({False: waker, True: urgent})


async def after_commit(*, urgent: bool) -> None:
    """Wake those of a lane once the open transaction is committed, once for all it left."""
    current, waker = database.open_transaction(), _wakers.get(urgent)
    if waker is None:
        return
    if current is None:
        await waker()
    elif waker not in current.callbacks:
        current.after_commit(waker)
