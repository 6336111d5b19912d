"""Signing in, signing out, one's own password (登录、退出、修改密码)."""

from __future__ import annotations

from starlette.responses import Response

from api.pages.page import HOME, SIGN_IN, Page, local
from api.pages.sessions import pair_of

Errors = list[dict[str, str]]


async def show_sign_in(page: Page) -> Response:
    """The form; one who is signed in goes on, except by a link that asks for somebody else (`as`)."""
    after, wanted = local(page.asked("next")), page.asked("as") or ""
    if page.context.actor.kind == "staff" and not wanted:
        return page.go(after)
    return _form(page, after, login=wanted, is_over=page.asked("ended") is not None)


def _form(
    page: Page, after: str, *, login: str = "", errors: Errors | None = None, is_over: bool = False,
    asks_code: bool = False,
) -> Response:  # fmt: skip
    return page.show(
        "sign_in.html", after=after, login=page.typed("login") or login, errors=errors or [], is_over=is_over,
        asks_code=asks_code,
    )  # fmt: skip


async def sign_in(page: Page) -> Response:
    """Check login and password; the field for the code comes when the account asks for one."""
    code = page.typed("code")
    password = str(page.form.get("password", ""))
    given = {
        "login": page.typed("login"), "password": password, "code": code or None,
        "device": page.context.actor.origin.user_agent,
    }  # fmt: skip
    payload = (await page.ask("SignInStaff", input=given))["signInStaff"]
    after, pair = local(page.typed("next")), pair_of(payload)
    if pair is None:
        errors: Errors = payload["errors"]
        wanted = errors[0]["code"] == "TOTP_REQUIRED"
        return _form(page, after, errors=[] if wanted else errors, asks_code=wanted or bool(code))
    if page.context.actor.kind == "staff":  # somebody else was signed in here
        await page.ask("SignOut")
    page.jar.sign_in(*pair)
    return page.go(after)


async def sign_out(page: Page) -> Response:
    """End the session, not only in this browser."""
    await page.ask("SignOut")
    page.jar.forget()
    return page.go(SIGN_IN, "success", page.texts("您已退出登录"))


async def show_password(page: Page) -> Response:
    """The form for a new password."""
    return page.show("staff/password.html", errors=[])


async def change_password(page: Page) -> Response:
    """Change one's own password; every other session ends."""
    new = str(page.form.get("new_password", ""))
    if new != page.form.get("again"):
        message = page.texts("两次输入的新密码不一致，请重新输入")
        return page.show("staff/password.html", errors=[{"message": message}])
    given = {"password": str(page.form.get("password", "")), "newPassword": new}
    payload = (await page.ask("ChangePassword", input=given))["changePassword"]
    if payload["errors"]:
        return page.show("staff/password.html", errors=payload["errors"])
    return page.go(HOME, "success", page.texts("密码已修改"))
