"""Who may look into deliveries: they tell of people anywhere in a compound, so that a part of it is not enough."""

from __future__ import annotations

from uuid import UUID

from domains.kernel.actor import Actor


def require_all_of(actor: Actor, permission: str, compound_id: UUID | None) -> None:
    """Refuse who does not hold the permission over the whole compound; what concerns no compound is for
    operators."""
    if compound_id is None:
        actor.require_operator()
        return
    actor.require(permission, compound_id)
    if actor.kind != "system" and actor.buildings(permission, compound_id) is not None:
        actor.refuse(compound_id)
