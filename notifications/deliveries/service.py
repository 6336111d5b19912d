"""What staff do about deliveries that did not arrive (重新投递)."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from tortoise.exceptions import IntegrityError

from domains.kernel import clock, waking
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, NotFound
from notifications.deliveries.authority import require_all_of
from notifications.kinds import registry
from notifications.models import Delivery
from notifications.notifying import LANES
from notifications.permissions import DELIVERIES_RESEND
from notifications.rules import DELIVERY, RESENDABLE

_WORTH_OF_AN_UNKNOWN_KIND = timedelta(days=1)


@command("delivery.resend", caller="staff")
async def resend_delivery(actor: Actor, *, delivery_id: UUID, idempotency_key: UUID | None = None) -> UUID:
    """Send a delivery again that was given up, expired or may not have arrived; its id.

    Its attempts are counted anew; one that is no news any more is news again for as long as its kind is.
    Raises Forbidden, NotFound DELIVERY_NOT_FOUND, Conflict DELIVERY_NOT_RESENDABLE, or DELIVERY_MERGED for
    a digest where another one waits that tells of the same.
    """
    found = await Delivery.get_or_none(pk=delivery_id)
    if found is None:
        raise NotFound("DELIVERY_NOT_FOUND", "没有这条投递记录,请刷新后重试", "delivery")
    concerns("Delivery", found.id, found.compound_id, channel=found.channel, kind=found.kind, was=found.state)
    require_all_of(actor, DELIVERIES_RESEND, found.compound_id)
    if found.state not in RESENDABLE:
        raise Conflict(
            "DELIVERY_NOT_RESENDABLE", "只有投递失败、已过期或结果不明的消息可以重新投递", "delivery"
        )
    await _back_to_pending(found, clock.now())
    waking.after_commit(LANES[found.is_urgent])
    return found.id


async def _back_to_pending(found: Delivery, now: datetime) -> None:
    kind = registry().find(found.kind)
    fresh = now + (kind.worth if kind else _WORTH_OF_AN_UNKNOWN_KIND)
    expires_at = found.expires_at if found.expires_at > now else fresh
    try:
        await DELIVERY.move(
            Delivery, found.id, found.state, "pending", reason=None, attempts=0, due_at=now,
            expires_at=expires_at, settled_at=None,
        )  # fmt: skip
    except IntegrityError:
        message = "已有一条等待投递的汇总消息包含这条内容,无需重新投递"
        raise Conflict("DELIVERY_MERGED", message, "delivery") from None
