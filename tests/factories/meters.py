"""Meters and their readings the short way."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from domains.billing.models import MeterReading
from domains.billing.service import meters, readings
from domains.billing.service.meters import NewMeter
from domains.billing.service.readings import Answer, Brought
from domains.kernel import clock, database
from domains.kernel.actor import SYSTEM, Actor

INSTALLED = date(2026, 1, 1)


def noon(day: date) -> datetime:
    """Noon in Shanghai."""
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC)


def days(count: int) -> datetime:
    """Noon so many days after `INSTALLED`."""
    return noon(INSTALLED + timedelta(days=count))


async def meter(compound_id: UUID, house_id: UUID | None = None, **more: Any) -> UUID:  # Any: fields
    """A water meter of five digits at 100, put in on `INSTALLED`; its id."""
    given: dict[str, Any] = {  # Any: fields
        "kind": "water", "number": uuid4().hex[:12], "digits": 5, "installed_on": INSTALLED,
        "first_value": Decimal(100), "house_id": house_id,
    } | more  # fmt: skip
    return await meters.register_meter(SYSTEM, compound_id=compound_id, meter=NewMeter(**given))


async def record(
    compound_id: UUID, meter_id: UUID, value: float | str, at: datetime | None = None, actor: Actor = SYSTEM
) -> Answer:
    """What becomes of a reading that staff bring."""
    [answer] = await readings.record_readings(
        actor, compound_id=compound_id, readings=[Brought(meter_id, Decimal(str(value)), at)],
        idempotency_key=uuid4(),
    )  # fmt: skip
    return answer


async def submitted(resident: Actor, meter_id: UUID, value: float | str) -> UUID:
    """A reading of the resident's own; its id."""
    return await readings.submit_meter_reading(
        resident, meter_id=meter_id, value=Decimal(str(value)), idempotency_key=uuid4()
    )


async def totals(meter_id: UUID) -> list[tuple[float, float]]:
    """Value and total of the accepted readings, in the order of their times."""
    rows = await MeterReading.filter(meter_id=meter_id, state="accepted").order_by("read_at")
    return [(float(row.value), float(row.total or 0)) for row in rows]


async def billed(meter_id: UUID, house_id: UUID, until: UUID) -> None:
    """A bill's line has taken the meter up to that reading."""
    await database.execute(BILLED, meter_id, house_id, until, clock.now())


BILLED = """
WITH place AS (SELECT * FROM house WHERE id = $2),
item AS (INSERT INTO fee_item (id, compound_id, name, category, method, cycle_months, timing, anchor, anchor_on,
        meter_kind, starts_on, recorded_at, updated_at, price_months, payer, vacancy_percent, bills_unsold,
        bears_late_fee, uses, building_ids)
    SELECT gen_random_uuid(), compound_id, gen_random_uuid()::text, 'water', 'metered', 1, 'arrears', 'calendar',
        '2026-01-01', 'water', '2026-01-01', $4, $4, 1, 'owner', 100, false, true, '{}', '{}'
    FROM place RETURNING id, compound_id),
run AS (INSERT INTO billing_run (id, compound_id, month, from_month, fee_item_ids, discount_percent, issued_on, state,
        is_scheduled, preview, expected_fen, houses, houses_done, bills, lines, posted_fen, exceptions, created_at)
    SELECT gen_random_uuid(), compound_id, '2026-01-01', '2026-01-01', '{}', 0, '2026-01-01', 'draft', false, '{}', 0,
        1, 0, 0, 0, 0, 0, $4 FROM place RETURNING id),
made AS (INSERT INTO bill (id, compound_id, house_id, building_id, run_id, number, payer, month, covers_from,
        covers_until, issued_on, due_on, issued_fen, state)
    SELECT gen_random_uuid(), p.compound_id, p.id, p.building_id, run.id, 1, 'owner', '2026-01-01', '2026-01-01',
        '2026-02-01', '2026-02-01', '2026-02-16', 100, 'open' FROM place p, run RETURNING id, house_id),
line AS (INSERT INTO bill_line (id, bill_id, house_id, fee_item_id, kind, period_from, period_until, part, amount_fen,
        basis)
    SELECT gen_random_uuid(), made.id, made.house_id, item.id, 'charge', '2026-01-01', '2026-02-01', 0, 100, '{}'
    FROM made, item RETURNING id)
INSERT INTO meter_use (id, line_id, meter_id, from_reading_id, to_reading_id, units, used_on)
SELECT gen_random_uuid(), line.id, $1, f.id, t.id, t.total, t.read_on
FROM line, meter_reading t, (SELECT id FROM meter_reading WHERE meter_id = $1 ORDER BY read_at LIMIT 1) f
WHERE t.id = $3
"""
