"""What stands in the demo: of everything at its gates every kind and state, nobody is called, and a later start makes it
good; of what its office left bills in every state that money paid ahead can bring about, and books that balance.

Loading it takes longer than all that is asked of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from api.demo.loading import STAFF, fill_inboxes, load_demo
from api.demo.people import demo_people
from api.demo.showing import show_demo
from api.demo.standing import employ, stand
from api.demo.telling import settled
from api.instance import Addresses, running
from api.pages.showcase import showcase
from api.settings import Settings
from api.wiring import PERMISSIONS
from domains.access.service import ending
from domains.access.service.visitor_page import visitor_page
from domains.devices.kinds import DEVICE_KINDS
from domains.identity.models import Role, StaffMember
from domains.kernel import clock, database
from domains.kernel.actor import ANONYMOUS
from domains.kernel.clock import FixedClock
from tests.factories.ledger import check_books
from tests.factories.showing import shown
from tests.unit.stand_ins.stand import Stand
from tests.unit.stand_ins.stand import running as stand_running


@pytest.fixture(scope="module")
def stand_ins(settings: Settings) -> Iterator[Stand]:
    """The stand-ins, at home where the instance looks for them."""
    with stand_running(settings.home / "platform") as started:
        yield started


@pytest.fixture(scope="module")
async def path(settings: Settings, addresses: Addresses, stand_ins: Stand) -> AsyncIterator[str]:
    """The demo as its first start leaves it; the path of a visitor's page."""
    there = replace(addresses, platform_url=str(stand_ins.http.base_url).rstrip("/"))
    async with running(settings, there):
        await load_demo()
        await fill_inboxes(there)
        yield await stand(there.platform_url)


async def counted(statement: str) -> dict[str, int]:
    """Names with numbers."""
    return {row[0]: row[1] for row in await database.fetch(statement)}


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


async def states() -> dict[str, int]:
    """Passes by state."""
    return await counted("SELECT state, count(*) FROM visitor_pass GROUP BY state")


async def test_there_is_a_device_of_every_kind_with_its_ledger(path: str) -> None:
    kinds = await counted("SELECT kind, count(*) FROM device GROUP BY kind")
    assert set(kinds) == set(DEVICE_KINDS)
    lines = await counted(
        "SELECT d.code, count(e.id) FROM device d LEFT JOIN asset_entry e ON e.device_id = d.id GROUP BY 1"
    )
    assert min(lines.values()) >= 2
    readings = "SELECT metric, count(DISTINCT device_id) FROM reading GROUP BY metric"
    assert (await counted(readings))["level_m"] == 3


async def test_every_staircase_has_a_door_and_the_compound_its_gates(path: str) -> None:
    without = """
        SELECT count(*) FROM unit u JOIN compound c ON c.id = u.compound_id WHERE c.code = 'GYL'
        AND NOT EXISTS (SELECT FROM door d WHERE d.unit_id = u.id)
    """
    assert await database.fetchval(without) == 0
    kinds = await counted("SELECT kind, count(*) FROM door GROUP BY kind")
    assert (kinds["gate"], kinds["vehicle_gate"], kinds["facility"]) == (2, 2, 1)


async def test_alarms_are_in_every_state_and_none_calls_anybody(path: str) -> None:
    found = await counted("SELECT state, count(*) FROM alarm GROUP BY state")
    assert found == {"open": 2, "acknowledged": 1, "cleared": 3}
    assert await database.fetchval("SELECT count(*) FROM alarm WHERE level = 'critical' OR is_false") == 1
    called = "SELECT count(*) FROM delivery WHERE kind <> 'webhook.test' AND (is_urgent OR channel IN ('sms', 'voice'))"
    assert await database.fetchval(called) == 0


async def test_passes_are_in_every_state(path: str) -> None:
    found = await states()
    assert set(found) == {"active", "requested", "rejected", "revoked", "used_up"}
    inside = await database.fetchval("SELECT count(*) FROM visitor_pass WHERE inside_since IS NOT NULL")
    assert inside == 1


async def test_the_page_of_the_visitor_who_comes_every_day_has_a_code(path: str) -> None:
    shown = await visitor_page(ANONYMOUS, path.removeprefix("/v/"))
    assert (shown.state, shown.guest_name) == ("active", "吴阿姨")
    assert shown.text is not None and shown.text.startswith("RC1:")
    assert len(shown.doors) == 4 + 1  # the gates, and the staircase's door


async def test_a_fortnight_at_the_doors_goes_out_in_the_morning_and_comes_back_in_the_evening(
    path: str,
) -> None:
    rows = await database.fetch("SELECT at, direction, is_vehicle, plate, reason FROM access_record")
    assert 4_000 < len(rows) < 12_000
    assert all(row["at"] <= clock.now() and row["is_vehicle"] == (row["plate"] != "") for row in rows)
    hours = Counter((row["direction"], row["at"].astimezone(clock.SHANGHAI).hour) for row in rows)
    assert sum(hours["out", hour] for hour in range(6, 10)) > sum(
        hours["out", hour] for hour in range(10, 24)
    )
    assert max(range(24), key=lambda hour: hours["in", hour]) in range(17, 21)
    assert sum(row["reason"] != "" for row in rows) < len(rows) / 50
    days = {clock.business_date(row["at"]) for row in rows}
    assert len(days) >= 13


async def test_the_second_start_asks_twice_and_does_nothing(path: str) -> None:
    async def everything() -> list[int]:
        tables = ("device", "door", "alarm", "visitor_pass", "pass_template", "access_record", "staff_member")
        return [await database.fetchval(f"SELECT count(*) FROM {table}") for table in tables]

    await settled()
    before = await everything()
    async with database.counted() as statements:
        assert await stand() == path
    assert statements.count == 2
    assert await everything() == before


async def test_who_starts_it_days_later_finds_visitors_of_that_day(path: str) -> None:
    with clock.use(FixedClock(clock.now() + timedelta(days=3))):
        await ending.expire()
        assert "requested" not in await states()
        assert await stand() == path
        found = await states()
        assert found["requested"] == 1
        shown = await visitor_page(ANONYMOUS, path.removeprefix("/v/"))
        assert shown.text is not None and shown.ends_at > clock.now()


async def test_who_has_used_up_the_house_still_starts_it(path: str) -> None:
    with clock.use(FixedClock(clock.now() + timedelta(days=9))):
        await ending.expire()
        await database.execute("UPDATE access_rules SET daily_passes_per_house = 1")
        assert await stand() == path
        before = await states()
        await database.execute("UPDATE visitor_pass SET inside_since = starts_at WHERE origin = 'host'")
        assert await stand() == path
        assert await states() == before


async def test_a_demo_of_an_earlier_version_gets_its_guard_and_its_manager_may_do_all(path: str) -> None:
    await Role.filter(name="物业经理").update(permissions=["estate.read"])
    await employ()
    assert set((await Role.filter(name="物业经理").first()).permissions) == set(PERMISSIONS)  # type: ignore[union-attr]  # it is there
    assert await StaffMember.all().count() == len(STAFF)


async def test_the_desk_was_paid_at_by_every_way_and_two_refunds_wait(path: str) -> None:
    taken = await database.fetch(
        "SELECT a.channel, o.state FROM payment_order o JOIN payment_attempt a ON a.id = o.paid_by "
        "WHERE o.cashier_id IS NOT NULL ORDER BY 1"
    )
    paid = [(channel, "paid") for channel in ("alipay", "cash", "pos", "wechat")]
    assert [tuple(row.values()) for row in taken] == paid
    waiting = await database.fetch("SELECT state, amount_fen FROM refund ORDER BY state")
    assert [tuple(row.values()) for row in waiting] == [("abnormal", 1_200), ("requested", 5_000)]
    open_ = await database.fetch("SELECT kind, amount_fen FROM payment_exception WHERE closed_at IS NULL")
    assert [tuple(row.values()) for row in open_] == [("refund_abnormal", 1_200)]
    await check_books()


async def test_the_guided_walk_finds_a_gate_a_run_that_waits_and_a_house_that_owes(path: str) -> None:
    with shown(None):
        show_demo(Addresses("", "", ""), path)
        demo = showcase()
    assert demo and demo.house and demo.visitor_path == path
    found = await database.fetchrow(
        "SELECT c.code, (SELECT kind FROM door d WHERE d.compound_id = c.id AND d.name = $2) AS gate, "
        "(SELECT count(*) FROM billing_run r WHERE r.compound_id = c.id AND r.state = 'draft') AS runs, "
        "EXISTS (SELECT FROM bill b WHERE b.house_id = h.id AND b.state = 'open') AS owes, "
        "(SELECT count(*) FROM person p JOIN occupancy o ON o.person_id = p.id WHERE o.house_id = h.id "
        "AND p.account_id IS NOT NULL AND p.name = $3 AND o.ended_at IS NULL) AS owners "
        "FROM house h JOIN compound c ON c.id = h.compound_id WHERE h.number = $1",
        demo.house.number, demo.house.gate, demo.cast["owner"].name,
    )  # fmt: skip
    assert found is not None and tuple(found.values()) == (demo.code, "gate", 1, True, 1)
    staff = {each.login for each in await StaffMember.all()}
    assert {each.login for each in demo.accounts if each.password} == staff
