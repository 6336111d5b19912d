"""The rules of passage at the desk."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette

from domains.access import permissions
from domains.access.models import AccessRules
from tests.api.pages.test_registrations import staff_of
from tests.api.pages.visitors import seen, visiting
from tests.factories import residents

pytestmark = pytest.mark.usefixtures("instance")
PAGE = "/staff/access-rules"
GIVEN = {
    "longestWindowH": "48", "mostUses": "5", "dailyPassesPerHouse": "9", "visitorCars": "30", "approver": "GUARD",
    "dailyOpenings": "", "countsOffline": "on", "recordsKeptDays": "200", "vehicleRecordsKeptDays": "365",
}  # fmt: skip


async def test_they_are_set_and_shown(app: Starlette) -> None:
    scene = await residents.scene()
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, permissions.RULES_WRITE))
        assert "通行规则" in seen(await visitor.get(PAGE))
        assert (await visitor.post(PAGE, GIVEN)).status_code == 303
        shown = await visitor.get(PAGE)
        assert "通行规则已保存" in seen(shown) and 'value="48"' in shown.text
        rules = await AccessRules.get(compound_id=scene.compound_id)
        assert (rules.most_uses, rules.visitor_cars, rules.daily_openings, rules.approver) == (
            5,
            30,
            None,
            "guard",
        )
        assert rules.counts_offline
        without = {name: value for name, value in GIVEN.items() if name != "countsOffline"}
        await visitor.post(PAGE, {**without, "visitorCars": ""})
        rules = await AccessRules.get(compound_id=scene.compound_id)
        assert rules.visitor_cars is None and not rules.counts_offline


@pytest.mark.parametrize(
    "bad",
    [
        {"longestWindowH": "很久"}, {"longestWindowH": ""}, {"mostUses": "0"}, {"visitorCars": "-1"},
        {"vehicleRecordsKeptDays": "30"}, {"dailyOpenings": "9999999"}, {"recordsKeptDays": "１００"},
    ],
)  # fmt: skip
async def test_what_is_wrong_is_shown_as_it_was_typed(app: Starlette, bad: dict[str, str]) -> None:
    scene = await residents.scene()
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, permissions.RULES_WRITE))
        await visitor.get(PAGE)
        shown = await visitor.post(PAGE, {**GIVEN, **bad})
    assert shown.status_code == 200 and shown.text.count("is-invalid") == 1 and 'role="alert"' in shown.text
    [(name, value)] = bad.items()
    assert f'name="{name}" value="{value[:6]}' in shown.text
    assert await AccessRules.filter(compound_id=scene.compound_id, most_uses=5).count() == 0


async def test_without_the_permission_or_elsewhere_nothing_is_set(app: Starlette) -> None:
    scene = await residents.scene()
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, permissions.DOORS_READ))
        shown = await visitor.get(PAGE)
        assert "保存</button>" not in shown.text and "通行规则" not in seen(await visitor.get("/staff/doors"))
        assert (await visitor.post(PAGE, GIVEN)).status_code == 403
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(await residents.scene(), permissions.RULES_WRITE))
        await visitor.get(PAGE)
        await visitor.post(PAGE, GIVEN)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, permissions.RULES_WRITE))
        assert (await visitor.post(PAGE, GIVEN, token="forged")).status_code == 403
    assert await AccessRules.filter(compound_id=scene.compound_id, most_uses=5).count() == 0
