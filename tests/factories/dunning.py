"""Days of dunning, and what became of them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

from domains.billing import permissions
from domains.billing.dunning import Form
from domains.billing.service.dunning import remind_due
from domains.billing.service.dunning_steps import set_dunning_steps
from domains.kernel import clock, database
from tests.factories import guards
from tests.factories.residents import Scene

SENT = """
SELECT b.number, s.days, d.is_skipped, d.sent_on, d.letter_id IS NOT NULL AS on_letter FROM dunning_sent d
JOIN bill b ON b.id = d.bill_id JOIN dunning_step s ON s.id = d.step_id
WHERE b.compound_id = $1 ORDER BY d.sent_on, b.number, s.days
"""

EVENTS = """
SELECT payload::text AS payload FROM outbox_message WHERE event = 'DunningDue' AND payload ->> 'compound_id' = $1 ORDER BY id
"""


def on(day: date) -> clock.FixedClock:
    """Nine o'clock in the morning of a day, in Shanghai."""
    return clock.FixedClock(datetime(day.year, day.month, day.day, 1, 5, tzinfo=UTC))


async def steps(scene: Scene, *wanted: tuple[int, Form]) -> None:
    """These are the compound's steps."""
    keeper = await guards.guard(scene, permissions.DUNNING_WRITE)
    await set_dunning_steps(keeper, compound_id=scene.compound_id, steps=wanted)


async def remind(day: date) -> dict[str, int]:
    """The job of a day."""
    with clock.use(on(day)):
        return await remind_due()


async def sent(compound_id: UUID) -> list[tuple[int, int, str]]:
    """What was sent: the bill's number, the step's days, and how."""
    return [
        (row["number"], row["days"], "skipped" if row["is_skipped"] else "letter" if row["on_letter"] else "sent")
        for row in await database.fetch(SENT, compound_id)
    ]  # fmt: skip


async def reminders(compound_id: UUID) -> int:
    """How many reminders were made."""
    return len(await database.fetch(EVENTS, str(compound_id)))
