"""What the metrics say of bills: runs that wait and that stand still, what could not be charged, what is not paid."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
from prometheus_client import CollectorRegistry

from api.app import build_app
from api.observability.bills import BillGauges
from api.settings import REPOSITORY, Settings
from domains.billing import permissions
from domains.billing.models import BillingRules
from domains.billing.service import posting
from domains.billing.service.runs import start_billing_run
from domains.kernel import clock
from domains.kernel.actor import SYSTEM
from domains.kernel.clock import FixedClock
from tests.factories import bills, charges, residents, runs
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

MARCH = date(2026, 3, 1)
DAY = datetime(2026, 3, 20, 4, tzinfo=UTC)
NAMES = (
    "linli_billing_runs", "linli_billing_houses_left", "linli_billing_lines", "linli_billing_exceptions",
    "linli_billing_last_run_seconds", "linli_bills_open", "linli_meter_readings_waiting",
)  # fmt: skip
GUIDE = (REPOSITORY / "docs" / "operators.md").read_text()


async def values() -> dict[str, float]:
    """All of them as they are now, without what their names have in common."""
    registry = CollectorRegistry()
    await BillGauges(registry).read()
    return {
        sample.name.removeprefix("linli_") + "".join(f":{label}" for label in sample.labels.values()): sample.value
        for metric in registry.collect() for sample in metric.samples
    }  # fmt: skip


async def since(before: dict[str, float]) -> dict[str, float]:
    """By how much those that differ are more."""
    return {name: value - before[name] for name, value in (await values()).items() if value != before[name]}


async def draft(scene: Scene, month: date) -> None:
    """A run that nobody has approved."""
    await start_billing_run(scene.staff(permissions.RUNS_START), compound_id=scene.compound_id, month=month)


async def test_they_follow_a_month_of_billing() -> None:
    with clock.use(FixedClock(DAY)) as time:
        before, scene = await values(), await residents.scene()
        await BillingRules.get_or_create(compound_id=scene.compound_id)
        await charges.item(scene.compound_id, name="物业费")
        await charges.item(scene.compound_id, None, name="没有标准的费")
        await draft(scene, MARCH)
        approved = await runs.approved(scene.compound_id, MARCH)
        assert await since(before) == {
            "billing_runs:draft": 1, "billing_runs:approved": 1, "billing_houses_left": 3,
        }  # fmt: skip
        await posting.post(SYSTEM, approved)
        time.advance(timedelta(hours=1))
        posted = {"billing_runs:draft": 1, "bills_open": 3, "billing_last_run_seconds": 3_600}
        assert await since(before) == {**posted, "billing_lines": 3, "billing_exceptions": 3}
        time.advance(timedelta(days=1))
        assert await since(before) == {**posted, "billing_last_run_seconds": 90_000}


async def test_what_is_paid_void_or_read_counts_no_more() -> None:
    with clock.use(FixedClock(DAY)):
        before, scene = await values(), await residents.scene()
        await bills.bill(scene.house_id, 1_000)
        await bills.bill(scene.house_id, 1_000, state="partly_paid")
        await bills.bill(scene.house_id, 1_000, state="void")
        await bills.bill(scene.house_id, 0)
        meter = await charges.meter(scene.house_id)
        await charges.reading(meter, date(2026, 2, 1), "9000", state="held")
        assert await since(before) == {"bills_open": 2, "meter_readings_waiting": 1}


async def test_the_guide_and_the_address_name_the_same(settings: Settings) -> None:
    transport = httpx.ASGITransport(build_app(settings), client=("127.0.0.1", 40000))
    async with httpx.AsyncClient(transport=transport, base_url="http://linli") as http:
        shown = (await http.get("/metrics")).text
    told = set(re.findall(r"linli_(?:billing|bills|meter)_\w+", GUIDE))
    assert (
        told
        == set(NAMES)
        == set(re.findall(r"^# TYPE (linli_(?:billing|bills|meter)_\w+) gauge$", shown, re.M))
    )
