"""Links to published accounts: one compound, one month, half an hour, and nothing that was not signed."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from domains.billing.book_links import LIFETIME, LinkedMonth, link_to, opened, signing_key
from domains.kernel import clock
from domains.kernel.clock import FixedClock
from domains.kernel.errors import NotFound

NOW = datetime(2026, 5, 3, 4, 5, 6, 789, UTC)
MARCH = date(2026, 3, 1)


@dataclass(frozen=True)
class Accounts:
    compound_id: UUID
    month: date = MARCH


@pytest.fixture(autouse=True)
def at_noon() -> Iterator[None]:
    signing_key.fill(b"k" * 32)
    with clock.use(FixedClock(NOW)):
        yield


def token_of(accounts: Accounts) -> str:
    return link_to(accounts).path.removeprefix("/books/")


def test_a_link_opens_what_it_was_made_for_until_its_end() -> None:
    accounts = Accounts(uuid4())
    link, ends_at = link_to(accounts), NOW.replace(microsecond=0) + LIFETIME
    assert link.expires_at == ends_at
    assert opened(token_of(accounts)) == LinkedMonth(accounts.compound_id, MARCH, ends_at)
    with clock.use(FixedClock(ends_at - timedelta(microseconds=1))):
        token = link.path.removeprefix("/books/")
        assert opened(token).month == MARCH
    with clock.use(FixedClock(ends_at)), pytest.raises(NotFound, match="ACCOUNTS_LINK_EXPIRED"):
        opened(token)


def test_no_bit_can_be_changed() -> None:
    token = token_of(Accounts(uuid4()))
    signed = base64.urlsafe_b64decode(token)
    for at in range(len(signed) * 8):
        changed = bytearray(signed)
        changed[at // 8] ^= 1 << at % 8
        with pytest.raises(NotFound, match="ACCOUNTS_LINK_INVALID"):
            opened(base64.urlsafe_b64encode(changed).decode())


def test_the_signature_of_one_month_fits_no_other() -> None:
    here, there = (base64.urlsafe_b64decode(token_of(Accounts(uuid4()))) for _ in range(2))
    swapped = base64.urlsafe_b64encode(here[:28] + there[28:]).decode()
    with pytest.raises(NotFound, match="ACCOUNTS_LINK_INVALID"):
        opened(swapped)


def test_another_installation_opens_nothing() -> None:
    token = token_of(Accounts(uuid4()))
    signing_key.fill(b"other" * 8)
    with pytest.raises(NotFound, match="ACCOUNTS_LINK_INVALID"):
        opened(token)


@pytest.mark.parametrize(
    "change", ["{}=", "{}A", " {}", "{}\n", "", "公示", "A" * 80, "A" * 5000, "\x00" * 80]
)
def test_a_token_has_one_spelling(change: str) -> None:
    token = token_of(Accounts(uuid4()))
    with pytest.raises(NotFound, match="ACCOUNTS_LINK_INVALID"):
        opened(change.format(token))
