"""Whose word counts for a whole compound (整个小区的权限)."""

from __future__ import annotations

from uuid import UUID

from domains.kernel.actor import Actor


def require_whole(actor: Actor, permission: str, compound_id: UUID) -> None:
    """Refuse whoever does not hold the permission in all of the compound's buildings."""
    actor.require(permission, compound_id)
    if actor.kind != "system" and actor.buildings(permission, compound_id) is not None:
        actor.refuse(compound_id)
