"""How long records are kept (保存期限): as the compound's rules say, vehicles' at least 180 days."""

from __future__ import annotations

from domains.access.models import RecordExport
from domains.kernel import clock, database
from domains.kernel.exports import KEPT
from domains.kernel.files import storage

BATCH = 5_000

# A compound that has set nothing keeps what one that sets its rules begins with.
TERMS = """
SELECT c.id, $1::timestamptz - coalesce(r.records_kept_days, 180) * interval '1 day' AS before,
    $1::timestamptz - greatest(coalesce(r.vehicle_records_kept_days, 180), 180) * interval '1 day' AS vehicles_before
FROM compound c LEFT JOIN access_rules r ON r.compound_id = c.id ORDER BY c.id
"""

DELETE = """
DELETE FROM access_record WHERE id IN (
    SELECT id FROM access_record WHERE compound_id = $1 AND is_vehicle = $2 AND at < $3 ORDER BY at LIMIT $4)
"""


# An order says who opened which door, and when: it goes with its record.
DELETE_ORDERS = """
DELETE FROM door_command WHERE id IN (
    SELECT c.id FROM door d JOIN door_command c ON c.door_id = d.id
    WHERE d.compound_id = $1 AND c.requested_at < $2
        AND NOT EXISTS (SELECT FROM access_record r WHERE r.command_id = c.id) LIMIT $3)
"""

# By the index of each door; one that is still on record stays as long as the record.
DELETE_COMMANDS = """
DELETE FROM door_command WHERE id IN (
    SELECT c.id FROM door d CROSS JOIN LATERAL (
        SELECT id, state FROM door_command WHERE door_id = d.id AND requested_at < $2 OFFSET 0) c
    WHERE d.compound_id = $1 AND c.state NOT IN ('requested', 'sent')
        AND NOT EXISTS (SELECT FROM access_record r WHERE r.command_id = c.id)
    LIMIT $3)
"""


async def delete_old_records() -> int:
    """Delete the records that no rule asks to keep and the orders behind them, by batches of a transaction each;
    how many records."""
    total = 0
    for term in await database.fetch(TERMS, clock.now()):
        for is_vehicle, before in ((False, term["before"]), (True, term["vehicles_before"])):
            total += await _delete(DELETE, term["id"], is_vehicle, before)
        await _delete(DELETE_ORDERS, term["id"], term["before"])
    return total


async def _delete(statement: str, *values: object) -> int:
    total = 0
    while count := await database.execute(statement, *values, BATCH):
        total += count
    return total


async def delete_old_commands() -> int:
    """Delete the orders to doors that are as old as the records that are deleted, by batches; how many."""
    total = 0
    for term in await database.fetch(TERMS, clock.now()):
        while count := await database.execute(DELETE_COMMANDS, term["id"], term["before"], BATCH):
            total += count
    return total


async def forget_exports() -> int:
    """Delete the exported files that nobody can open any more; how many."""
    old = await RecordExport.filter(made_at__lt=clock.now() - KEPT)
    for each in old:
        await storage().delete(each.file_key)
        await each.delete()
    return len(old)
