"""Six digits for a keypad (数字通行码): they stand for a pass on one day, and cannot be tried out."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from domains.access import sealed
from domains.kernel import clock, database, sealing
from domains.kernel.errors import Conflict
from domains.kernel.ids import uuid7

MOST_A_DAY = 100_000
"""A tenth of all there are: with more in use a guess would be right too often."""
ATTEMPTS = 50
GATE_GUESSES, GATE_WINDOW = 10, timedelta(minutes=5)
COMMUNITY_GUESSES, COMMUNITY_WINDOW = 60, timedelta(hours=1)

TODAYS = """
SELECT k.digits_sealed, CASE WHEN k.id IS NULL THEN (
    SELECT count(*) FROM keypad_code u WHERE u.compound_id = p.compound_id AND u.on_day = $2) END AS in_use
FROM visitor_pass p LEFT JOIN keypad_code k ON k.visitor_pass_id = p.id AND k.on_day = $2
WHERE p.id = $1 AND p.state IN ('active', 'used_up') AND p.starts_at < $4 AND p.ends_at > $3
"""

ADD = """
INSERT INTO keypad_code (id, compound_id, visitor_pass_id, on_day, digits_index, digits_sealed)
SELECT $1, compound_id, id, $3, $4, $5 FROM visitor_pass WHERE id = $2 ON CONFLICT DO NOTHING
"""

MEANT = "SELECT visitor_pass_id FROM keypad_code WHERE compound_id = $1 AND on_day = $2 AND digits_index = $3"

# All guesses of a compound take turns, so that many at once cannot pass the limit before one is counted.
TURN = "SELECT pg_advisory_xact_lock(hashtextextended('linli.digits:' || ($1::uuid)::text, 0))"

GUESSES = """
SELECT door_id, received_at FROM access_record
WHERE compound_id = $1 AND reason = 'CODE_WRONG' AND received_at > $2 ORDER BY received_at
"""


async def digits_of(pass_id: UUID) -> str | None:
    """The digits of a pass for today, made when they are first asked for; None on a day on which it does
    not count. Raises DIGITS_EXHAUSTED."""
    day = clock.today()
    for _ in range(ATTEMPTS):
        row = await database.fetchrow(TODAYS, pass_id, day, *clock.business_day_bounds(day))
        if row is None:
            return None
        if row["digits_sealed"] is not None:
            return sealing.unseal(row["digits_sealed"], sealed.DIGITS)
        if row["in_use"] >= MOST_A_DAY:
            break
        # Taken digits, or somebody else who asks for the same pass: the next round sees which.
        made = f"{secrets.randbelow(10**6):06d}"
        index, blob = sealing.find(made, sealed.DIGITS), sealing.seal(made, sealed.DIGITS)
        await database.execute(ADD, uuid7(), pass_id, day, index, blob)
    raise Conflict("DIGITS_EXHAUSTED", "今天的数字通行码已发完,请使用二维码")


async def pass_of(compound_id: UUID, digits: str) -> UUID | None:
    """The pass that six digits stand for today."""
    index = sealing.find(digits, sealed.DIGITS)
    found: UUID | None = await database.fetchval(MEANT, compound_id, clock.today(), index)
    return found


async def may_try(compound_id: UUID, door_id: UUID, now: datetime) -> bool:
    """Whether this gate may try digits now; holds the compound's turn to the end of the transaction."""
    await database.execute(TURN, compound_id)
    rows = await database.fetch(GUESSES, compound_id, now - COMMUNITY_WINDOW)
    own = [row["received_at"] for row in rows if row["door_id"] == door_id]
    return len(rows) < COMMUNITY_GUESSES and not is_locked(own, now)


def is_locked(wrong: Sequence[datetime], now: datetime) -> bool:
    """Whether ten wrong ones came within five minutes, the last of them less than five minutes ago."""
    return any(
        tenth - first <= GATE_WINDOW and now - tenth < GATE_WINDOW
        for first, tenth in zip(wrong, wrong[GATE_GUESSES - 1 :], strict=False)
    )
