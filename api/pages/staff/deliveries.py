"""What was sent to whom by which way, and sending again what did not arrive (投递记录)."""

from __future__ import annotations

from uuid import uuid4

from starlette.responses import Response

from api.pages.cookies import Flash
from api.pages.page import Page
from api.pages.staff.place import place_of
from notifications import permissions

ROWS = 20
LIST = "/staff/deliveries"
STATES = ("PENDING", "SENDING", "SENT", "UNCERTAIN", "SUPPRESSED", "EXPIRED", "DEAD")
CHANNELS = ("WECHAT", "ALIPAY", "WEB_PUSH", "SMS", "VOICE", "WEBHOOK")
RESENDABLE = frozenset({"UNCERTAIN", "EXPIRED", "DEAD"})
INSTALLATION = "installation"
"""What concerns no compound, for who runs the installation."""


async def show(page: Page) -> Response:
    """The deliveries of the compound, the newest first."""
    place = await place_of(page)
    wanted = {name: page.asked(name) for name in ("about", "state", "channel", "kind", "after")}
    narrowed = {
        "state": _known(wanted["state"], STATES), "channel": _known(wanted["channel"], CHANNELS),
        "kind": wanted["kind"],
    }  # fmt: skip
    compound = None if wanted["about"] == INSTALLATION else place.id
    found = await page.ask(
        "Deliveries", compound=compound, filter=narrowed, first=ROWS, after=wanted["after"]
    )
    actor = page.context.actor
    template = "staff/delivery_rows.html" if page.is_partial else "staff/deliveries.html"
    return page.show(
        template, place=place, wanted=wanted, states=STATES, channels=CHANNELS, kinds=found["webhookKinds"],
        found=found["deliveries"], new_key=uuid4, resendable=RESENDABLE,
        may_resend=actor.operator or bool(actor.compounds(permissions.DELIVERIES_RESEND)),
    )  # fmt: skip


def _known(value: str | None, values: tuple[str, ...]) -> str | None:
    return value if value in values else None


async def resend(page: Page) -> Response:
    """Send one again; the row says that it waits."""
    given = {"delivery": page.typed("delivery"), "idempotencyKey": page.typed("key")}
    payload = (await page.ask("ResendDelivery", input=given))["resendDelivery"]
    problem = payload["errors"][0]["message"] if payload["errors"] else ""
    if not page.is_partial:
        return page.go(
            LIST, "danger" if problem else "success", problem or page.texts("已重新排队，马上发送")
        )
    if problem:
        return page.notify(Flash("danger", problem))
    return page.show("staff/delivery_resent.html")
