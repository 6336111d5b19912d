"""The electronic pass of a verified occupant (电子通行证): a signed token of five minutes, shown as a QR code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domains.identity.tokens import signer
from domains.kernel import clock
from domains.kernel.actor import Actor
from domains.kernel.command import concerns, sensitive_read
from domains.kernel.errors import Invalid
from domains.residents import permissions
from domains.residents.queries import passes

AUDIENCE = "residence-pass"
LIFETIME = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class ResidencePass:
    """What the phone shows at the gate."""

    token: str
    expires_at: datetime


async def issue_residence_pass(actor: Actor, *, house_id: UUID) -> ResidencePass:
    """A pass for one's own house; anybody else is refused. It ends with the occupancy, for that is read
    again when the pass is checked."""
    occupancy_id = await passes.own_occupancy(actor, house_id)
    if occupancy_id is None:
        actor.refuse()
    token = signer().sign_for(AUDIENCE, {"sub": str(occupancy_id)}, LIFETIME)
    return ResidencePass(token, clock.now() + LIFETIME)


@sensitive_read("residence_pass.check", caller="staff", permission=permissions.READ)
async def check_residence_pass(actor: Actor, *, token: str) -> passes.Holder:
    """Who shows the pass, if it still counts. Raises TOKEN_NOT_GENUINE, TOKEN_OUTDATED, PASS_ENDED."""
    occupancy_id = UUID(signer().open_for(AUDIENCE, token)["sub"])
    holder = await passes.holder(occupancy_id)
    if holder is None:
        concerns("Occupancy", occupancy_id, None)
        raise Invalid("PASS_ENDED", "对方已不是该房屋的住户,通行证无效")
    concerns("Occupancy", occupancy_id, holder.compound_id)
    actor.require(permissions.READ, holder.compound_id, holder.building_id)
    return holder
