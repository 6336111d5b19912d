"""What a compound allows at its doors, made on first use with what most compounds choose (通行规则)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from uuid import UUID

from domains.access import sealed, sql
from domains.kernel import database, sealing


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a compound, as its row has them."""

    compound_id: UUID
    number: int
    longest_window_h: int
    most_uses: int
    daily_passes_per_house: int
    visitor_cars: int | None
    approver: str
    daily_openings: int | None
    counts_offline: bool
    records_kept_days: int
    vehicle_records_kept_days: int
    screen_key_sealed: bytes
    revocation_sequence: int

    @property
    def screen_key(self) -> bytes:
        """What rotating codes are made from."""
        return bytes.fromhex(sealing.unseal(self.screen_key_sealed, sealed.SCREEN_KEY))


async def rules_of(compound_id: UUID) -> Rules:
    """The compound's rules; of two who ask first one makes them."""
    row = await database.fetchrow(sql.RULES, compound_id)
    if row is None:
        key = sealing.seal(secrets.token_hex(32), sealed.SCREEN_KEY)
        await database.execute(sql.ADD_RULES, compound_id, key)
        row = await database.fetchrow(sql.RULES, compound_id)
    assert row is not None
    return Rules(**row)
