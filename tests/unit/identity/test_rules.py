"""Decisions about sessions, accounts and authority."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.identity import rules
from domains.kernel.errors import Conflict, Invalid

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("used_s_ago", "successor_is_unused", "verdict"),
    [
        (None, False, "rotate"),
        (0, True, "retry"),
        (119, True, "retry"),
        (120, True, "reuse"),
        (1, False, "reuse"),
        (86_400, False, "reuse"),
    ],
)
def test_what_a_refresh_token_means(used_s_ago: int | None, successor_is_unused: bool, verdict: str) -> None:
    used_at = None if used_s_ago is None else NOW - timedelta(seconds=used_s_ago)
    assert rules.refresh_verdict(NOW, used_at=used_at, successor_is_unused=successor_is_unused) == verdict


@pytest.mark.parametrize(
    ("platform_empty", "phone_empty", "kept"),
    [(True, True, "phone"), (True, False, "phone"), (False, True, "platform")],
)
def test_the_empty_account_gives_way(platform_empty: bool, phone_empty: bool, kept: str) -> None:
    ids = {"platform": uuid4(), "phone": uuid4()}
    claims = rules.Claimant(ids["platform"], platform_empty), rules.Claimant(ids["phone"], phone_empty)
    keeps, closes = rules.joined(*claims)
    assert keeps == ids[kept]
    assert {keeps, closes} == set(ids.values())


def test_two_accounts_in_use_are_not_joined() -> None:
    with pytest.raises(Conflict) as refusal:
        rules.joined(rules.Claimant(uuid4(), False), rules.Claimant(uuid4(), False))
    assert refusal.value.code == "ACCOUNTS_NOT_JOINED"


@pytest.mark.parametrize(
    ("ended", "age_h", "idle_s", "is_live"),
    [
        (False, 0, 0, True),
        (True, 0, 0, False),
        (False, 12, 0, False),
        (False, 0, 1799, True),
        (False, 0, 1800, False),
    ],
)
def test_when_a_session_counts(ended: bool, age_h: int, idle_s: int, is_live: bool) -> None:
    started = NOW - timedelta(hours=age_h)
    assert is_live == rules.session_is_live(
        NOW,
        expires_at=started + rules.STAFF_SESSION,
        ended_at=NOW if ended else None,
        last_seen_at=NOW - timedelta(seconds=idle_s),
        idle_timeout_s=1800,
    )


def test_both_days_of_a_validity_count() -> None:
    first, last = date(2026, 5, 1), date(2026, 5, 3)
    valid = [
        rules.account_is_valid(first + timedelta(days=n), valid_from=first, valid_until=last)
        for n in range(-1, 4)
    ]
    assert valid == [False, True, True, True, False]
    assert rules.account_is_valid(date(2099, 1, 1), valid_from=first, valid_until=None)


def test_numbers_of_an_account_are_bounded() -> None:
    rules.check_limits(300, 3)
    rules.check_limits(43_200, 20)
    for idle, failures in ((299, 5), (43_201, 5), (600, 2), (600, 21)):
        with pytest.raises(Invalid):
            rules.check_limits(idle, failures)
    with pytest.raises(Invalid):
        rules.check_validity(date(2026, 5, 2), date(2026, 5, 1))


COMPANY, REGION, COMPOUND, BUILDING = (UUID(int=n) for n in range(1, 5))
CHAIN: tuple[rules.ScopeKey, ...] = (
    ("company", COMPANY), ("region", REGION), ("compound", COMPOUND), ("building", BUILDING),
)  # fmt: skip


@given(st.integers(0, 3), st.integers(0, 3))
def test_a_holding_covers_its_place_and_all_within(held_at: int, wanted_at: int) -> None:
    ancestry = frozenset(CHAIN[: wanted_at + 1])
    held = [("staff.write", CHAIN[held_at])]
    assert rules.is_covered(held, "staff.write", ancestry) == (held_at <= wanted_at)
    assert not rules.is_covered(held, "roles.write", ancestry)
    assert not rules.is_covered(held, "staff.write", frozenset({("compound", uuid4())}))
