"""What the demo's office left: bills in every state that money paid ahead can bring about, and books that balance."""

from __future__ import annotations

from api.demo.people import demo_people
from domains.kernel import clock, database
from tests.unit.api.demo.test_standing import counted, path, stand_ins

__all__ = ["path", "stand_ins"]

OWN = """
SELECT b.state, b.due_on < $2 AS is_late FROM bill b JOIN house h ON h.id = b.house_id
JOIN building g ON g.id = h.building_id
WHERE g.name = '3幢' AND h.room = $1 AND h.number LIKE '%1单元%' ORDER BY b.number
"""


async def test_bills_are_paid_open_overdue_and_waived(path: str) -> None:
    states = await counted("SELECT state, count(*) FROM bill GROUP BY state")
    assert states["paid"] > 6 * states["open"] > 0
    assert await counted("SELECT state, count(*) FROM correction GROUP BY state") == {
        "approved": 1,
        "requested": 1,
    }
    own = await database.fetch(OWN, demo_people().owner.room, clock.today())
    assert [row["state"] for row in own] == ["paid", "open"]


async def test_a_run_waits_for_approval_with_what_it_cannot_bill(path: str) -> None:
    runs = await counted("SELECT state, count(*) FROM billing_run GROUP BY state")
    assert runs == {"draft": 1, "posted": 3}
    problems = await database.fetchval("SELECT preview->'problems' FROM billing_run WHERE state = 'draft'")
    assert "NO_READING" in problems and "READING_HELD" in problems


async def test_people_are_reminded_and_have_promised(path: str) -> None:
    assert await database.fetchval("SELECT count(*) FROM dunning_letter") > 0
    assert await database.fetchval("SELECT count(*) FROM payment_promise") == 1
    kinds = await counted("SELECT kind, count(*) FROM delivery WHERE kind LIKE 'bill%' GROUP BY kind")
    assert {"bill.issued", "bill.paid"} <= set(kinds)


async def test_two_months_are_published_and_every_journal_sums_to_zero(path: str) -> None:
    months = await database.fetch("SELECT month, content FROM accounts_publication ORDER BY month")
    assert [row["month"] < clock.today().replace(day=1) for row in months] == [True, True]
    wrong = "SELECT count(*) FROM (SELECT 1 FROM entry GROUP BY journal_id HAVING sum(amount_fen) <> 0) AS j"
    assert await database.fetchval(wrong) == 0
