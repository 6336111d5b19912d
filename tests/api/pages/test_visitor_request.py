"""Asking to be let in (访客登记): the form behind a compound's code for visitors."""

from __future__ import annotations

import re

import pytest

from api.pages.visiting import request_form
from domains.access.service import requests
from domains.kernel import database
from schema.visitor_passes import VisitPurpose
from tests.api.pages.visitors import Visitor, seen
from tests.factories import gates, residents, visits
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def scene() -> Scene:
    made = await residents.scene()
    await gates.post(made.compound_id)
    return made


ASKED = {"room": "1-1-101", "name": "李四", "phone": "13812345678", "purpose": "VISIT"}
ROWS = "SELECT count(*) FROM visitor_pass"


async def test_a_visitor_asks_without_a_script_and_waits_on_the_page(visitor: Visitor, scene: Scene) -> None:
    path = f"/visit/{scene.code.lower()}"
    form = await visitor.get(path)
    assert scene.code in seen(form)
    sent = await visitor.post(path, {**ASKED, "companions": "2", "plate": "浙A12345"})
    assert sent.status_code == 303
    link = sent.headers["location"]
    assert re.fullmatch(r"/v/[\w-]{22}", link)
    assert "申请已发出" in seen(await visitor.get(link))
    row = await database.fetchrow("SELECT * FROM visitor_pass ORDER BY id DESC LIMIT 1")
    assert row is not None
    assert (row["guest_name"], row["companions"], row["plate"], row["state"]) == (
        "李四",
        2,
        "浙A12345",
        "requested",
    )
    approved = await visits.owner(scene)
    await requests.decide_visitor_pass(approved, visitor_pass_id=row["id"], approve=True)
    assert "李四，欢迎来访" in seen(await visitor.get(link))


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"phone": "123"}, "phone", "手机号不正确"),
        ({"phone": ""}, "phone", "手机号"),
        ({"name": ""}, "name", ""),
        ({"name": "x" * 200}, "name", ""),
        ({"room": "1-1-999"}, "room", "没有找到这套房屋"),
        ({"room": ""}, "room", ""),
        ({"plate": "不是车牌"}, "plate", "车牌"),
        ({"companions": "51"}, "companions", "0 到 50"),
        ({"companions": "-1"}, "companions", "没有就填 0"),
        ({"companions": "二"}, "companions", "没有就填 0"),
        ({"companions": "9" * 40}, "companions", "没有就填 0"),
        ({"purpose": "BURGLARY"}, "purpose", "请选择来访事由"),
    ],
)
async def test_mistakes_stand_beside_their_fields_and_nothing_is_asked(
    visitor: Visitor, scene: Scene, changed: dict[str, str], field: str, words: str
) -> None:
    before = await database.fetchval(ROWS)
    path = f"/visit/{scene.code}"
    await visitor.get(path)
    shown = await visitor.post(path, {**ASKED, **changed})
    problem = re.search(rf'id="{field}-error">([^<]+)', shown.text)
    assert shown.status_code == 200 and problem is not None and words in problem[1]
    assert await database.fetchval(ROWS) == before


def test_the_form_offers_every_purpose_that_there_is() -> None:
    assert tuple(purpose.name for purpose in VisitPurpose) == request_form.PURPOSES


async def test_what_was_typed_is_still_there_and_is_no_markup(visitor: Visitor, scene: Scene) -> None:
    path = f"/visit/{scene.code}"
    await visitor.get(path)
    shown = await visitor.post(path, {**ASKED, "name": '"><script>alert(1)</script>', "phone": "1"})
    assert "<script>alert" not in shown.text and "&lt;script&gt;" in shown.text


async def test_a_form_of_another_site_asks_for_nothing(visitor: Visitor, scene: Scene) -> None:
    before = await database.fetchval(ROWS)
    path = f"/visit/{scene.code}"
    await visitor.get(path)
    for token, headers in (("", {}), ("x", {}), (None, {"sec-fetch-site": "cross-site"})):
        assert (await visitor.post(path, ASKED, token=token, **headers)).status_code == 403
    assert await database.fetchval(ROWS) == before


async def test_every_code_looks_the_same_until_something_is_asked(visitor: Visitor, scene: Scene) -> None:
    known, unknown = await visitor.get(f"/visit/{scene.code}"), await visitor.get("/visit/ZZZZ99")
    assert known.status_code == unknown.status_code == 200
    asked = await visitor.post("/visit/ZZZZ99", ASKED)
    assert asked.status_code == 200 and "小区登记码不正确" in seen(asked)


@pytest.mark.parametrize("code", ["%3Cscript%3E", "a b", "x" * 13, "-"])
async def test_what_cannot_be_a_code_is_not_found(visitor: Visitor, code: str) -> None:
    assert (await visitor.get(f"/visit/{code}")).status_code == 404
    assert (await visitor.post(f"/visit/{code}", ASKED)).status_code in (403, 404)


async def test_who_asks_too_often_keeps_what_was_typed(visitor: Visitor, scene: Scene) -> None:
    path = f"/visit/{scene.code}"
    await visitor.get(path)
    for _ in range(requests.PER_HOUSE.burst + 1):
        shown = await visitor.post(path, ASKED)
    assert shown.status_code == 429
    assert "申请太频繁" in seen(shown) and 'value="李四"' in shown.text


async def test_other_pages_lead_to_the_form(visitor: Visitor, scene: Scene) -> None:
    joining = await visitor.get(f"/join/{scene.code}")
    assert f'href="/visit/{scene.code}"' in joining.text
