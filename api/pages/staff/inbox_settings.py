"""How the signed-in staff member wants to be told (消息设置): quiet hours, kinds and channels, this browser."""

from __future__ import annotations

from starlette.responses import Response

from api.pages.asking import Data
from api.pages.cookies import Flash
from api.pages.page import Page

SETTINGS = "/staff/inbox/settings"


async def show(page: Page) -> Response:
    """All that can be chosen."""
    found = await page.ask("NotificationSettings")
    chosen = found["viewer"]["notificationPreferences"]
    return page.show(
        "staff/inbox_settings.html", hours=chosen["quietHours"], kinds=chosen["kinds"],
        key=found["webPushPublicKey"],
    )  # fmt: skip


async def set_quiet_hours(page: Page) -> Response:
    """Set the hours in which nothing intrudes."""
    given: dict[str, object] = {name: page.typed(name) or None for name in ("from", "until")}
    payload = (await page.ask("SetQuietHours", input={**given, "isOn": page.typed("on") == "on"}))[
        "setQuietHours"
    ]
    if payload["errors"]:
        return _refused(page, payload)
    if page.is_partial:
        return page.notify(Flash("success", page.texts("免打扰时段已保存")))
    return page.go(SETTINGS, "success", page.texts("免打扰时段已保存"))


async def set_preference(page: Page) -> Response:
    """Have a kind come by a channel, or not."""
    given = {name: page.typed(name) for name in ("kind", "channel")}
    chosen = {**given, "isOn": page.typed("on") == "on"}
    payload = (await page.ask("SetNotificationPreference", input=chosen))["setNotificationPreference"]
    if payload["errors"]:
        return _refused(page, payload)
    if page.is_partial:
        return page.show("staff/inbox_choice.html", kind=payload["preference"])
    return page.go(SETTINGS)


async def register_browser(page: Page) -> Response:
    """Send the caller's notices to this browser too, until the session ends."""
    given = {name: page.typed(name) for name in ("endpoint", "p256dh", "auth")}
    payload = (await page.ask("RegisterPushSubscription", input=given))["registerPushSubscription"]
    return _refused(page, payload) if payload["errors"] else Response(status_code=204)


async def drop_browser(page: Page) -> Response:
    """Send nothing more to this browser."""
    given = {"endpoint": page.typed("endpoint")}
    payload = (await page.ask("DropPushSubscription", input=given))["dropPushSubscription"]
    return _refused(page, payload) if payload["errors"] else Response(status_code=204)


def _refused(page: Page, payload: Data) -> Response:
    message = payload["errors"][0]["message"]
    return page.notify(Flash("danger", message)) if page.is_partial else page.go(SETTINGS, "danger", message)
