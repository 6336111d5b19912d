"""Decisions about sessions and staff accounts; no rows, no clock of their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from domains.kernel.errors import Conflict, Invalid

RESIDENT_SESSION = timedelta(days=90)
STAFF_SESSION = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)
LOCK_OUT = timedelta(minutes=15)
# A client knows that an answer was lost when its patience is over, fifteen seconds and more, and tries more than once.
RETRY_WITHIN = timedelta(minutes=2)
IDLE_TIMEOUT_S = (300, 43_200)
MAX_FAILURES = (3, 20)

ScopeKey = tuple[str, UUID]
"""("company" | "region" | "compound" | "building", id): a place that authority is given over."""

Holding = tuple[str, ScopeKey]
"""A permission over a place, as a role assignment gives it."""


def session_is_live(
    now: datetime,
    *,
    expires_at: datetime,
    ended_at: datetime | None,
    last_seen_at: datetime,
    idle_timeout_s: int | None,
) -> bool:
    """A session ends by sign-out or revocation, by its age, and for staff by idleness (空闲超时)."""
    if ended_at is not None or now >= expires_at:
        return False
    return idle_timeout_s is None or now < last_seen_at + timedelta(seconds=idle_timeout_s)


def account_is_valid(today: date, *, valid_from: date, valid_until: date | None) -> bool:
    """Both days included (有效期)."""
    return valid_from <= today and (valid_until is None or today <= valid_until)


RefreshVerdict = Literal["rotate", "retry", "reuse"]


def refresh_verdict(now: datetime, *, used_at: datetime | None, successor_is_unused: bool) -> RefreshVerdict:
    """What a refresh token that is presented means: its first use; the retry of a client that lost the
    answer, where nobody has used the successor; or a token in two hands."""
    if used_at is None:
        return "rotate"
    return "retry" if successor_is_unused and now < used_at + RETRY_WITHIN else "reuse"


@dataclass(frozen=True, slots=True)
class Claimant:
    """An account that a sign-in points to; `is_empty` when nothing but its sign-in belongs to it."""

    account_id: UUID
    is_empty: bool


def joined(by_platform: Claimant, by_phone: Claimant) -> tuple[UUID, UUID]:
    """Of two accounts of one human, which is kept and which is closed (账号合并).

    An empty one gives way, first the one that only a platform vouches for. Raises Conflict
    ACCOUNTS_NOT_JOINED when both have something.
    """
    if by_platform.is_empty:
        return by_phone.account_id, by_platform.account_id
    if by_phone.is_empty:
        return by_platform.account_id, by_phone.account_id
    raise Conflict(
        "ACCOUNTS_NOT_JOINED", "该手机号已有另一个账号,两个账号下都有房屋或登记,请联系物业处理", "phone"
    )


def is_covered(held: Iterable[Holding], permission: str, ancestry: frozenset[ScopeKey]) -> bool:
    """Whether a permission over a place is held; `ancestry` is the place and all that contain it."""
    return any(name == permission and key in ancestry for name, key in held)


def check_validity(valid_from: date, valid_until: date | None) -> None:
    """Invalid VALIDITY_REVERSED for a last day before the first."""
    if valid_until is not None and valid_until < valid_from:
        raise Invalid("VALIDITY_REVERSED", "有效期的结束日期不能早于开始日期", "valid_until")


def check_limits(idle_timeout_s: int, max_failures: int) -> None:
    """Invalid IDLE_TIMEOUT_RANGE (seconds) or MAX_FAILURES_RANGE."""
    if not IDLE_TIMEOUT_S[0] <= idle_timeout_s <= IDLE_TIMEOUT_S[1]:
        raise Invalid("IDLE_TIMEOUT_RANGE", "空闲超时须在 5 分钟到 12 小时之间", "idle_timeout_s")
    if not MAX_FAILURES[0] <= max_failures <= MAX_FAILURES[1]:
        raise Invalid("MAX_FAILURES_RANGE", "连续输错密码的次数上限须在 3 到 20 之间", "max_failures")
