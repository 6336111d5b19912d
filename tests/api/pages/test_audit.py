"""Reading the audit in the browser."""

from __future__ import annotations

import pytest

from domains.estate.models import Compound
from domains.identity import permissions as identity_permissions
from domains.kernel import database
from domains.residents import permissions
from tests.api.pages.visitors import HTMX, Visitor, seen
from tests.factories import identity, residents

pytestmark = pytest.mark.usefixtures("instance")


async def auditor(visitor: Visitor) -> str:
    """Sign in somebody who may read the audit; the login."""
    scene = await residents.scene()
    compound = await Compound.get(pk=scene.compound_id).select_related("company")
    granted = (identity_permissions.AUDIT_READ, permissions.REVIEW)
    login = await identity.login_of(await identity.staff(compound.company.name, granted))
    await visitor.sign_in(login)
    return login


async def test_what_was_done_is_listed_and_reading_it_is_too(visitor: Visitor) -> None:
    await auditor(visitor)
    await visitor.get("/staff/registrations")
    first = seen(await visitor.get("/staff/audit"))
    assert "查看登记列表" in first and "王师傅" in first and "成功" in first
    assert "查看审计" in seen(await visitor.get("/staff/audit?action=audit.read", **HTMX))


async def test_it_is_narrowed_by_action_and_day(visitor: Visitor) -> None:
    await auditor(visitor)
    await visitor.get("/staff/registrations")
    rows = await visitor.get("/staff/audit?action=registration.list", **HTMX)
    assert "查看登记列表" in seen(rows) and "<html" not in rows.text
    assert "没有符合条件的记录" in seen(await visitor.get("/staff/audit?until=2020-01-01", **HTMX))
    assert "登录" in seen(await visitor.get("/staff/audit?about=accounts", **HTMX))


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "9999-12-31", "0000-00-00"])
async def test_a_bad_day_is_refused_in_words(visitor: Visitor, day: str) -> None:
    await auditor(visitor)
    refused = await visitor.get(f"/staff/audit?until={day}", **HTMX)
    assert refused.status_code == 200 and "日期不正确" in seen(refused)


async def test_details_with_markup_are_text(visitor: Visitor) -> None:
    login = await auditor(visitor)
    await visitor.get("/staff/audit?action=%3Cscript%3Ealert(1)%3C/script%3E")
    shown = await visitor.get("/staff/audit")
    assert "<script>alert" not in shown.text
    row = await database.fetchrow(
        "SELECT count(*) AS n FROM audit_entry a JOIN staff_member m ON m.account_id = a.actor_id "
        "WHERE m.login = $1 AND action = 'audit.read'", login,
    )  # fmt: skip
    assert row is not None and row["n"] >= 2
