"""Runs the short way, and what they left, without the ids and instants that no two runs share."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID

from domains.billing.charges.statement import Charging
from domains.billing.run_parts import CHUNK
from domains.billing.service import posting
from domains.billing.service.beginning import keep
from domains.billing.service.previewing import preview
from domains.billing.service.runs import approve
from domains.kernel import database
from domains.kernel.actor import SYSTEM, Actor

LEFT = {
    "bills": """
        SELECT b.number, h.number AS house, b.payer, p.name AS person, b.month, b.covers_from, b.covers_until,
            b.issued_on, b.due_on, b.late_fee_rule_id IS NULL AS bears_none, b.issued_fen, b.state, g.name AS building
        FROM bill b JOIN house h ON h.id = b.house_id JOIN building g ON g.id = b.building_id
        LEFT JOIN person p ON p.id = b.person_id
        WHERE b.compound_id = $1 ORDER BY b.number""",
    "lines": """
        SELECT b.number, i.name, l.kind, l.period_from, l.period_until, l.part, l.amount_fen, l.basis::text
        FROM bill_line l JOIN bill b ON b.id = l.bill_id JOIN fee_item i ON i.id = l.fee_item_id
        WHERE b.compound_id = $1 AND l.house_id = b.house_id ORDER BY b.number, i.name, l.period_from, l.part""",
    "uses": """
        SELECT b.number, m.number AS meter, f.read_on AS first_on, t.read_on AS last_on, u.units, u.used_on
        FROM meter_use u JOIN bill_line l ON l.id = u.line_id JOIN bill b ON b.id = l.bill_id
        JOIN meter m ON m.id = u.meter_id
        JOIN meter_reading f ON f.id = u.from_reading_id JOIN meter_reading t ON t.id = u.to_reading_id
        WHERE b.compound_id = $1 ORDER BY 1, 2""",
    "exceptions": """
        SELECT h.number AS house, i.name, e.period_from, e.code FROM run_exception e JOIN house h ON h.id = e.house_id
        JOIN fee_item i ON i.id = e.fee_item_id WHERE i.compound_id = $1 ORDER BY 1, 2, 3, 4""",
    "payables": """
        SELECT b.number, p.subject_type, p.holder_id = b.house_id AS of_house, p.due_fen, p.settled_fen, p.due_on,
            p.opened_on, a.code, a.subject_id = b.house_id AS on_house
        FROM payable p JOIN bill b ON b.id = p.subject_id JOIN ledger_account a ON a.id = p.account_id
        WHERE p.compound_id = $1 ORDER BY 1""",
    "entries": """
        SELECT b.number, a.code, coalesce(h.number, i.name) AS subject, e.amount_fen, e.posted_on, j.kind
        FROM entry e JOIN journal j ON j.id = e.journal_id JOIN ledger_account a ON a.id = e.account_id
        LEFT JOIN payable p ON p.id = e.payable_id LEFT JOIN bill b ON b.id = p.subject_id
        LEFT JOIN house h ON h.id = a.subject_id LEFT JOIN fee_item i ON i.id = a.subject_id
        WHERE j.compound_id = $1 ORDER BY 1, 2, 3, 4""",
    "runs": """
        SELECT month, from_month, state, houses, houses_done, bills, lines, posted_fen, exceptions, expected_fen
        FROM billing_run WHERE compound_id = $1 ORDER BY month""",
    "rules": "SELECT last_bill_number FROM billing_rules WHERE compound_id = $1",
}


async def left(compound_id: UUID, *tables: str) -> dict[str, list[tuple[Any, ...]]]:  # Any: columns
    """All that runs left of a compound, table by table."""
    return {
        name: [tuple(row.values()) for row in await database.fetch(statement, compound_id)]
        for name, statement in LEFT.items()
        if not tables or name in tables
    }


async def count_all() -> dict[str, int]:
    """Rows of every table there is."""
    names = await database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    return {
        row["tablename"]: await database.fetchval(f'SELECT count(*) FROM "{row["tablename"]}"')
        for row in names
    }


async def approved(
    compound_id: UUID,
    month: date,
    from_month: date | None = None,
    *,
    issued_on: date | None = None,
    items: Collection[UUID] = (),
    chunk: int = CHUNK,
    by: Actor = SYSTEM,
    **more: Any,  # Any: fields of Charging
) -> UUID:
    """A run that may be posted, by so many houses at a time; approved by the compound's rules, or by somebody."""
    charging = Charging(compound_id, from_month or month, month, tuple(items), **more)
    async with database.transaction():
        run_id = await keep(SYSTEM, charging, await preview(charging, chunk), issued_on or month)
        await approve(by, run_id)
    return run_id


async def posted(compound_id: UUID, month: date, from_month: date | None = None, **more: Any) -> UUID:
    """A run from its preview to its end."""
    run_id = await approved(compound_id, month, from_month, **more)
    await posting.post(SYSTEM, run_id)
    return run_id
