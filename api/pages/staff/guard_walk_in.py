"""Somebody who comes without a pass (来访登记)."""

from __future__ import annotations

from starlette.responses import Response

from api.pages.page import Page
from api.pages.staff.guard import LIST, PURPOSES, shown
from api.pages.staff.post import door_of, post_of

DOCUMENTS = (
    "RESIDENT_ID", "PASSPORT", "HK_MACAO_PERMIT", "TAIWAN_PERMIT", "HMT_RESIDENCE_PERMIT", "FOREIGNER_RESIDENCE_CARD",
    "HOUSEHOLD_REGISTER", "OTHER",
)  # fmt: skip
"""Which kind was seen; a number is never asked for."""
FIELDS = ("place", "name", "phone", "document", "plate", "companions", "purpose")


async def show(page: Page) -> Response:
    """An empty form."""
    return await _form(page, {}, "")


async def register(page: Page) -> Response:
    """Let the visitor in; a form that is refused is shown again as it was filled in."""
    typed = {name: page.typed(name) for name in FIELDS}
    post = await post_of(page)
    given = {
        "compound": post.place.id, "door": door_of(page, post), "place": typed["place"], "guestName": typed["name"],
        "phone": typed["phone"] or None, "plate": typed["plate"], "idempotencyKey": page.typed("key"),
        "documentKind": typed["document"] if typed["document"] in DOCUMENTS else None,
        "companions": int(typed["companions"]) if typed["companions"].isdecimal() else 0,
        "purpose": typed["purpose"] if typed["purpose"] in PURPOSES else "OTHER",
    }  # fmt: skip
    payload = (await page.ask("RegisterWalkIn", input=given))["registerWalkIn"]
    if payload["errors"]:
        return await _form(page, typed, payload["errors"][0]["message"])
    return page.go(LIST, "success", page.texts("{name} 已登记并放行", name=typed["name"]))


async def _form(page: Page, typed: dict[str, str], problem: str) -> Response:
    filled = {name: typed.get(name, "") for name in FIELDS}
    return await shown(
        page, "staff/guard_walk_in.html", here="/staff/guard/walk-in", typed=filled, problem=problem,
        documents=DOCUMENTS, purposes=PURPOSES,
    )  # fmt: skip
