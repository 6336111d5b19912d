"""A house's own terms at the desk: who pays by name, and its vacancies."""

from __future__ import annotations

import re
from datetime import date, timedelta
from uuid import UUID

import pytest
from starlette.applications import Starlette

from domains.billing import permissions
from domains.billing.models import Liability, Vacancy
from domains.kernel import clock
from domains.residents import permissions as register
from domains.residents.models import Occupancy
from schema.relay import encode
from tests.api.pages.test_registrations import staff_of
from tests.api.pages.visitors import seen, visiting
from tests.factories import billing, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
FEES = (permissions.FEES_READ, permissions.FEES_WRITE, "estate.read")
NAMED = (*FEES, register.READ)
_OPTION = re.compile(r'<option value="((?:OWNER|TENANT):[^"]+)"')


@pytest.fixture
async def scene() -> Scene:
    """Places that no other test uses."""
    return await residents.scene()


def page_of(house_id: UUID) -> str:
    """A house's page."""
    return f"/staff/fees/houses/one?house={encode('House', house_id)}"


def liable(scene: Scene, payer: str) -> dict[str, str]:
    """The form that says who pays."""
    return {
        "house": encode("House", scene.house_id),
        "form": "liable",
        "fromOn": "2026-01-01",
        "payer": payer,
    }


async def test_somebody_of_the_house_is_named(app: Starlette, scene: Scene) -> None:
    await Occupancy.filter(id=scene.tenant.occupancy_id).update(ended_at=clock.now(), end_reason="退租")
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *NAMED))
        shown = await visitor.get(page_of(scene.house_id))
        people = _OPTION.findall(shown.text)
        tenant = f"TENANT:{encode('Person', scene.tenant.person_id)}"
        assert people == [f"OWNER:{encode('Person', scene.owner.person_id)}", tenant]
        assert "租户 赵租客 （已搬离）" in seen(shown) or "租户 赵租客（已搬离）" in seen(shown)
        assert "张小妹" not in shown.text and "钱邻居" not in shown.text
        done = await visitor.post("/staff/fees/liability", liable(scene, tenant))
        assert "租户 赵租客" in seen(await visitor.get(done.headers["location"]))
    named = await Liability.filter(house_id=scene.house_id, payer="tenant").values_list(
        "person_id", flat=True
    )
    assert named == [scene.tenant.person_id]


async def test_nobody_of_another_house_can_be_named(app: Starlette, scene: Scene) -> None:
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *NAMED))
        await visitor.get(page_of(scene.house_id))
        for person in (scene.neighbour.person_id, scene.family.person_id):
            given = liable(scene, f"TENANT:{encode('Person', person)}")
            refused = await visitor.post("/staff/fees/liability", given)
            assert "请选择这套房屋的业主或租客" in seen(refused)
    assert await Liability.filter(house_id=scene.house_id, payer="tenant").count() == 0


async def test_without_the_register_no_names_are_offered(app: Starlette, scene: Scene) -> None:
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *FEES))
        shown = await visitor.get(page_of(scene.house_id))
        assert shown.status_code == 200 and _OPTION.findall(shown.text) == [] and "赵租客" not in shown.text
        await visitor.post("/staff/fees/liability", liable(scene, "TENANT"))
    named = await Liability.filter(house_id=scene.house_id, payer="tenant").values_list(
        "person_id", flat=True
    )
    assert named == [None]


async def test_the_vacancies_of_the_house_alone_are_shown_and_decided(app: Starlette, scene: Scene) -> None:
    waiting = await billing.vacancy(scene.house_id, date(2026, 3, 1), date(2026, 6, 1), "requested")
    await billing.vacancy(scene.next_door_id, date(2025, 3, 1), date(2025, 6, 1), "requested")
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *FEES))
        shown = await visitor.get(page_of(scene.house_id))
        text = seen(shown)
        assert "2026-03-01 起，到 2026-06-01 前" in text and "2025-03-01" not in text and "确认空置" in text
        await visitor.post(
            "/staff/fees/vacancy/decide", {"vacancy": encode("Vacancy", waiting), "decision": "APPROVE"}
        )
        assert "提前结束…" in seen(await visitor.get(page_of(scene.house_id)))
        assert "没有空置登记" in seen(await visitor.get(page_of(scene.far_house_id)))
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, permissions.FEES_READ, "estate.read"))
        shown = await visitor.get(page_of(scene.house_id))
        assert "2026-03-01" in seen(shown) and "提前结束…" not in seen(shown)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, permissions.FEES_WRITE, "estate.read"))
        shown = await visitor.get(page_of(scene.house_id))
        assert shown.status_code == 200 and "2026-03-01" not in seen(shown)
    assert (await Vacancy.get(pk=waiting)).state == "approved"


async def test_earlier_vacancies_have_a_page_of_their_own(app: Starlette, scene: Scene) -> None:
    for year in range(25):
        first = date(2000, 1, 1) + timedelta(days=31 * year)
        await billing.vacancy(scene.house_id, first, first + timedelta(days=30))
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *FEES))
        shown = await visitor.get(page_of(scene.house_id))
        more = re.search(r'href="(/staff/fees/houses/one[^"]+)#vacancies"', shown.text)
        assert shown.text.count("空置时间") == 20 and more is not None
        rest = await visitor.get(more[1].replace("&amp;", "&"))
        assert rest.text.count("空置时间") == 5 and "更早的空置" not in seen(rest)
