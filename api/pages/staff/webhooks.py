"""Other systems that are told what happens in the compound (系统对接, Webhook)."""

from __future__ import annotations

from starlette.responses import Response

from api.pages.asking import Data
from api.pages.cookies import Flash
from api.pages.page import Page
from api.pages.staff.place import place_of

LIST = "/staff/webhooks"


async def show(page: Page) -> Response:
    """The endpoints of the compound, and the form for another."""
    return await _list(page)


async def register(page: Page) -> Response:
    """Another endpoint; its secret is shown in the answer and never again."""
    given = {
        "compound": (await place_of(page)).id, "name": page.typed("name"), "url": page.typed("url"),
        "kinds": [str(each) for each in page.form.getlist("kinds")],
    }  # fmt: skip
    payload = (await page.ask("RegisterWebhook", input=given))["registerWebhook"]
    return await _with_secret(page, payload)


async def rotate(page: Page) -> Response:
    """Another secret, shown in the answer and never again."""
    payload = (await page.ask("RotateWebhookSecret", input=_which(page)))["rotateWebhookSecret"]
    return await _with_secret(page, payload)


async def test(page: Page) -> Response:
    """Call it once; what came of it stands in the delivery log."""
    payload = (await page.ask("TestWebhook", input=_which(page)))["testWebhook"]
    return await _changed(page, payload, page.texts("测试消息已发出，结果请看投递记录"))


async def enable(page: Page) -> Response:
    """Call it again."""
    payload = (await page.ask("EnableWebhook", input=_which(page)))["enableWebhook"]
    return await _changed(page, payload, page.texts("对接已启用"))


async def disable(page: Page) -> Response:
    """Call it no more."""
    payload = (await page.ask("DisableWebhook", input=_which(page)))["disableWebhook"]
    return await _changed(page, payload, page.texts("对接已停用"))


async def remove(page: Page) -> Response:
    """Forget it."""
    payload = (await page.ask("RemoveWebhook", input=_which(page)))["removeWebhook"]
    return await _changed(page, payload, page.texts("对接已移除"))


def _which(page: Page) -> dict[str, str]:
    return {"webhook": page.typed("webhook")}


async def _list(page: Page, *, secret: str = "", problem: str = "", done: str = "") -> Response:
    place = await place_of(page)
    found = await page.ask("Webhooks", compound=place.id)
    labels = {kind["name"]: kind["label"] for kind in found["webhookKinds"] or []}
    template = "staff/webhook_list.html" if page.is_partial else "staff/webhooks.html"
    return page.show(
        template, place=place, webhooks=found["webhooks"] or [], labels=labels, secret=secret,
        problem=problem, done=done,
    )  # fmt: skip


async def _with_secret(page: Page, payload: Data) -> Response:
    # Never by way of a redirect: what is shown once must not lie in a cookie.
    if payload["errors"]:
        return await _list(page, problem=payload["errors"][0]["message"])
    return await _list(page, secret=payload["secret"])


async def _changed(page: Page, payload: Data, done: str) -> Response:
    problem = payload["errors"][0]["message"] if payload["errors"] else ""
    if not page.is_partial:
        return page.go(LIST, "danger" if problem else "success", problem or done)
    if problem:
        return page.notify(Flash("danger", problem))
    return await _list(page, done=done)
