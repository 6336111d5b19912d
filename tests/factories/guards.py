"""Guards at a gate, and what is left behind by what they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from domains.access import permissions
from domains.access.models import VisitorPass
from domains.access.service import admitting
from domains.access.service.admitting import Admission
from domains.kernel import database
from domains.kernel.actor import Actor
from tests.factories import access, identity, residents
from tests.factories.residents import Scene

ACCESS = tuple(permissions.LABELS)


@dataclass(frozen=True, slots=True)
class Post:
    """A scene with a gate of the compound and a guard at it."""

    scene: Scene
    door_id: UUID
    guard: Actor

    async def visitor(self, **columns: Any) -> UUID:  # Any: columns
        """A pass for the scene's house; its id."""
        columns = {"host_id": self.scene.owner.account_id} | columns
        return await access.visitor_pass(self.scene.compound_id, self.scene.house_id, **columns)

    async def admit(
        self, pass_id: UUID, guard: Actor | None = None, **more: Any
    ) -> Admission:  # Any: arguments
        """Let a visitor in at the gate."""
        said: dict[str, Any] = {
            "door_id": self.door_id,
            "document_checked": False,
            "idempotency_key": uuid4(),
        } | more
        return await admitting.admit_visitor(guard or self.guard, pass_id=pass_id, **said)


async def post() -> Post:
    """Places and people that no other test uses, with a gate and a guard who has an account."""
    scene = await residents.scene()
    return Post(scene, await access.door(scene.compound_id), await guard(scene))


async def guard(scene: Scene, *granted: str) -> Actor:
    """Staff of the scene's company with these permissions, of access all unless told."""
    company = await database.fetchval(
        "SELECT y.name FROM compound c JOIN company y ON y.id = c.company_id WHERE c.id = $1",
        scene.compound_id,
    )
    return await identity.actor(await identity.staff(company, granted or ACCESS))


async def visit(pass_id: UUID) -> VisitorPass:
    """The pass as it is now."""
    return await VisitorPass.get(pk=pass_id)


async def recorded(pass_id: UUID) -> list[dict[str, Any]]:  # Any: columns
    """The records of a pass, in the order in which they came."""
    rows = await database.fetch(
        "SELECT * FROM access_record WHERE visitor_pass_id = $1 ORDER BY received_at, id", pass_id
    )
    return [dict(row) for row in rows]


LEFT_BEHIND = """
SELECT (SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t.id), '')) FROM visitor_pass t) AS passes,
    (SELECT count(*) FROM access_record) AS records, (SELECT count(*) FROM record_export) AS exports,
    (SELECT count(*) FROM outbox_message) AS events, (SELECT count(*) FROM viewer_event) AS told,
    (SELECT count(*) FROM idempotency_record) AS keys,
    (SELECT count(*) FROM audit_entry WHERE outcome = 'done') AS audited
"""


async def left_behind() -> tuple[object, ...]:
    """Equal before and after something that was refused."""
    row = await database.fetchrow(LEFT_BEHIND)
    assert row is not None
    return tuple(row.values())
