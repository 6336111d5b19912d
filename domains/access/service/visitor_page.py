"""The page behind a link (访客页): read without signing in, by whoever was given it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import fields
from uuid import UUID

from domains.access.queries import passes
from domains.access.queries.visitor_page import Linked, VisitorPage, linked
from domains.access.service.digits import digits_of
from domains.access.service.issuing import pass_channel
from domains.access.service.texts import screen_of, text_of
from domains.access.visits import MOST_DOORS
from domains.identity.limits import limiter
from domains.kernel import live
from domains.kernel.actor import Actor
from domains.kernel.errors import Conflict, NotFound, Throttled
from domains.kernel.rates import RateLimit, WhenDown, network_of

PER_ADDRESS = RateLimit("visitor-page-address", 120, 60, 120, WhenDown.OPEN)
"""It spares the machine: a secret of 128 bits needs no protection from guessing, and a guest at the gate needs it."""
LONGEST_SECRET = 64


async def visitor_page(actor: Actor, secret: str) -> VisitorPage:
    """What the guest sees. A link that nobody was given costs what one lookup costs, whatever it looks like.

    Raises NOT_FOUND, Throttled VISITOR_PAGE_TOO_OFTEN.
    """
    verdict = await limiter().take(PER_ADDRESS, network_of(actor.origin.ip))
    if not verdict.allowed:
        raise Throttled("VISITOR_PAGE_TOO_OFTEN", "打开太频繁,请稍后再试", verdict.retry_after_s)
    found = await linked(secret[:LONGEST_SECRET])
    if found is None:
        raise NotFound("NOT_FOUND", "链接无效或已失效,请向邀请您的住户索取新的链接", "secret")
    return await _shown(found)


async def follow_page(actor: Actor, secret: str) -> AsyncGenerator[VisitorPage, None]:
    """The page as it is now, and after each change; it ends with the link. Raises as `visitor_page`."""
    return _changes(await visitor_page(actor, secret), secret[:LONGEST_SECRET])


async def _changes(shown: VisitorPage, secret: str) -> AsyncGenerator[VisitorPage, None]:
    yield shown
    while True:
        channel = _channel(shown)
        with live.hub().listening(channel) as bell:
            # The link of a repeated visit leads to another pass after each one.
            while _channel(shown) == channel:
                await bell.wait()
                bell.clear()
                found = await linked(secret)
                if found is None:
                    return
                if (now := await _shown(found)) != shown:
                    yield (shown := now)


def _channel(shown: VisitorPage) -> str:
    # Nobody rings before there is a pass: the listener looks by turns.
    return pass_channel(shown.pass_id) if shown.pass_id else "pass:none"


async def _shown(found: Linked) -> VisitorPage:
    same = {field.name: getattr(found, field.name) for field in fields(Linked)}
    if found.pass_id is None or found.state not in ("active", "used_up"):
        return VisitorPage(**same, doors=[], text=None, digits=None, screen_key=None)
    doors = (await passes.doors_of_passes([found.pass_id])).get(found.pass_id, [])
    return VisitorPage(
        **same, doors=doors[:MOST_DOORS], text=await text_of(found.pass_id),
        digits=await _digits(found.pass_id), screen_key=await screen_of(found.pass_id),
    )  # fmt: skip


async def _digits(pass_id: UUID) -> str | None:
    # On a day on which no digits are left the QR code still opens.
    with suppress(Conflict):
        return await digits_of(pass_id)
    return None
