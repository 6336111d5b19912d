"""Visits the short way: guests, passes by the service, and every kind of caller of their commands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from domains.access import permissions
from domains.access.community import rules_of
from domains.access.models import AccessRules
from domains.access.service import passes, requests
from domains.access.service.issuing import Guest
from domains.kernel import database
from domains.kernel.actor import ANONYMOUS, Actor, Origin
from tests.factories import identity, residents
from tests.factories.residents import Scene

GUEST = Guest(name="王来访", phone="13812345678")
EVERYTHING = tuple(permissions.LABELS)

FINGERPRINT = """
SELECT (SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t.id), '')) FROM visitor_pass t) AS passes,
    (SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t.id), '')) FROM pass_template t) AS templates,
    (SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t.id), '')) FROM revocation t) AS revocations,
    (SELECT md5(coalesce(string_agg((to_jsonb(t) - 'screen_key_sealed')::text, '|' ORDER BY t.compound_id), ''))
        FROM access_rules t) AS rules,
    (SELECT count(*) FROM outbox_message) AS events,
    (SELECT count(*) FROM audit_entry WHERE outcome = 'done') AS audited
"""


async def fingerprint() -> tuple[object, ...]:
    """Equal before and after something that was refused."""
    row = await database.fetchrow(FINGERPRINT)
    assert row is not None
    return tuple(row.values())


async def create(actor: Actor, house_id: UUID, guest: Guest = GUEST, **more: Any) -> UUID:  # Any: arguments
    """A pass that a resident makes."""
    return await passes.create_visitor_pass(
        actor, house_id=house_id, guest=guest, **{"idempotency_key": uuid4(), **more}
    )


def stranger() -> Actor:
    """Somebody at the gate, from an address that no other test uses."""
    address = uuid4().int
    origin = Origin(request_id="req", ip=f"2001:db8:{address >> 112:x}:{address >> 96 & 0xFFFF:x}::1")
    return replace(ANONYMOUS, origin=origin)


async def ask(scene: Scene, actor: Actor | None = None, **more: Any) -> str:  # Any: arguments
    """A visitor asks to be let in to the scene's house; the secret of the link."""
    where: dict[str, Any] = {
        "compound_code": scene.code,
        "building": "1",
        "unit": "1",
        "room": "101",
        "guest": GUEST,
    }
    return await requests.request_visitor_pass(actor or stranger(), **where | more)


async def ask_for_pass(scene: Scene, **more: Any) -> UUID:  # Any: arguments
    """As `ask`; the id of the pass."""
    await ask(scene, **more)
    return await last_pass()


async def last_pass() -> UUID:
    """The pass that was made last."""
    id: UUID = await database.fetchval("SELECT id FROM visitor_pass ORDER BY id DESC LIMIT 1")
    return id


async def state_of(pass_id: UUID) -> str:
    """How far a pass is."""
    return str(await database.fetchval("SELECT state FROM visitor_pass WHERE id = $1", pass_id))


async def set_rules(compound_id: UUID, **changes: Any) -> None:  # Any: columns
    """The compound's rules, as its staff would set them."""
    await rules_of(compound_id)
    await AccessRules.filter(compound_id=compound_id).update(**changes)


async def owner(scene: Scene) -> Actor:
    """The scene's owner."""
    return await residents.resident(scene.owner.account_id)


async def caller(scene: Scene, kind: str, *granted: str) -> Actor:
    """One of residents.CALLERS; staff hold `granted`, or everything of doors and visitors but that."""
    others = tuple(permission for permission in EVERYTHING if permission not in granted)
    made = {
        "staff": scene.staff(*granted),
        "staff without": scene.staff(*others),
        "staff elsewhere": residents.staff(*EVERYTHING, compound_id=scene.other_compound_id),
        "staff of another building": residents.staff(
            *EVERYTHING, compound_id=scene.compound_id, building_id=scene.other_building_id
        ),
        "nobody": stranger(),
    }
    return made[kind] if kind in made else await residents.caller(scene, kind)


async def guard(scene: Scene) -> UUID:
    """A staff account that admits visitors in the scene's compound."""
    company = await database.fetchval(
        "SELECT o.name FROM compound c JOIN company o ON o.id = c.company_id WHERE c.id = $1",
        scene.compound_id,
    )
    return await identity.staff(
        company, [permissions.VISITORS_ADMIT], scope="compound", place_id=scene.compound_id
    )
