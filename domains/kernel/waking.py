"""Waking whoever works off what a commit left (唤醒): relays, couriers, the leader of the schedule.

They look by themselves as well, so that a wake-up that is lost costs time and nothing else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from domains.kernel import database

Waker = Callable[[], Awaitable[object]]

_wakers: dict[str, Waker] = {}


def wake_with(wakers: Mapping[str, Waker]) -> None:
    """Set what wakes each of them, by name."""
    _wakers.update(wakers)


def after_commit(name: str) -> None:
    """Wake them once the open transaction is committed, once for all it left to them."""
    current, waker = database.open_transaction(), _wakers.get(name)
    if current is None:
        raise RuntimeError("who works off what a commit left is woken by that commit")
    if waker is not None and waker not in current.callbacks:
        current.after_commit(waker)
