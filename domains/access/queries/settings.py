"""Reads of a compound's rules of passage (通行规则)."""

from __future__ import annotations

from uuid import UUID

from domains.access import permissions
from domains.access.community import Rules, rules_of
from domains.kernel.actor import Actor

READERS = (
    permissions.RULES_WRITE,
    permissions.VISITORS_READ,
    permissions.VISITORS_ADMIT,
    permissions.DOORS_READ,
)


async def access_rules(actor: Actor, compound_id: UUID) -> Rules:
    """The rules, for the compound's residents and the staff who work with them; others are refused."""
    lives_there = any(tie.compound_id == compound_id for tie in actor.houses)
    if not lives_there and not any(actor.may(permission, compound_id) for permission in READERS):
        actor.refuse(compound_id)
    return await rules_of(compound_id)
