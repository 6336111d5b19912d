"""Who may do what with fees: every command and read as every kind of caller. Whoever may not, changes nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from domains.billing import permissions
from domains.billing.queries import agreements as house_reads
from domains.billing.queries import fee_items as item_reads
from domains.billing.queries import pooled_costs as cost_reads
from domains.billing.queries import settings as rule_reads
from domains.billing.queries import vacancies as vacancy_reads
from domains.billing.service import (
    agreements,
    fee_items,
    liabilities,
    one_offs,
    pooled_costs,
    prices,
    settings,
    vacancies,
)
from domains.billing.tariffs import Tariff
from domains.kernel import database
from domains.kernel.actor import SYSTEM, Actor
from domains.kernel.errors import Forbidden, NotFound, Unauthenticated
from tests.factories import billing, residents
from tests.factories.residents import CALLERS, Scene

pytestmark = pytest.mark.usefixtures("instance")

JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)
WRITE, READ = permissions.FEES_WRITE, permissions.FEES_READ
Made = Callable[[Scene], Awaitable[UUID]]
Act = Callable[[Actor, Scene, UUID], Awaitable[object]]
STATES = """
SELECT md5(string_agg(t, '|')) FROM (
    SELECT f::text AS t FROM fee_item f UNION ALL SELECT p::text FROM fee_price p
    UNION ALL SELECT d::text FROM advance_discount d UNION ALL SELECT r::text FROM billing_rules r
    UNION ALL SELECT l::text FROM late_fee_rule l UNION ALL SELECT a::text FROM fee_agreement a
    UNION ALL SELECT l::text FROM liability l UNION ALL SELECT v::text FROM vacancy v
    UNION ALL SELECT c::text FROM pooled_cost c UNION ALL SELECT o::text FROM one_off_charge o
    UNION ALL SELECT count(*)::text FROM outbox_message
    UNION ALL SELECT count(*)::text FROM audit_entry WHERE outcome = 'done' ORDER BY t) AS rows
"""


def item(method: str = "built_area") -> Made:
    return lambda scene: billing.fee_item(scene.compound_id, method)


async def house(scene: Scene) -> UUID:
    return scene.house_id


async def requested(scene: Scene) -> UUID:
    return await billing.vacancy(scene.house_id, JANUARY, FEBRUARY, "requested")


async def approved(scene: Scene) -> UUID:
    return await billing.vacancy(scene.house_id, JANUARY, FEBRUARY)


async def agreement(scene: Scene) -> UUID:
    return await agreements.set_fee_agreement(
        SYSTEM, house_id=scene.house_id, fee_item_id=await item()(scene), from_on=JANUARY
    )


async def liability(scene: Scene) -> UUID:
    return await liabilities.set_liability(SYSTEM, house_id=scene.house_id, payer="owner", from_on=JANUARY)


async def cost(scene: Scene) -> UUID:
    return await pooled_costs.record_pooled_cost(
        SYSTEM, fee_item_id=await item("pooled")(scene), period_from=JANUARY, total_fen=9
    )


async def charge(scene: Scene) -> UUID:
    [made] = await one_offs.add_one_off_charges(
        SYSTEM,
        fee_item_id=await item("one_off")(scene),
        house_ids=[scene.house_id],
        charged_on=JANUARY,
        amount_fen=9,
    )
    return made


STAFF, ANY_STAFF = {"staff"}, {"staff", "staff of another building"}

OPERATIONS: dict[str, tuple[str, Made, Act, set[str]]] = {
    "make an item": (
        WRITE, house, lambda actor, scene, _: fee_items.set_fee_item(
            actor, compound_id=scene.compound_id, changes={
                "name": "新", "category": "other", "method": "fixed", "starts_on": JANUARY, "anchor_on": JANUARY,
                "cycle_months": 1}), STAFF,
    ),
    "change an item": (
        WRITE, item(), lambda actor, scene, id: fee_items.set_fee_item(
            actor, compound_id=scene.compound_id, changes={"name": "改"}, fee_item_id=id), STAFF,
    ),
    "end an item": (WRITE, item(), lambda actor, _, id: fee_items.end_fee_item(
        actor, fee_item_id=id, ends_on=FEBRUARY), STAFF),
    "set a price": (WRITE, item(), lambda actor, _, id: prices.set_fee_price(
        actor, fee_item_id=id, from_on=FEBRUARY, tariff=Tariff(Decimal(1))), STAFF),
    "take a price back": (WRITE, item(), lambda actor, _, id: prices.remove_fee_price(
        actor, fee_item_id=id, from_on=JANUARY), STAFF),
    "set a discount": (WRITE, item(), lambda actor, _, id: fee_items.set_advance_discount(
        actor, fee_item_id=id, months=12, percent=Decimal(5)), STAFF),
    "set the rules": (WRITE, house, lambda actor, scene, _: settings.set_billing_rules(
        actor, compound_id=scene.compound_id, changes={"due_days": 9}), STAFF),
    "set a late fee": (WRITE, house, lambda actor, scene, _: settings.set_late_fee_rule(
        actor, compound_id=scene.compound_id, from_on=JANUARY, daily_rate=Decimal("0.0005")), STAFF),
    "agree": (WRITE, item(), lambda actor, scene, id: agreements.set_fee_agreement(
        actor, house_id=scene.house_id, fee_item_id=id, from_on=JANUARY), STAFF),
    "end an agreement": (WRITE, agreement, lambda actor, _, id: agreements.end_fee_agreement(
        actor, agreement_id=id, until_on=FEBRUARY), STAFF),
    "say who pays": (WRITE, house, lambda actor, _, id: liabilities.set_liability(
        actor, house_id=id, payer="tenant", from_on=JANUARY), STAFF),
    "end who pays": (WRITE, liability, lambda actor, _, id: liabilities.end_liability(
        actor, liability_id=id, until_on=FEBRUARY), STAFF),
    "ask for a vacancy": ("", house, lambda actor, _, id: vacancies.request_vacancy(
        actor, house_id=id, from_on=JANUARY, until_on=FEBRUARY), {"owner"}),
    "record a vacancy": (WRITE, house, lambda actor, _, id: vacancies.record_vacancy(
        actor, house_id=id, from_on=JANUARY, until_on=FEBRUARY), STAFF),
    "decide a vacancy": (WRITE, requested, lambda actor, _, id: vacancies.decide_vacancy(
        actor, vacancy_id=id, approve=True), STAFF),
    "end a vacancy": (WRITE, approved, lambda actor, _, id: vacancies.end_vacancy(
        actor, vacancy_id=id, until_on=date(2026, 1, 9)), STAFF),
    "share a cost": (WRITE, item("pooled"), lambda actor, _, id: pooled_costs.record_pooled_cost(
        actor, fee_item_id=id, period_from=JANUARY, total_fen=9), STAFF),
    "take a cost back": (WRITE, cost, lambda actor, _, id: pooled_costs.remove_pooled_cost(
        actor, pooled_cost_id=id), STAFF),
    "charge once": (WRITE, item("one_off"), lambda actor, scene, id: one_offs.add_one_off_charges(
        actor, fee_item_id=id, house_ids=[scene.house_id], charged_on=JANUARY, amount_fen=9), STAFF),
    "cancel a charge": (WRITE, charge, lambda actor, _, id: one_offs.cancel_one_off_charge(
        actor, charge_id=id), STAFF),
    "read items": (READ, item(), lambda actor, scene, _: item_reads.of_compound(
        actor, scene.compound_id, active=None), ANY_STAFF),
    "try a formula": (READ, house, lambda actor, _, id: item_reads.formula_for_house(
        actor, "area", id, Decimal(1)), STAFF),
    "read the rules": (READ, house, lambda actor, scene, _: rule_reads.billing_rules(
        actor, scene.compound_id), ANY_STAFF),
    "read agreements": (READ, house, lambda actor, _, id: house_reads.agreements(actor, id), STAFF),
    "read who pays": (READ, house, lambda actor, _, id: house_reads.liabilities(actor, id), STAFF),
    "read vacancies": (READ, requested, lambda actor, scene, _: vacancy_reads.for_staff(
        actor, scene.compound_id, state=None, after=None, limit=9), ANY_STAFF),
    "read costs": (READ, item("pooled"), lambda actor, _, id: cost_reads.of_item(
        actor, id, after=None, limit=9), ANY_STAFF),
    "read charges": (READ, charge, lambda actor, scene, _: cost_reads.one_off_charges(
        actor, scene.compound_id, None, after=None, limit=9), ANY_STAFF),
}  # fmt: skip


async def caller(scene: Scene, kind: str, permission: str) -> Actor:
    """Staff hold this permission, or all of billing but those of fees."""
    others = [each for each in permissions.LABELS if each not in (WRITE, READ)]
    made = {
        "staff": residents.staff(permission or READ, compound_id=scene.compound_id),
        "staff without": residents.staff(*others, compound_id=scene.compound_id),
        "staff elsewhere": residents.staff(*permissions.LABELS, compound_id=scene.other_compound_id),
        "staff of another building": residents.staff(
            *permissions.LABELS, compound_id=scene.compound_id, building_id=scene.other_building_id
        ),
    }
    return made[kind] if kind in made else await residents.caller(scene, kind)


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_who_may(operation: str) -> None:
    permission, made, act, allowed = OPERATIONS[operation]
    for kind in CALLERS:
        scene = await residents.scene()
        id = await made(scene)
        actor = await caller(scene, kind, permission)
        before = await database.fetchval(STATES)
        if kind in allowed or (operation == "read the rules" and kind == "staff without"):
            await act(actor, scene, id)
            continue
        with pytest.raises((Forbidden, Unauthenticated, NotFound)):
            await act(actor, scene, id)
        assert await database.fetchval(STATES) == before, kind


@pytest.mark.parametrize("kind", CALLERS)
async def test_who_sees_a_vacancy(kind: str) -> None:
    scene = await residents.scene()
    id = await requested(scene)
    found = await vacancy_reads.by_id(await caller(scene, kind, READ), [id])
    assert set(found) == ({id} if kind in {"owner", "staff"} else set())


@pytest.mark.parametrize("kind", CALLERS)
async def test_who_sees_a_fee_item(kind: str) -> None:
    scene = await residents.scene()
    id = await item()(scene)
    found = await item_reads.by_id(await caller(scene, kind, READ), [id])
    assert set(found) == ({id} if kind in ANY_STAFF else set())


async def test_staff_of_the_building_keep_what_is_of_its_houses() -> None:
    scene = await residents.scene()
    narrow = residents.staff(
        *permissions.LABELS, compound_id=scene.compound_id, building_id=scene.building_id
    )
    for operation in ("agree", "say who pays", "record a vacancy", "charge once", "read agreements"):
        _, made, act, _ = OPERATIONS[operation]
        await act(narrow, scene, await made(scene))
    for operation in ("make an item", "set a price", "share a cost", "set the rules", "set a late fee"):
        _, made, act, _ = OPERATIONS[operation]
        id = await made(scene)
        with pytest.raises(Forbidden):
            await act(narrow, scene, id)
