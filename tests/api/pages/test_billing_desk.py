"""Runs, arrears, dunning and the books at the desk."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from uuid import UUID

import pytest
from starlette.applications import Starlette

from domains.billing import permissions
from domains.billing.models import Bill, BillingRun, DunningLetter, DunningStep, Expense, PaymentPromise
from domains.billing.run_jobs import post_runs
from domains.kernel import clock
from schema.relay import encode
from tests.api.pages.test_registrations import staff_of
from tests.api.pages.visitors import HTMX, Visitor, seen, visiting
from tests.factories import bills, books, charges, dunning, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
RUNS, ARREARS, DUNNING, BOOKS = "/staff/billing-runs", "/staff/arrears", "/staff/dunning", "/staff/books"
READ = (permissions.BILLS_READ, "estate.read")
ALL = (*permissions.LABELS, "estate.read")
MARCH = "2026-03"


@pytest.fixture
async def scene() -> Scene:
    """Places that no other test uses."""
    return await residents.scene()


async def draft(visitor: Visitor) -> str:
    """A run of March that waits for approval; its page."""
    shown = await visitor.get(f"{RUNS}/preview?month={MARCH}")
    key = re.search(r'name="key" value="([^"]+)"', shown.text)
    assert key is not None
    done = await visitor.post(f"{RUNS}/start", {"month": MARCH, "key": key[1]})
    assert done.status_code == 303
    return done.headers["location"]


async def test_a_run_is_previewed_started_approved_and_followed(app: Starlette, scene: Scene) -> None:
    await charges.item(scene.compound_id, name="物业费")
    await charges.item(scene.compound_id, None, name="没有标准的费")
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ALL))
        preview = seen(await visitor.get(f"{RUNS}/preview?month={MARCH}"))
        assert "物业费" in preview and "这段时间没有收费标准" in preview and "提交审批 ¥" in preview
        assert await BillingRun.filter(compound_id=scene.compound_id).count() == 0
        where = await draft(visitor)
        shown = await visitor.get(where)
        assert "待审批" in seen(shown) and "批准出账 ¥" in seen(shown)
        run = await BillingRun.get(compound_id=scene.compound_id)
        given = {"run": encode("BillingRun", run.id), "expected": str(run.expected_fen)}
        wrong = await visitor.post(f"{RUNS}/approve", {**given, "expected": "1"})
        assert 'role="alert"' in (await visitor.get(wrong.headers["location"])).text
        assert (await BillingRun.get(pk=run.id)).state == "draft"
        await visitor.post(f"{RUNS}/approve", given)
        progress = f"{RUNS}/progress?run={given['run']}"
        assert "every 2s" in (await visitor.get(where)).text and "已处理 0 /" in seen(
            await visitor.get(progress, **HTMX)
        )
        await post_runs(None)
        assert (await visitor.get(progress, **HTMX)).headers["hx-redirect"] == where
        posted = seen(await visitor.get(where))
        made = await Bill.filter(run_id=run.id)
        assert made and f"（{len(made)} 张账单）" in posted and "1号楼1单元101" in posted
        assert MARCH in seen(await visitor.get(RUNS))


async def test_a_draft_is_given_up(app: Starlette, scene: Scene) -> None:
    await charges.item(scene.compound_id)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, permissions.RUNS_START, "estate.read"))
        shown = seen(await visitor.get(await draft(visitor)))
        assert "批准出账" not in shown and "取消出账" in shown
        run = await BillingRun.get(compound_id=scene.compound_id)
        await visitor.post(f"{RUNS}/cancel", {"run": encode("BillingRun", run.id)})
    assert (await BillingRun.get(pk=run.id)).state == "cancelled"


async def test_a_run_is_limited_to_some_fee_items(app: Starlette, scene: Scene) -> None:
    wanted = await charges.item(scene.compound_id, name="物业费")
    await charges.item(scene.compound_id, name="电梯费")
    span = f"{RUNS}/preview?month={MARCH}"
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ALL))
        assert "只出部分收费项目" in seen(await visitor.get(RUNS))
        whole = await visitor.get(span)
        assert all(f'data-label="收费项目">{name}<' in whole.text for name in ("物业费", "电梯费"))
        shown = await visitor.get(f"{span}&item={encode('FeeItem', wanted)}")
        assert 'data-label="收费项目">物业费<' in shown.text
        assert 'data-label="收费项目">电梯费<' not in shown.text
        sent = re.findall(r'type="hidden" name="(item|key)" value="([^"]+)"', shown.text)
        await visitor.post(f"{RUNS}/start", {"month": MARCH, **dict(sent)})
        elsewhere = await charges.item((await residents.scene()).compound_id)
        other = await visitor.get(f"{span}&item={encode('FeeItem', elsewhere)}")
        assert 'data-label="收费项目">' not in other.text
    run = await BillingRun.get(compound_id=scene.compound_id)
    assert [str(each) for each in run.fee_item_ids] == [str(wanted)]
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, permissions.RUNS_START, "estate.read"))
        assert "只出部分收费项目" not in seen(await visitor.get(RUNS))


async def owing(scene: Scene, days: int = 40) -> UUID:
    """A bill of the scene's house that is overdue."""
    return await bills.bill(scene.house_id, 12_300, due_on=clock.today() - timedelta(days=days))


async def test_arrears_are_found_summed_and_exported(app: Starlette, scene: Scene) -> None:
    await owing(scene)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *READ))
        page = await visitor.get(ARREARS)
        assert "欠费本金 ¥123.00，1 户 1 张账单" in seen(page) and 'class="age-1"' in page.text
        assert "1号楼1单元101" in seen(page) and "立即催缴" not in seen(page)
        for given in ({"words": "不是这里"}, {"age": "60"}, {"least": "200"}, {"payer": "TENANT"}):
            assert "没有欠费" in seen(await visitor.post(ARREARS, given, **HTMX))
        assert "40 天" in seen(
            await visitor.post(ARREARS, {"age": "30", "least": "123", "sort": "AMOUNT"}, **HTMX)
        )
        assert 'role="alert"' in (await visitor.post(ARREARS, {"least": "many"}, **HTMX)).text
        file = await visitor.post(f"{ARREARS}/export", {"age": "30"})
        assert (await visitor.get(file.headers["location"])).content.startswith(b"PK")


async def test_a_house_is_reminded_and_promises(app: Starlette, scene: Scene) -> None:
    await owing(scene)
    house = {"house": encode("House", scene.house_id), "number": "1号楼1单元101"}
    day = (clock.today() + timedelta(days=7)).isoformat()
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *READ, permissions.DUNNING_WRITE))
        await visitor.get(ARREARS)
        row = seen(await visitor.post(f"{ARREARS}/remind", house, **HTMX))
        assert f"已发出催缴通知 上次催缴 {clock.today()}" in row
        assert 'role="alert"' in (await visitor.post(f"{ARREARS}/promise", {**house, "day": ""}, **HTMX)).text
        row = seen(await visitor.post(f"{ARREARS}/promise", {**house, "day": day, "amount": "100"}, **HTMX))
        assert f"承诺 {day} 前缴" in row
        [promise] = await PaymentPromise.filter(house_id=scene.house_id)
        assert promise.amount_fen == 10_000
        assert day in seen(await visitor.get(f"{ARREARS}/promises"))
        await visitor.post(f"{ARREARS}/promises/withdraw", {"promise": encode("PaymentPromise", promise.id)})
        assert "承诺已撤回" in seen(await visitor.get(f"{ARREARS}/promises"))


async def test_steps_are_set_and_a_letter_is_printed(app: Starlette, scene: Scene) -> None:
    await owing(scene, 5)
    steps = {"days": ["-3", "5", ""], "form": ["MESSAGE", "LETTER", "MESSAGE"]}
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *READ, permissions.DUNNING_WRITE))
        await visitor.get(DUNNING)
        token = {"form_token": visitor.token}
        bad = await visitor.http.post(f"{DUNNING}/steps", data={**steps, **token, "days": ["x", "5", ""]})
        assert bad.status_code == 200 and 'role="alert"' in bad.text and 'value="x"' in bad.text
        done = await visitor.http.post(f"{DUNNING}/steps", data={**steps, **token})
        assert done.status_code == 303
        await dunning.remind(clock.today())
        assert "CJH-" in seen(await visitor.get(DUNNING))
        [letter] = await DunningLetter.filter(house_id=scene.house_id)
        paper = await visitor.post(f"{DUNNING}/print", {"letter": encode("DunningLetter", letter.id)})
        assert (await visitor.get(paper.headers["location"])).content.startswith(b"%PDF")
        assert "没有要打印的催缴函" in seen(await visitor.get(f"{DUNNING}?printed=no", **HTMX))


async def test_expenses_are_entered_and_a_month_is_published(app: Starlette, scene: Scene) -> None:
    day = date(2026, 3, 9)
    id = await bills.bill(scene.house_id, 20_000, month=day.replace(day=1), issued_on=day)
    with books.on(day):
        await bills.pay(id, 15_000, day)
    given = {"day": str(day), "category": "CLEANING", "amount": "80.5", "note": "三月保洁"}
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ALL))
        await visitor.get(f"{BOOKS}/expenses")
        for bad in ({"amount": "x"}, {"amount": "0"}, {"note": ""}, {"day": ""}):
            refused = await visitor.post(f"{BOOKS}/expenses", {**given, **bad})
            assert refused.status_code == 200 and 'role="alert"' in refused.text
        voucher = {"voucher": ("a.pdf", b"%PDF-1.4\n%%EOF\n", "application/pdf")}
        sent = {**given, "form_token": visitor.token}
        assert (await visitor.http.post(f"{BOOKS}/expenses", data=sent, files=voucher)).status_code == 303
        expense = await Expense.get(compound_id=scene.compound_id)
        assert expense.amount_fen == 8_050 and expense.voucher_key is not None
        month = await visitor.get(f"{BOOKS}?month={MARCH}")
        assert (
            "当月支出 ¥80.50" in seen(month)
            and 'class="chart"' in month.text
            and "还没有公示过" in seen(month)
        )
        done = await visitor.post(f"{BOOKS}/publish", {"month": MARCH, "note": "请查阅"})
        assert done.status_code == 303
        published = seen(await visitor.get(done.headers["location"]))
        assert "请查阅" in published and "三月保洁" in published and "第 1 版" in published
        which = {"expense": encode("Expense", expense.id)}
        await visitor.post(f"{BOOKS}/expenses/remove", which)
        assert await Expense.filter(pk=expense.id).count() == 1
        await visitor.post(f"{BOOKS}/expenses/correct", {**which, "amount": "10", "note": "多记"})
        assert "-¥10.00" in seen(await visitor.get(f"{BOOKS}/expenses"))
        again = {**which, "amount": "5", "note": "退款凭证", "form_token": visitor.token}
        done = await visitor.http.post(f"{BOOKS}/expenses/correct", data=again, files=voucher)
        assert done.status_code == 303
    taken = await Expense.filter(corrects_id=expense.id).order_by("amount_fen")
    assert [(each.amount_fen, each.voucher_key is not None) for each in taken] == [
        (-1_000, False),
        (-500, True),
    ]


def acts(scene: Scene, run: UUID) -> Mapping[str, dict[str, str]]:
    """Everything that changes something here."""
    house = {"house": encode("House", scene.house_id), "number": "101"}
    return {
        f"{RUNS}/start": {"month": MARCH, "key": "01a1fe74-3768-7631-ae33-3fff17dc1e7e"},
        f"{RUNS}/approve": {"run": encode("BillingRun", run), "expected": "0"},
        f"{RUNS}/cancel": {"run": encode("BillingRun", run)}, f"{ARREARS}/remind": house,
        f"{ARREARS}/promise": {**house, "day": str(clock.today())}, f"{ARREARS}/export": {},
        f"{DUNNING}/steps": {"days": "3", "form": "MESSAGE"}, f"{BOOKS}/publish": {"month": MARCH},
        f"{BOOKS}/expenses": {"day": "2026-03-01", "category": "TAX", "amount": "1", "note": "试"},
    }  # fmt: skip


async def test_without_the_permission_or_with_a_forged_form_nothing_happens(
    app: Starlette, scene: Scene
) -> None:
    await charges.item(scene.compound_id)
    await owing(scene)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ALL))
        await draft(visitor)
        run = await BillingRun.get(compound_id=scene.compound_id, state="draft")
        for path, given in acts(scene, run.id).items():
            assert (await visitor.post(path, given, token="forged")).status_code == 403
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, permissions.FEES_READ, "estate.read"))
        home = await visitor.get("/staff/search")
        for path in (
            RUNS,
            f"{RUNS}/preview",
            ARREARS,
            f"{ARREARS}/promises",
            DUNNING,
            BOOKS,
            f"{BOOKS}/expenses",
        ):
            assert (await visitor.get(path)).status_code in (200, 403) and f'href="{path}"' not in home.text
        for path, given in acts(scene, run.id).items():
            assert (await visitor.post(path, given)).status_code == 403, path
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(await residents.scene(), *ALL))
        shown = await visitor.get(f"{RUNS}/one?run={encode('BillingRun', run.id)}")
        assert shown.status_code == 404
        for path in (f"{RUNS}/approve", f"{RUNS}/cancel", f"{ARREARS}/remind", f"{ARREARS}/promise"):
            assert (await visitor.post(path, acts(scene, run.id)[path])).status_code in (303, 403, 404), path
    assert (await BillingRun.get(pk=run.id)).state == "draft"
    for model in (Expense, DunningStep):
        assert await model.filter(compound_id=scene.compound_id).count() == 0
    assert await PaymentPromise.filter(house_id=scene.house_id).count() == 0
