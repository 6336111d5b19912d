"""Fee items, rules, houses' own terms and shared costs at the desk."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from starlette.applications import Starlette

from domains.billing import permissions
from domains.billing.models import (
    BillingRules,
    FeeAgreement,
    FeeItem,
    FeePrice,
    LateFeeRule,
    Liability,
    PooledCost,
    Vacancy,
)
from schema.relay import encode
from tests.api.pages.test_registrations import staff_of
from tests.api.pages.visitors import seen, visiting
from tests.factories import billing, residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
PAGE = "/staff/fees"
READ = (permissions.FEES_READ,)
ALL = (*READ, permissions.FEES_WRITE, "estate.read")
NEW = {
    "method": "BUILT_AREA", "name": "电梯费", "category": "PROPERTY", "startsOn": "2026-01-01", "cycleMonths": "3",
    "timing": "ADVANCE", "anchor": "CALENDAR", "priceMonths": "1", "payer": "OWNER", "vacancyPercent": "70",
    "bearsLateFee": "on",
}  # fmt: skip


@pytest.fixture
async def scene() -> Scene:
    """Places that no other test uses."""
    return await residents.scene()


def one(id: UUID) -> str:
    """The page of an item."""
    return f"{PAGE}/one?item={encode('FeeItem', id)}"


async def test_an_item_is_made_and_priced(app: Starlette, scene: Scene) -> None:
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ALL))
        assert "还没有收费项目" in seen(await visitor.get(PAGE))
        assert "阶梯累计" in seen(await visitor.get(f"{PAGE}/new?method=METERED"))
        for bad in ({"name": ""}, {"cycleMonths": "三"}, {"startsOn": ""}, {"vacancyPercent": "101"}):
            shown = await visitor.post(f"{PAGE}/new", {**NEW, **bad})
            assert shown.status_code == 200 and 'role="alert"' in shown.text
        assert await FeeItem.filter(compound_id=scene.compound_id).count() == 0
        done = await visitor.post(f"{PAGE}/new", NEW)
        assert done.status_code == 303, seen(done)
        assert "还没有价格" in seen(await visitor.get(done.headers["location"]))
        item = await FeeItem.get(compound_id=scene.compound_id)
        assert (item.cycle_months, item.timing, int(item.vacancy_percent)) == (3, "advance", 70)
    # Somebody else goes on: one clerk's budget of queries is not what this is about.
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ALL))
        price = {
            "item": encode("FeeItem", item.id),
            "method": "BUILT_AREA",
            "fromOn": "2026-01-01",
            "price": "2.805",
        }
        house = {"house": "1号楼1单元101", "do": "try"}
        assert "应收" in seen(await visitor.post(f"{PAGE}/price", {**price, **house}))
        assert "没有找到这套房屋" in seen(
            await visitor.post(f"{PAGE}/price", {**price, **house, "house": "无"})
        )
        assert "请填写数字" in seen(await visitor.post(f"{PAGE}/price", {**price, "price": "两元"}))
        assert await FeePrice.filter(fee_item_id=item.id).count() == 0
        assert (await visitor.post(f"{PAGE}/price", price)).status_code == 303
        assert "2.805 元/m²·月" in seen(await visitor.get(one(item.id)))


async def test_an_item_is_changed_discounted_and_ended(app: Starlette, scene: Scene) -> None:
    id = await billing.fee_item(scene.compound_id)
    item = {"item": encode("FeeItem", id)}
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ALL))
        await visitor.get(PAGE)
        assert (
            'role="alert"'
            in (await visitor.post(f"{PAGE}/discount", {**item, "months": "12", "percent": "101"})).text
        )
        await visitor.post(f"{PAGE}/discount", {**item, "months": "12", "percent": "5"})
        await visitor.post(f"{PAGE}/end", {**item, "endsOn": "2030-01-01"})
        await visitor.post(f"{PAGE}/one", {**NEW, **item, "name": "电梯运行费"})
        text = seen(await visitor.get(one(id)))
    assert "一次预缴 12 个月" in text and "2030-01-01 起不再收" in text and "电梯运行费" in text


async def test_steps_and_formulas_are_priced(app: Starlette, scene: Scene) -> None:
    water = await billing.fee_item(scene.compound_id, "metered", None)
    lift = await billing.fee_item(scene.compound_id, "formula", None)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ALL))
        await visitor.get(one(water))
        steps = {
            "item": encode("FeeItem", water),
            "fromOn": "2026-01-01",
            "above": ["0", "18"],
            "tier": ["3.2", "4.8"],
        }
        await visitor.post(f"{PAGE}/price", steps)  # type: ignore[arg-type]  # a field that is there twice
        assert "超过 18 4.80" in seen(await visitor.get(one(water)))
        given = {
            "item": encode("FeeItem", lift),
            "fromOn": "2026-01-01",
            "formula": "area ×",
            "method": "FORMULA",
        }
        assert 'role="alert"' in (await visitor.post(f"{PAGE}/price", given)).text
        tried = {**given, "formula": "500 + floor * 0", "house": "1号楼1单元101", "do": "try"}
        assert (await visitor.post(f"{PAGE}/price", tried)).status_code == 200
        await visitor.post(f"{PAGE}/price", {**given, "formula": "area × 80"})
    assert (await FeePrice.get(fee_item_id=lift)).formula == "area × 80"
    assert [row["above"] for row in (await FeePrice.get(fee_item_id=water)).tiers or []] == ["0", "18"]


async def test_rules_are_set(app: Starlette, scene: Scene) -> None:
    given = {"billingDay": "5", "monthsBack": "2", "dueDays": "20", "isAutomatic": "on"}
    late = {"fromOn": "2026-01-01", "rate": "0.5", "graceDays": "10", "capPercent": "30"}
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ALL))
        assert "没有滞纳金规则" in seen(await visitor.get(f"{PAGE}/rules"))
        for bad in ({"billingDay": "29"}, {"dueDays": "很久"}, {"monthsBack": ""}):
            shown = await visitor.post(f"{PAGE}/rules", {**given, **bad})
            assert shown.text.count("is-invalid") == 1 and 'role="alert"' in shown.text, bad
        assert (await visitor.post(f"{PAGE}/rules", given)).status_code == 303
        assert 'role="alert"' in (await visitor.post(f"{PAGE}/late-fee", {**late, "rate": "11"})).text
        await visitor.post(f"{PAGE}/late-fee", late)
        assert "每天 0.5‰" in seen(await visitor.get(f"{PAGE}/rules"))
    rules = await BillingRules.get(compound_id=scene.compound_id)
    assert (rules.billing_day, rules.due_days, rules.is_automatic, rules.allows_part_payment) == (
        5,
        20,
        True,
        False,
    )
    assert str((await LateFeeRule.get(compound_id=scene.compound_id)).daily_rate).startswith("0.0005")


async def test_a_house_has_terms_of_its_own(app: Starlette, scene: Scene) -> None:
    item, house = await billing.fee_item(scene.compound_id), encode("House", scene.house_id)
    waiting = await billing.vacancy(scene.house_id, date(2026, 3, 1), date(2026, 6, 1), "requested")
    span = {"house": house, "fromOn": "2026-01-01", "untilOn": "2026-12-01", "note": "协议"}
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ALL))
        await visitor.get(f"{PAGE}/houses")
        assert (await visitor.post(f"{PAGE}/houses", {"number": "1号楼1单元101"})).status_code == 303
        assert "没有找到" in seen(await visitor.post(f"{PAGE}/houses", {"number": "九万"}))
        await visitor.post(f"{PAGE}/agreement", {**span, "item": encode("FeeItem", item), "percent": "80"})
        await visitor.post(f"{PAGE}/liability", {**span, "payer": "TENANT"})
        text = seen(await visitor.get(f"{PAGE}/houses/one?house={house}"))
        assert "按 80% 收" in text and "租户" in text
        assert 'role="alert"' in (await visitor.post(f"{PAGE}/vacancy", {**span, "untilOn": ""})).text
        decided = {"vacancy": encode("Vacancy", waiting), "decision": "REJECT"}
        await visitor.post(f"{PAGE}/vacancy/decide", decided)
        assert (await Vacancy.get(pk=waiting)).state == "requested"
        await visitor.post(f"{PAGE}/vacancy/decide", {**decided, "decision": "APPROVE"})
        agreement = encode("FeeAgreement", (await FeeAgreement.get(house_id=scene.house_id)).id)
        ended = {"house": house, "agreement": agreement, "untilOn": "2026-01-01"}
        assert (await visitor.post(f"{PAGE}/agreement/end", ended)).status_code in (200, 303)
    assert (await Vacancy.get(pk=waiting)).state == "approved"
    assert await Liability.filter(house_id=scene.house_id, payer="tenant").count() == 1


async def test_a_price_that_is_not_used_is_taken_back(app: Starlette, scene: Scene) -> None:
    item = await billing.fee_item(scene.compound_id)
    await billing.billed(scene.house_id, item, date(2026, 1, 1), date(2026, 4, 1))
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ALL))
        assert "确认删除" not in seen(await visitor.get(one(item)))
        given = {"item": encode("FeeItem", item), "fromOn": "2026-01-01"}
        assert "已出账到" in seen(await visitor.post(f"{PAGE}/price/remove", given))
        await visitor.post(
            f"{PAGE}/price", {**given, "method": "BUILT_AREA", "fromOn": "2026-07-01", "price": "3"}
        )
        assert "确认删除" in seen(await visitor.get(one(item)))
        done = await visitor.post(f"{PAGE}/price/remove", {**given, "fromOn": "2026-07-01"})
        assert done.status_code == 303
    assert await FeePrice.filter(fee_item_id=item).count() == 1


async def test_a_cost_is_shared_out(app: Starlette, scene: Scene) -> None:
    item = encode("FeeItem", await billing.fee_item(scene.compound_id, "pooled"))
    given = {"item": item, "periodFrom": "2026-02-01", "total": "100.00", "note": "二月"}
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ALL))
        assert "还没有登记费用" in seen(await visitor.get(f"{PAGE}/shared?item={item}"))
        for bad in ({"total": "1.005"}, {"total": ""}, {"periodFrom": "2026-02-02"}):
            assert 'role="alert"' in (await visitor.post(f"{PAGE}/shared", {**given, **bad})).text
        await visitor.post(f"{PAGE}/shared", given)
        assert "100.00 元" in seen(await visitor.get(f"{PAGE}/shared?item={item}"))
        cost = encode("PooledCost", (await PooledCost.get(compound_id=scene.compound_id)).id)
        page = seen(await visitor.get(f"{PAGE}/shared/one?item={item}&cost={cost}"))
        assert "1号楼1单元101" in page and "由下列各户分摊" in page
        assert (
            await visitor.get(f"{PAGE}/shared/one?item={item}&cost={encode('PooledCost', scene.house_id)}")
        ).status_code == 404
    assert (await PooledCost.get(compound_id=scene.compound_id)).total_fen == 10_000


async def test_without_the_permission_or_elsewhere_nothing_is_written(app: Starlette, scene: Scene) -> None:
    item = encode("FeeItem", await billing.fee_item(scene.compound_id))
    span = {"house": encode("House", scene.house_id), "fromOn": "2026-01-01", "untilOn": "2026-12-01"}
    acts: dict[str, dict[str, str]] = {
        "price": {"item": item, "fromOn": "2026-01-01", "price": "9"}, "vacancy": span,
        "agreement": {**span, "item": item, "percent": "1"}, "liability": {**span, "payer": "TENANT"},
        "end": {"item": item, "endsOn": "2026-05-01"}, "discount": {"item": item, "months": "12", "percent": "5"},
    }  # fmt: skip

    async def nothing() -> None:
        assert await FeePrice.filter(fee_item__compound_id=scene.compound_id).count() == 1
        assert await FeeAgreement.filter(house_id=scene.house_id).count() == 0
        assert await Vacancy.filter(house_id=scene.house_id).count() == 0
        assert await Liability.filter(house_id=scene.house_id, payer="tenant").count() == 0

    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *READ))
        page = seen(await visitor.get(f"{PAGE}/one?item={item}"))
        assert "价格历史" in page and "保存标准" not in page
        for path, given in acts.items():
            assert (await visitor.post(f"{PAGE}/{path}", given)).status_code == 403, path
        assert (await visitor.get(f"{PAGE}/new")).status_code == 403
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(await residents.scene(), *ALL))
        assert (await visitor.get(f"{PAGE}/one?item={item}")).status_code == 404
        for path, given in acts.items():
            assert (await visitor.post(f"{PAGE}/{path}", given)).status_code in (403, 404), path
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ALL))
        for path, given in acts.items():
            assert (await visitor.post(f"{PAGE}/{path}", given, token="forged")).status_code == 403
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, "doors.read"))
        assert "收费项目" not in seen(await visitor.get("/staff/doors"))
        assert (await visitor.get(PAGE)).status_code == 403
    await nothing()
