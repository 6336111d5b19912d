"""A month's published accounts behind a link (公示页): for whoever was given it, without signing in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domains.billing import book_links
from domains.billing.book_links import AccountsLink
from domains.billing.queries.books import Published, may_read, published
from domains.identity.limits import limiter
from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.errors import NotFound, Throttled
from domains.kernel.rates import RateLimit, WhenDown, network_of

PER_ADDRESS = RateLimit("accounts-page-address", 60, 60, 60, WhenDown.OPEN)
"""It spares the machine: a link that is signed needs no protection from guessing. Neighbours share an address."""

COMPOUND_NAME = "SELECT name FROM compound WHERE id = $1"


@dataclass(frozen=True, slots=True)
class LinkedAccounts:
    """The accounts of the link's month, as their last revision has them."""

    compound_name: str
    expires_at: datetime
    accounts: Published


def link_for(actor: Actor, accounts: Published) -> AccountsLink | None:
    """A link to accounts that the caller has read; None for who came by a link, or links would never end."""
    return book_links.link_to(accounts) if may_read(actor, accounts.compound_id) else None


async def linked_accounts(actor: Actor, token: str) -> LinkedAccounts:
    """What a link opens. Raises ACCOUNTS_LINK_INVALID, ACCOUNTS_LINK_EXPIRED, Throttled ACCOUNTS_PAGE_TOO_OFTEN."""
    verdict = await limiter().take(PER_ADDRESS, network_of(actor.origin.ip))
    if not verdict.allowed:
        raise Throttled("ACCOUNTS_PAGE_TOO_OFTEN", "打开太频繁,请稍后再试", verdict.retry_after_s)
    linked = book_links.opened(token)
    found = await published(linked.compound_id, linked.month)
    if found is None:
        raise NotFound("ACCOUNTS_LINK_INVALID", "链接无效,请在小程序里重新打开账目公示", "token")
    name = await database.fetchval(COMPOUND_NAME, linked.compound_id)
    return LinkedAccounts(name, linked.expires_at, found)
