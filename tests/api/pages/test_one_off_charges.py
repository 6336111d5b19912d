"""Charges that come once, at the desk: looked at, added for several houses, billed at once, taken back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette

from domains.billing import permissions
from domains.billing.models import Bill, FeeItem, OneOffCharge
from domains.kernel import database
from schema.relay import encode
from tests.api.pages.test_registrations import staff_of
from tests.api.pages.visitors import HTMX, Visitor, seen, visiting
from tests.factories import billing, residents
from tests.factories.ledger import check_books, trial_balance
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
PAGE = "/staff/fees/once"
READ = (permissions.FEES_READ,)
WRITE = (*READ, permissions.FEES_WRITE, "estate.read")
ALL = (*permissions.LABELS, "estate.read")
FILL = """
INSERT INTO one_off_charge (id, compound_id, house_id, fee_item_id, charged_on, amount_fen, note, recorded_at)
SELECT make_uuid7(), $1, $2, $3, date '2026-05-01' + n, 100, '', now() FROM generate_series(1, 40) AS n
"""
_HIDDEN = re.compile(r'type="hidden" name="(\w+)" value="([^"]*)"')
Fields = Mapping[str, str | list[str]]


@pytest.fixture
async def scene() -> Scene:
    """Places that no other test uses."""
    return await residents.scene()


async def typed(scene: Scene, **more: str) -> dict[str, str]:
    """The form as a clerk fills it in."""
    item = await FeeItem.filter(compound_id=scene.compound_id, method="one_off").first()
    id = item.id if item else await billing.fee_item(scene.compound_id, "one_off", name="门禁卡工本费")
    return {
        "item": encode("FeeItem", id), "chargedOn": "2026-05-03", "amount": "25.5", "note": "补办门禁卡",
        "houses": "1号楼1单元101\n1-1-102，1-1-102", **more,
    }  # fmt: skip


def confirmed(preview: httpx.Response) -> dict[str, list[str]]:
    """What the button below the preview sends."""
    part = preview.text.split('action="/staff/fees/once/add"')[1].split("</form>")[0]
    sent: dict[str, list[str]] = {}
    for name, value in _HIDDEN.findall(part):
        sent.setdefault(name, []).append(value)
    del sent["form_token"]
    return sent


async def add(visitor: Visitor, scene: Scene, **more: str) -> httpx.Response:
    """From the form over the preview to the charge."""
    await visitor.get(PAGE)
    preview = await visitor.post(PAGE, await typed(scene, **more))
    return await visitor.post(f"{PAGE}/add", confirmed(preview))  # type: ignore[arg-type]  # fields that are there twice


async def charges(scene: Scene) -> list[OneOffCharge]:
    return await OneOffCharge.filter(compound_id=scene.compound_id).order_by("house_id")


async def test_houses_are_looked_at_before_they_are_charged(app: Starlette, scene: Scene) -> None:
    given = await typed(scene)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *WRITE))
        assert "没有一次性收费" in seen(await visitor.get(PAGE))
        preview = await visitor.post(PAGE, given)
        text = seen(preview)
        assert "每户 ¥25.50，共 2 户" in text and "确认收费 ¥51.00" in text and "补办门禁卡" in text
        assert text.count("1号楼1单元101 ¥25.50") == 1 and text.count("1号楼1单元102 ¥25.50") == 1
        assert await charges(scene) == []
        done = await visitor.post(f"{PAGE}/add", confirmed(preview))  # type: ignore[arg-type]  # twice the same name
        shown = seen(await visitor.get(done.headers["location"]))
        assert "已登记 2 户的收费" in shown and shown.count("待出账") == 2 and "立即出账" not in shown
        one = seen(await visitor.get(f"{PAGE}?house=1-1-102"))
        assert one.count("待出账") == 1 and "1号楼1单元101 门禁卡" not in one
        assert "没有找到这套房屋" in seen(await visitor.get(f"{PAGE}?house=九万"))
        again = await visitor.post(f"{PAGE}/add", confirmed(preview))  # type: ignore[arg-type]  # twice the same name
        assert "已有同一项目的收费" in seen(await visitor.get(again.headers["location"]))
    kept = OneOffCharge.filter(compound_id=scene.compound_id).order_by("house_id")
    assert await kept.values_list("amount_fen", "note", "house_id") == [
        (2_550, "补办门禁卡", id) for id in sorted((scene.house_id, scene.next_door_id))
    ]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"houses": "1-1-101 九万"}, "房号 九万：没有找到这套房屋"), ({"houses": " \n，"}, "请填写 1 到 100 个房号"),
        ({"houses": "\n".join(f"9-9-{n}" for n in range(101))}, "请填写 1 到 100 个房号"),
        ({"amount": "25.555"}, "最多两位小数"), ({"amount": "-1"}, "请填写数字"), ({"amount": ""}, "必填"),
        ({"note": " "}, "请写明收费原因"), ({"chargedOn": "五月"}, "日期不正确"), ({"item": "x"}, "请选择一次性收费项目"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_said_and_the_form_stays(
    app: Starlette, scene: Scene, wrong: dict[str, str], words: str
) -> None:
    given = await typed(scene, **wrong)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *WRITE))
        await visitor.get(PAGE)
        shown = await visitor.post(PAGE, given)
    assert shown.status_code == 200 and words in seen(shown) and "确认收费" not in shown.text
    assert 'value="25.5"' in shown.text or "amount" in wrong
    assert await charges(scene) == []


@pytest.mark.parametrize("fen", ["0", "-5", "9" * 20, "", "2.5"])
async def test_a_confirmation_that_was_tampered_with_charges_nobody(
    app: Starlette, scene: Scene, fen: str
) -> None:
    given = await typed(scene)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *WRITE))
        await visitor.get(PAGE)
        sent = confirmed(await visitor.post(PAGE, given)) | {"fen": [fen]}
        refused = await visitor.post(f"{PAGE}/add", sent)  # type: ignore[arg-type]  # twice the same name
        assert 'role="alert"' in (await visitor.get(refused.headers["location"])).text
    assert await charges(scene) == []


async def test_one_is_billed_at_once_and_then_leads_to_its_bill(app: Starlette, scene: Scene) -> None:
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ALL))
        await add(visitor, scene, houses="1-1-101")
        (charge,) = await charges(scene)
        given = {"charge": encode("OneOffCharge", charge.id), "number": "1-1-101", "key": str(charge.id)}
        done = await visitor.post(f"{PAGE}/bill", given)
        shown = await visitor.get(done.headers["location"])
        bill = await Bill.get(compound_id=scene.compound_id)
        assert "账单已生成" in seen(shown) and "已出账" in seen(shown)
        assert f"/staff/bills/one?bill={encode('Bill', bill.id)}" in shown.text.replace("%3D", "=")
        refused = await visitor.post(f"{PAGE}/cancel", given)
        assert "已经出账或已撤销" in seen(await visitor.get(refused.headers["location"]))
    assert bill.issued_fen == 2_550
    await check_books()
    assert await trial_balance(scene.compound_id) == {"receivable": 2_550, "income": -2_550}


async def test_one_is_taken_back_while_no_bill_has_it(app: Starlette, scene: Scene) -> None:
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *WRITE))
        await add(visitor, scene, houses="1-1-101")
        (charge,) = await charges(scene)
        done = await visitor.post(f"{PAGE}/cancel", {"charge": encode("OneOffCharge", charge.id)})
        shown = seen(await visitor.get(done.headers["location"]))
        assert "收费已撤销" in shown and "已撤销" in shown and "撤销…" not in shown
    assert (await OneOffCharge.get(pk=charge.id)).cancelled_at is not None


async def test_more_are_loaded(app: Starlette, scene: Scene) -> None:
    item = await billing.fee_item(scene.compound_id, "one_off")
    await database.execute(FILL, scene.compound_id, scene.house_id, item)
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *READ))
        first = await visitor.get(PAGE)
        more = re.search(r'hx-get="(/staff/fees/once[^"]+)"', first.text)
        assert first.text.count('data-label="日期"') == 30 and more is not None
        rest = await visitor.get(more[1].replace("&amp;", "&"), **HTMX)
        assert rest.text.count('data-label="日期"') == 10 and "<html" not in rest.text


def acts(given: Fields, charge: UUID) -> dict[str, Fields]:
    """Everything that changes something here."""
    id = {"charge": encode("OneOffCharge", charge), "key": str(charge)}
    return {f"{PAGE}/add": given, f"{PAGE}/cancel": id, f"{PAGE}/bill": id}


async def test_without_the_permission_elsewhere_or_forged_nothing_happens(
    app: Starlette, scene: Scene
) -> None:
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *ALL))
        await add(visitor, scene, houses="1-1-101")
        (charge,) = await charges(scene)
        preview = await visitor.post(PAGE, await typed(scene, chargedOn="2026-05-04"))
        every = acts(confirmed(preview), charge.id)
        for path, given in every.items():
            assert (await visitor.post(path, given, token="forged")).status_code == 403  # type: ignore[arg-type]
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, *READ, "estate.read"))
        shown = seen(await visitor.get(PAGE))
        assert (
            "待出账" in shown and "预览收费" not in shown and "撤销…" not in shown and "立即出账" not in shown
        )
        for path, given in every.items():
            assert (await visitor.post(path, given)).status_code == 403, path  # type: ignore[arg-type]
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(await residents.scene(), *ALL))
        assert "门禁卡工本费" not in seen(await visitor.get(PAGE))
        for path, given in every.items():
            assert (await visitor.post(path, given)).status_code == 403, path  # type: ignore[arg-type]
    async with visiting(app) as visitor:
        await visitor.sign_in(await staff_of(scene, "doors.read"))
        assert (await visitor.get(PAGE)).status_code == 403
    (left,) = await charges(scene)
    assert left.cancelled_at is None and await Bill.filter(compound_id=scene.compound_id).count() == 0
