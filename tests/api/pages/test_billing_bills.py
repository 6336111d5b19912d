"""Bills at the desk: search, one bill with how it came, corrections asked for and decided, papers, a house's money."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from starlette.applications import Starlette

from domains.billing import permissions
from domains.billing.models import Correction
from domains.kernel import clock
from schema.relay import encode
from tests.api.pages.test_registrations import staff_of
from tests.api.pages.visitors import HTMX, Visitor, seen, visiting
from tests.factories import bills, ledger, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
PAGE = "/staff/bills"
READ = (permissions.BILLS_READ, "estate.read")
ASK = (*READ, permissions.CORRECTIONS_REQUEST)


def one(id: UUID) -> str:
    """The page of a bill."""
    return f"{PAGE}/one?bill={encode('Bill', id)}"


@pytest.fixture
async def scene() -> Scene:
    """Places that no other test uses."""
    return await residents.scene()


async def asked(visitor: Visitor, bill: UUID, **fields: str) -> int:
    """Ask to waive some of a bill; the status."""
    given = {"bill": encode("Bill", bill), "kind": "waiver", "amount": "20", "reason": "漏水", **fields}
    return (await visitor.post(f"{PAGE}/correct", given)).status_code


async def test_they_are_found_and_read(app: Starlette, scene: Scene) -> None:
    due = clock.today() - timedelta(days=10)
    id = await bills.bill(scene.house_id, 12_345, due_on=due)
    paid = await bills.bill(scene.house_id, 500, month=date(2026, 4, 1), due_on=due)
    await bills.pay(paid, 500)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *READ))
        assert "共 2 张账单" in seen(await visitor.get(PAGE))
        part = seen(await visitor.get(f"{PAGE}?state=OPEN&overdue=on&month=2026-03", **HTMX))
        assert "共 1 张账单" in part and "¥123.45" in part and "逾期" in part
        assert "没有符合条件的账单" in seen(await visitor.get(f"{PAGE}?house=999", **HTMX))
        shown = seen(await visitor.get(one(id)))
        assert "今天待缴 ¥123.45" in shown and "还没有缴费" in shown and "申请减免" not in shown
        assert (
            "¥5.00" in seen(await visitor.get(one(paid)))
            and (await visitor.get(f"{PAGE}?month=x")).status_code == 400
        )


async def test_papers_are_fetched(app: Starlette, scene: Scene) -> None:
    id = await bills.bill(scene.house_id, 500)
    journal = await bills.pay(id, 200)
    bill = encode("Bill", id)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *READ))
        receipt = {"bill": bill, "payment": encode("BillPayment", journal)}
        span = {"house": encode("House", scene.house_id), "since": "2026-01-01", "until": "2026-12-31"}
        for path, given in (("paper", {"bill": bill}), ("receipt", receipt), ("statement", span)):
            done = await visitor.post(f"{PAGE}/{path}", given)
            assert done.status_code == 303
            file = await visitor.get(done.headers["location"])
            assert file.content.startswith(b"%PDF"), path
        assert (await visitor.post(f"{PAGE}/statement", {**span, "since": ""})).status_code == 400


async def test_the_money_of_a_house_is_shown(app: Starlette, scene: Scene) -> None:
    await ledger.prepay(scene.compound_id, scene.house_id, 12_300)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *READ))
        shown = seen(await visitor.get(f"{PAGE}/account?house={encode('House', scene.house_id)}"))
        assert "预存款 ¥123.00" in shown and "款项变动" in shown


async def test_a_correction_is_asked_for_by_one_and_decided_by_another(app: Starlette, scene: Scene) -> None:
    id = await bills.bill(scene.house_id, 10_000)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ASK, permissions.CORRECTIONS_DECIDE))
        for bad in ({"amount": "1.234"}, {"amount": "0"}, {"reason": ""}):
            given = {"bill": encode("Bill", id), "kind": "waiver", "amount": "20", "reason": "漏水", **bad}
            refused = await visitor.post(f"{PAGE}/correct", given)
            assert refused.status_code == 200 and 'role="alert"' in refused.text
        assert await Correction.filter(bill_id=id).count() == 0
        assert await asked(visitor, id) == 303
        own = seen(await visitor.get("/staff/corrections"))
        assert "撤回申请" in own and "确认驳回" not in own
    correction = await Correction.get(bill_id=id)
    given = {"correction": encode("Correction", correction.id), "decision": "APPROVE"}
    async with visiting(app) as other:
        await other.sign_in(await staff_of(scene, *READ, permissions.CORRECTIONS_DECIDE))
        assert "漏水" in seen(await other.get("/staff/corrections"))
        card = await other.post("/staff/corrections/decide", given, **HTMX)
        assert "已生效" in seen(card) and "-¥20.00" in seen(card)
        again = await other.post("/staff/corrections/decide", given, **HTMX)
        assert 'role="alert"' in again.text
        assert "更正后本金 ¥80.00" in seen(await other.get(one(id)))
    assert await bills.state_of(id) == ("open", 8_000, 0, 0, 0)


async def test_an_adjustment_and_a_void_are_asked_for(app: Starlette, scene: Scene) -> None:
    id = await bills.bill(scene.house_id, 10_000)
    line = encode("BillLine", await bills.line_of(id))
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ASK))
        assert await asked(visitor, id, kind="adjustment", line=line, way="less", amount="3.5") == 303
        [less] = await Correction.filter(bill_id=id)
        assert (less.kind, less.amount_fen) == ("adjustment", -350)
        await visitor.get("/staff/corrections")
        await visitor.post("/staff/corrections/withdraw", {"correction": encode("Correction", less.id)})
        assert "没有这样的申请" in seen(await visitor.get("/staff/corrections"))
        assert await asked(visitor, id, kind="void") == 303
    assert await Correction.filter(bill_id=id, kind="void", state="requested").count() == 1


async def test_without_the_permission_or_elsewhere_nothing_happens(app: Starlette, scene: Scene) -> None:
    id = await bills.bill(scene.house_id, 10_000)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *READ))
        await visitor.get(one(id))
        assert await asked(visitor, id) == 403
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(await residents.scene(), *ASK))
        assert (await visitor.get(one(id))).status_code == 404
        assert await asked(visitor, id) in (403, 404)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ASK))
        given = {"bill": encode("Bill", id), "kind": "void", "reason": "试"}
        assert (await visitor.post(f"{PAGE}/correct", given, token="forged")).status_code == 403
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, permissions.FEES_READ, "estate.read"))
        home = await visitor.get("/staff/search")
        assert (await visitor.get(PAGE)).status_code == 403 and 'href="/staff/bills"' not in home.text
    assert await Correction.filter(bill_id=id).count() == 0
