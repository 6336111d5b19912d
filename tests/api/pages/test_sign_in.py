"""Signing in by the form: cookies, second factor, initial password, renewal, the end of a session."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pyotp
import pytest
import time_machine
from starlette.applications import Starlette

from api.settings import Settings
from domains.identity.models import Session, StaffMember
from domains.identity.service.own_credentials import confirm_totp, set_up_totp
from domains.identity.service.staff_accounts import reset_staff_password
from domains.kernel import clock, database
from domains.residents import permissions
from tests.api.pages.visitors import Visitor, seen, visiting
from tests.factories import identity

pytestmark = pytest.mark.usefixtures("instance")


async def colleague(*granted: str) -> str:
    """The login of somebody who may review registrations, or what is named."""
    at = await identity.places()
    return await identity.login_of(await identity.staff(at, granted or (permissions.REVIEW,)))


async def sessions_of(login: str) -> int:
    """Sessions of an account that have not ended."""
    staff = await StaffMember.get(login=login).values("account_id")
    return await Session.filter(account_id=staff["account_id"], ended_at=None).count()


async def test_sign_in_leads_to_the_first_page_of_use(visitor: Visitor) -> None:
    done = await visitor.sign_in(await colleague())
    assert (done.status_code, done.headers["location"]) == (303, "/staff")
    first = await visitor.get("/staff")
    assert first.headers["location"] == "/staff/registrations"
    assert "登记审核" in seen(await visitor.get("/staff/registrations"))


async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(visitor: Visitor) -> None:
    done = await visitor.sign_in(await colleague())
    cookies = done.headers.get_list("set-cookie")
    assert {cookie.partition("=")[0] for cookie in cookies} >= {"linli-access", "linli-refresh", "linli-form"}
    assert all("HttpOnly" in c and "SameSite=lax" in c and "Path=/" in c for c in cookies)
    assert not any("Secure" in cookie or "Domain" in cookie for cookie in cookies)


async def test_over_https_cookies_are_secure_and_bound_to_the_host(settings: Settings) -> None:
    from api.app import build_app

    secure = settings.model_copy(update={"public_url": "https://linli.test"})
    async with visiting(build_app(secure), "https://linli.test") as visitor:
        done = await visitor.sign_in(await colleague())
        set_now = [c for c in done.headers.get_list("set-cookie") if "Max-Age=0" not in c]
        assert len(set_now) == 3
        assert all(c.startswith("__Host-linli-") and "Secure" in c for c in set_now)
        assert "max-age=63072000" in done.headers["strict-transport-security"]
        assert (await visitor.get("/staff/registrations")).status_code == 200


@pytest.mark.parametrize(
    "fields", [{"login": "nobody", "password": "Wrong-2026-x"}, {"login": "", "password": ""}]
)
async def test_a_wrong_password_signs_nobody_in(visitor: Visitor, fields: dict[str, str]) -> None:
    await visitor.get("/staff/sign-in")
    refused = await visitor.post("/staff/sign-in", fields)
    assert refused.status_code == 200
    assert "账号或密码不正确" in seen(refused)
    assert visitor.cookie("access") is None


async def test_the_code_is_asked_for_only_where_it_is_set_up(visitor: Visitor) -> None:
    account = await identity.staff(await identity.places(), (permissions.REVIEW,))
    await StaffMember.filter(account_id=account).update(must_change_password=False)
    caller, login = await identity.actor(account), await identity.login_of(account)
    made = await set_up_totp(caller, password=identity.PASSWORD)
    codes = pyotp.TOTP(made.secret)
    await confirm_totp(caller, code=codes.at(clock.now() - timedelta(seconds=30)))
    asked = await visitor.sign_in(login)
    assert asked.status_code == 200
    assert 'name="code"' in asked.text and "验证器应用" in seen(asked)
    wrong = await visitor.sign_in(login, code="000000")
    assert 'name="code"' in wrong.text and "动态口令不正确" in seen(wrong)
    assert (await visitor.sign_in(login, code=codes.at(clock.now()))).status_code == 303


async def test_an_initial_password_has_to_be_changed_first(visitor: Visitor) -> None:
    at = await identity.places()
    manager = await identity.actor(
        await identity.staff(at, ("staff.read", "staff.write", permissions.REVIEW))
    )
    account = await identity.staff(at, (permissions.REVIEW,))
    made = await reset_staff_password(manager, account_id=account)
    await visitor.sign_in(await identity.login_of(account), made.temporary_password)
    for path in ("/staff", "/staff/registrations", "/staff/search", "/staff/import", "/staff/audit"):
        assert (await visitor.get(path)).headers["location"] == "/staff/password"
    new = {"password": made.temporary_password, "new_password": "Fresh-2026-pw", "again": "Other-2026-pw"}
    assert "两次输入的新密码不一致" in seen(await visitor.post("/staff/password", new))
    weak = await visitor.post("/staff/password", {**new, "new_password": "short", "again": "short"})
    assert "密码至少 10 位" in seen(weak)
    done = await visitor.post("/staff/password", {**new, "again": "Fresh-2026-pw"})
    assert (done.status_code, done.headers["location"]) == (303, "/staff")
    shown = await visitor.get("/staff/registrations")
    assert shown.status_code == 200 and "密码已修改" in seen(shown)
    assert "密码已修改" not in seen(await visitor.get("/staff/registrations"))


async def test_signing_out_ends_the_session_itself(visitor: Visitor) -> None:
    login = await colleague()
    await visitor.sign_in(login)
    kept = dict(visitor.http.cookies)
    assert await sessions_of(login) == 1
    done = await visitor.post("/staff/sign-out", {})
    assert done.headers["location"] == "/staff/sign-in"
    assert (await sessions_of(login), visitor.cookie("access")) == (0, None)
    assert "您已退出登录" in seen(await visitor.get("/staff/sign-in"))
    visitor.http.cookies.update(kept)
    again = await visitor.get("/staff/registrations")
    assert again.headers["location"] == "/staff/sign-in?next=%2Fstaff%2Fregistrations&ended=1"


async def test_an_access_token_that_ran_out_is_renewed_on_the_way(visitor: Visitor) -> None:
    login = await colleague()
    await visitor.sign_in(login)
    before = (visitor.cookie("access"), visitor.cookie("refresh"))
    with time_machine.travel(clock.now() + timedelta(minutes=16), tick=True):
        shown = await visitor.get("/staff/registrations")
        assert shown.status_code == 200
        after = (visitor.cookie("access"), visitor.cookie("refresh"))
        assert None not in after and before[0] != after[0] and before[1] != after[1]
        assert (await visitor.get("/staff/registrations")).status_code == 200
    assert await sessions_of(login) == 1


async def test_parts_that_are_asked_for_at_once_do_not_end_the_session(visitor: Visitor) -> None:
    login = await colleague()
    await visitor.sign_in(login)
    with time_machine.travel(clock.now() + timedelta(minutes=16), tick=True):
        shown = await asyncio.gather(*(visitor.get("/staff/registrations") for _ in range(5)))
        assert {response.status_code for response in shown} == {200}
        assert len({r.cookies.get("linli-refresh") for r in shown}) == 1
    assert await sessions_of(login) == 1


async def test_an_idle_session_is_over_and_says_so(visitor: Visitor) -> None:
    await visitor.sign_in(await colleague())
    with time_machine.travel(clock.now() + timedelta(minutes=31), tick=True):
        over = await visitor.get("/staff/audit?since=2026-01-01")
        assert over.headers["location"].startswith(
            "/staff/sign-in?next=%2Fstaff%2Faudit%3Fsince%3D2026-01-01"
        )
        assert visitor.cookie("access") is None
        assert "长时间没有操作" in seen(await visitor.get(over.headers["location"]))
        part = await visitor.get("/staff/registrations", **{"hx-request": "true"})
        assert part.headers["hx-redirect"].startswith("/staff/sign-in")


async def test_a_session_that_was_fixed_beforehand_is_not_continued(app: Starlette) -> None:
    async with visiting(app) as attacker, visiting(app) as victim:
        await attacker.sign_in(await colleague())
        login = await colleague()
        await victim.get("/staff/sign-in")
        done = await victim.post("/staff/sign-in", {"login": login, "password": identity.PASSWORD})
        assert done.status_code == 303
        for name in ("access", "refresh", "form"):
            assert done.cookies[f"linli-{name}"] != attacker.cookie(name)
        # Another host of the domain may plant cookies over http: the token still is of one session.
        victim.http.cookies.delete("linli-form")
        victim.http.cookies.set("linli-form", attacker.cookie("form") or "")
        forged = await victim.post("/staff/sign-out", {}, token=attacker.token)
        assert forged.status_code == 403 and await sessions_of(login) == 1


async def test_signing_in_leaves_an_audit_row(visitor: Visitor) -> None:
    login = await colleague()
    await visitor.sign_in(login)
    row = await database.fetchrow(
        "SELECT outcome, ip FROM audit_entry a JOIN staff_member m ON m.account_id = a.actor_id "
        "WHERE m.login = $1 AND action = 'session.sign_in'", login,
    )  # fmt: skip
    assert row is not None and row["outcome"] == "done" and row["ip"].startswith("10.")


async def test_a_link_asks_for_somebody_and_ends_whoever_was_signed_in(visitor: Visitor) -> None:
    first, second = await colleague(), await colleague()
    await visitor.sign_in(first)
    onward = await visitor.get("/staff/sign-in?next=/staff/guard")
    assert onward.headers["location"] == "/staff/guard"
    asked = await visitor.get(f"/staff/sign-in?as={second}&next=/staff/guard")
    assert asked.status_code == 200 and f'name="login" value="{second}"' in asked.text
    given = {"login": second, "password": identity.PASSWORD, "next": "/staff/guard"}
    refused = await visitor.post("/staff/sign-in", {**given, "password": "Wrong-password-1"})
    assert refused.status_code == 200 and await sessions_of(first) == 1
    done = await visitor.post("/staff/sign-in", given)
    assert (done.status_code, done.headers["location"]) == (303, "/staff/guard")
    assert (await sessions_of(first), await sessions_of(second)) == (0, 1)


async def test_a_login_in_an_address_is_text(visitor: Visitor) -> None:
    shown = await visitor.get('/staff/sign-in?as="><script>alert(1)</script>')
    assert "<script>alert" not in shown.text and "alert(1)" in shown.text
