"""Who may do what with visitors: every command and read as every kind of caller. Whoever may not, changes nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domains.access import permissions
from domains.access.queries import passes as queries
from domains.access.queries import settings as rules_query
from domains.access.queries import templates as template_queries
from domains.access.queries.passes import Search
from domains.access.service import passes, requests, settings, templates
from domains.kernel import clock
from domains.kernel.actor import Actor
from domains.kernel.errors import Forbidden, NotFound, Unauthenticated
from tests.factories import residents, visits
from tests.factories.residents import CALLERS, Scene

pytestmark = pytest.mark.usefixtures("instance")

RESIDENTS = {"owner", "family", "tenant"}
Made = Callable[[Scene], Awaitable[UUID]]
Act = Callable[[Actor, Scene, UUID], Awaitable[object]]


async def nothing(scene: Scene) -> UUID:
    return scene.house_id


async def a_pass(scene: Scene) -> UUID:
    """Hosted by the family member."""
    return await visits.create(await visits.caller(scene, "family"), scene.house_id)


async def a_request(scene: Scene) -> UUID:
    return await visits.ask_for_pass(scene)


async def a_template(scene: Scene) -> UUID:
    """Made by the tenant."""
    return await a_new_template(await visits.caller(scene, "tenant"), scene)


async def a_new_template(actor: Actor, scene: Scene) -> UUID:
    return await templates.create_pass_template(
        actor, house_id=scene.house_id, guest=visits.GUEST, weekdays=[1], from_minute=540, until_minute=600,
        until_on=clock.today() + timedelta(days=30), idempotency_key=uuid4(),
    )  # fmt: skip


OPERATIONS: dict[str, tuple[str, Made, Act, set[str]]] = {
    "create": ("", nothing, lambda actor, _, house_id: visits.create(actor, house_id), RESIDENTS),
    "request": ("", nothing, lambda actor, scene, _: visits.ask(scene, actor), set(CALLERS)),
    "approve": (
        permissions.VISITORS_ADMIT, a_request,
        lambda actor, _, id: requests.decide_visitor_pass(actor, visitor_pass_id=id, approve=True),
        {*RESIDENTS, "staff"},
    ),
    "reject": (
        permissions.VISITORS_ADMIT, a_request,
        lambda actor, _, id: requests.decide_visitor_pass(actor, visitor_pass_id=id, approve=False, reason="不认识"),
        {*RESIDENTS, "staff"},
    ),
    "revoke": (
        permissions.VISITORS_ADMIT, a_pass,
        lambda actor, _, id: passes.revoke_visitor_pass(actor, visitor_pass_id=id), {"owner", "family", "staff"},
    ),
    "make a template": ("", nothing, lambda actor, scene, _: a_new_template(actor, scene), RESIDENTS),
    "end a template": (
        "", a_template, lambda actor, _, id: templates.end_pass_template(actor, template_id=id), {"owner", "tenant"},
    ),
    "choose doors": ("", nothing, lambda actor, _, house_id: queries.doors_of_house(actor, house_id), RESIDENTS),
    "frequent guests": ("", nothing, lambda actor, _, house_id: queries.frequent_guests(actor, house_id), RESIDENTS),
    "list of a house": (
        "", a_pass,
        lambda actor, scene, _: queries.of_own_houses(actor, scene.house_id, states=None, after=None, limit=9),
        RESIDENTS,
    ),
    "list of a compound": (
        permissions.VISITORS_READ, a_pass,
        lambda actor, scene, _: queries.for_staff(actor, scene.compound_id, Search(), after=None, limit=9),
        {"staff", "staff of another building"},
    ),
    "count of a compound": (
        permissions.VISITORS_READ, a_pass,
        lambda actor, scene, _: queries.count_for_staff(actor, scene.compound_id, Search()),
        {"staff", "staff of another building"},
    ),
    "read the rules": (
        permissions.VISITORS_READ, nothing,
        lambda actor, scene, _: rules_query.access_rules(actor, scene.compound_id),
        {*RESIDENTS, "neighbour", "staff", "staff without", "staff of another building"},
    ),
    "set the rules": (
        permissions.RULES_WRITE, nothing,
        lambda actor, scene, _: settings.set_access_rules(
            actor, compound_id=scene.compound_id, changes={"most_uses": 5}
        ),
        {"staff"},
    ),
}  # fmt: skip
SEEN = {"owner", "family", "tenant", "staff"}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("kind", CALLERS)
async def test_who_may(operation: str, kind: str) -> None:
    permission, made, act, allowed = OPERATIONS[operation]
    scene = await residents.scene()
    id = await made(scene)
    actor = await visits.caller(scene, kind, permission)
    before = await visits.fingerprint()
    if kind in allowed:
        await act(actor, scene, id)
        return
    with pytest.raises((Forbidden, Unauthenticated, NotFound)):
        await act(actor, scene, id)
    assert await visits.fingerprint() == before


@pytest.mark.parametrize("kind", CALLERS)
async def test_who_sees_a_pass(kind: str) -> None:
    scene = await residents.scene()
    id = await a_pass(scene)
    actor = await visits.caller(scene, kind, permissions.VISITORS_READ)
    found = await queries.by_id(actor, [id])
    assert set(found) == ({id} if kind in SEEN else set())
    if kind in SEEN:
        row = found[id]
        assert row.phone == "138****5678"
        assert (row.link is not None, row.is_mine) == (kind == "family", kind == "family")
    read = await residents.audited("visitor_pass.read", scene.compound_id)
    assert len(read) == (1 if kind == "staff" else 0)


@pytest.mark.parametrize("kind", CALLERS)
async def test_who_sees_a_template(kind: str) -> None:
    scene = await residents.scene()
    id = await a_template(scene)
    actor = await visits.caller(scene, kind)
    found = await template_queries.by_id(actor, [id])
    assert set(found) == ({id} if kind in RESIDENTS else set())
    assert [row.id for row in await template_queries.own(actor)] == list(found)
    assert [row.link is not None for row in found.values()] == [kind == "tenant"] * len(found)


async def test_staff_of_a_building_see_its_visitors_and_no_others() -> None:
    scene = await residents.scene()
    id = await a_pass(scene)
    only = {
        building: residents.staff(
            permissions.VISITORS_READ, compound_id=scene.compound_id, building_id=building
        )
        for building in (scene.building_id, scene.other_building_id)
    }
    for building, actor in only.items():
        rows = await queries.for_staff(actor, scene.compound_id, Search(), after=None, limit=9)
        expected = [id] if building == scene.building_id else []
        assert [row.id for row in rows] == expected
        assert await queries.count_for_staff(actor, scene.compound_id, Search()) == len(expected)
        assert list(await queries.by_id(actor, [id])) == expected
    listed = await residents.audited("visitor_pass.list", scene.compound_id)
    assert len(listed) == 2
    assert "王来访" not in listed[0]["details"]


async def test_an_owner_takes_back_anybodys_pass_and_a_tenant_only_their_own() -> None:
    scene = await residents.scene()
    tenant = await visits.caller(scene, "tenant")
    by_owner = await visits.create(await visits.owner(scene), scene.house_id)
    with pytest.raises(Forbidden):
        await passes.revoke_visitor_pass(tenant, visitor_pass_id=by_owner)
    own = await visits.create(tenant, scene.house_id)
    await passes.revoke_visitor_pass(tenant, visitor_pass_id=own)
    with pytest.raises(NotFound):
        await passes.revoke_visitor_pass(tenant, visitor_pass_id=uuid4())
