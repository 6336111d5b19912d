"""Who is told of which bills, and who owes them (缴费人)."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from domains.billing import payer_sql as sql
from domains.kernel import clock, database


@dataclass(frozen=True, slots=True)
class Readers:
    """Accounts that may open the same ones of some bills, in the bills' order."""

    bill_ids: tuple[UUID, ...]
    accounts: tuple[UUID, ...]

    @property
    def key(self) -> str:
        """The same for the same bills, short enough for a notice's key."""
        return hashlib.sha256(b"".join(each.bytes for each in self.bill_ids)).hexdigest()[:32]


def together(accounts: Mapping[UUID, Collection[UUID]]) -> list[Readers]:
    """Accounts by bill turned about: whoever may open some of the bills is told of those, all at once."""
    bills = defaultdict[UUID, list[UUID]](list)
    for bill_id, readers in accounts.items():
        for account_id in readers:
            bills[account_id].append(bill_id)
    same = defaultdict[tuple[UUID, ...], list[UUID]](list)
    for account_id, theirs in sorted(bills.items()):
        same[tuple(theirs)].append(account_id)
    return [Readers(bill_ids, tuple(found)) for bill_ids, found in same.items()]


async def accounts_of(bill_ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """The accounts that may open each bill as one who pays it, in the bills' order."""
    rows = {row["id"]: row["accounts"] for row in await database.fetch(sql.ACCOUNTS, bill_ids, clock.today())}
    return {id: rows[id] for id in bill_ids if id in rows}


async def debtors(bill_ids: Sequence[UUID]) -> Mapping[UUID, list[asyncpg.Record]]:
    """The people who owe each bill, whether they sign in or not; a bill that nobody is known to owe has none."""
    found = defaultdict[UUID, list[asyncpg.Record]](list)
    for row in await database.fetch(sql.DEBTORS, bill_ids, clock.today()):
        found[row["bill_id"]].append(row)
    return found
