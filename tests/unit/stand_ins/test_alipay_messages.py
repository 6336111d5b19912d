"""小程序模板消息 over HTTP: the documented sub_codes, and one consent for one send."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest

from tests.unit.stand_ins.stand import Json, Stand, alipay_call, verified_node
from tests.unit.stand_ins.test_alipay import auth_code, exchanged
from tests.unit.stand_ins.test_alipay_sdk import beijing_clock, client

__all__ = ["beijing_clock", "client"]
METHOD = "alipay.open.app.mini.templatemessage.send"
NODE = "alipay_open_app_mini_templatemessage_send_response"
REPAIR = "NTc3YzRiMzU2YmIwNDkxYjhkYmI4ZmJlYTQ1ZmE3Y2M="
TEMPLATES = {REPAIR: {"title": "报修进度", "keywords": ["keyword1", "keyword2"]}}
DATA = {"keyword1": {"value": "水管漏水"}, "keyword2": {"value": "师傅已出发"}}
_people = count(1)

pytestmark = pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")


@pytest.fixture(autouse=True)
def templates(stand: Stand) -> None:
    stand.write("alipay_templates.json", TEMPLATES)


@pytest.fixture
def person() -> str:
    return f"支付宝用户{next(_people)}"


def consent(stand: Stand, person: str, **more: object) -> Json:
    return stand.open("alipay/consent", person=person, template=REPAIR, **more)


def ids_of(stand: Stand, person: str) -> Json:
    node = exchanged(stand, code=auth_code(stand, person))
    return {"to_user_id": node["user_id"], "to_open_id": node["open_id"]}


def content(stand: Stand, person: str, **changed: object) -> Json:
    return {
        "to_user_id": ids_of(stand, person)["to_user_id"],
        "user_template_id": REPAIR,
        "page": "pages/repair/index?id=1",
        "data": json.dumps(DATA, ensure_ascii=False),
        **changed,
    }


def sent(stand: Stand, biz_content: object) -> Json:
    text = biz_content if isinstance(biz_content, str) else json.dumps(biz_content)
    params = {"method": METHOD, "grant_type": "", "biz_content": text}
    name, node = verified_node(stand, alipay_call(stand, **params))
    assert name == NODE
    return node


def test_a_consented_message_arrives_once(stand: Stand, person: str) -> None:
    answer = consent(stand, person)
    assert (answer["behavior"], answer[REPAIR]) == ("subscribe", "accept")
    assert answer["result"]["subscribedEntityIds"] == [REPAIR]
    assert sent(stand, content(stand, person)) == {"code": "10000", "msg": "Success"}
    [message] = stand.messages(person=person)
    assert (message["channel"], message["title"], message["text"]) == (
        "alipay",
        "报修进度",
        "水管漏水\n师傅已出发",
    )
    assert sent(stand, content(stand, person))["sub_code"] == "USER_NOT_SUBSCRIBE"
    assert len(stand.messages(person=person)) == 1


def test_open_id_and_an_object_as_data(stand: Stand, person: str) -> None:
    consent(stand, person)
    by_open_id = {"to_user_id": "", "to_open_id": ids_of(stand, person)["to_open_id"], "data": DATA}
    assert sent(stand, content(stand, person, **by_open_id, form_id="f1"))["code"] == "10000"
    assert len(stand.messages(person=person, channel="alipay")) == 1


def test_two_sends_at_once_on_one_consent(stand: Stand, person: str) -> None:
    consent(stand, person)
    body = content(stand, person)
    with ThreadPoolExecutor(6) as many:
        codes = [node["code"] for node in many.map(lambda _: sent(stand, body), range(6))]
    assert sorted(codes) == ["10000", *["40004"] * 5]


def test_a_refusal_gives_nothing(stand: Stand, person: str) -> None:
    answer = consent(stand, person, answer="reject")
    assert (answer[REPAIR], answer["result"]["unsubscribedEntityIds"]) == ("reject", [REPAIR])
    assert sent(stand, content(stand, person))["sub_code"] == "USER_NOT_SUBSCRIBE"
    banned = {"person": person, "template": REPAIR, "answer": "ban"}
    assert stand.http.post("/open/alipay/consent", json=banned).status_code == 400


@pytest.mark.parametrize(
    ("changed", "sub_code"),
    [
        ({"user_template_id": "no"}, "USER_TEMPLATE_ILLEGAL"),
        ({"user_template_id": ""}, "INVALID_PARAMETER"),
        ({"user_template_id": 7}, "INVALID_PARAMETER"),
        ({"to_user_id": "2088000000000000"}, "INVALID_PARAMETER"),
        ({"to_user_id": ""}, "INVALID_PARAMETER"),
        ({"page": ""}, "INVALID_PARAMETER"),
        ({"page": "p" * 129}, "INVALID_PARAMETER"),
        ({"data": ""}, "INVALID_PARAMETER"),
        ({"data": "[]"}, "INVALID_PARAMETER"),
        ({"data": {**DATA, "keyword2": {"value": "长" * 2100}}}, "INVALID_PARAMETER"),
        ({"data": {"keyword1": {"value": "缺"}}}, "USER_TEMPLATE_LACK_KEYWORD"),
        ({"data": {**DATA, "keyword3": {"value": "多"}}}, "USER_TEMPLATE_LACK_KEYWORD"),
        ({"data": {**DATA, "keyword2": {"value": ""}}}, "USER_TEMPLATE_LACK_KEYWORD"),
        ({"data": {**DATA, "keyword2": "裸"}}, "USER_TEMPLATE_LACK_KEYWORD"),
        ({"data": {**DATA, "keyword2": {"value": "\ud800"}}}, "USER_TEMPLATE_LACK_KEYWORD"),
        ({"data": {**DATA, "keyword2": {"value": "长" * 51}}}, "USER_KEYWORD_LENGTH_ERROR"),
    ],
)
def test_a_refused_message_leaves_the_consent(
    stand: Stand, person: str, changed: Json, sub_code: str
) -> None:
    consent(stand, person)
    node = sent(stand, content(stand, person, **changed))
    assert (node["code"], node["msg"], node["sub_code"]) == ("40004", "Business Failed", sub_code)
    assert stand.messages(person=person) == []
    longest = {**DATA, "keyword2": {"value": "长" * 50}}
    assert sent(stand, content(stand, person, data=longest))["code"] == "10000"


@pytest.mark.parametrize("text", ["{", "[]", "7", ""])
def test_a_biz_content_that_is_no_object(stand: Stand, text: str) -> None:
    node = sent(stand, text)
    assert (node["code"], node["sub_code"]) == ("40002", "isv.invalid-parameter")


def test_a_forged_signature_is_refused(stand: Stand, person: str) -> None:
    consent(stand, person)
    params = {"method": METHOD, "biz_content": json.dumps(content(stand, person)), "sign": "AAAA"}
    assert verified_node(stand, alipay_call(stand, **params))[1]["sub_code"] == "isv.invalid-signature"
    assert stand.messages(person=person) == []


@pytest.mark.usefixtures("beijing_clock")
def test_the_sdk_sends_it(stand: Stand, client: Any, person: str) -> None:  # the SDK is untyped
    from alipay.aop.api.domain.AlipayOpenAppMiniTemplatemessageSendModel import (
        AlipayOpenAppMiniTemplatemessageSendModel as Model,
    )
    from alipay.aop.api.request.AlipayOpenAppMiniTemplatemessageSendRequest import (
        AlipayOpenAppMiniTemplatemessageSendRequest as Request,
    )

    consent(stand, person)
    request = Request(biz_model=Model.from_alipay_dict(content(stand, person)))
    assert json.loads(client.execute(request))["code"] == "10000"
    assert json.loads(client.execute(request))["sub_code"] == "USER_NOT_SUBSCRIBE"
    assert len(stand.messages(person=person)) == 1
