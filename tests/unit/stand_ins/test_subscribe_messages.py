"""微信订阅消息 over HTTP: one consent is one send, and every refusal leaves the consent unspent."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from tests.unit.stand_ins.stand import Json, Stand
from tests.unit.stand_ins.test_wechat import session, stable_token

BILL = "tmpl-bill"
TEMPLATES = {BILL: {"title": "账单通知", "keywords": ["thing1", "amount2", "time3"]}}
DATA = {
    "thing1": {"value": "物业费"},
    "amount2": {"value": "¥128.50元"},
    "time3": {"value": "2026年11月21日 15:01"},
}
_people = count(1)


@pytest.fixture(autouse=True)
def templates(stand: Stand) -> None:
    stand.write("wechat_templates.json", TEMPLATES)


@pytest.fixture
def person() -> str:
    return f"订户{next(_people)}"


def consent(stand: Stand, person: str, **more: object) -> Json:
    return stand.open("wechat/consent", person=person, template=BILL, **more)


def openid_of(stand: Stand, person: str) -> str:
    return str(session(stand, stand.open("wechat/login", person=person)["js_code"])["openid"])


def send(stand: Stand, openid: str, token: str | None = None, **changed: object) -> Json:
    body = {"touser": openid, "template_id": BILL, "page": "pages/bill/index?id=7", "data": DATA, **changed}
    if token is None:
        token = str(stable_token(stand)["access_token"])
    answer = stand.http.post(
        "/cgi-bin/message/subscribe/send", params={"access_token": token}, content=json.dumps(body)
    )
    assert answer.status_code == 200
    found: Json = answer.json()
    return found


def remaining(stand: Stand, person: str) -> int:
    [(left,)] = stand.books("SELECT remaining FROM consents WHERE person = ?", person)
    return int(left)


def test_a_consented_message_arrives_once(stand: Stand, person: str) -> None:
    assert consent(stand, person) == {"errMsg": "requestSubscribeMessage:ok", BILL: "accept"}
    openid = openid_of(stand, person)
    sent = send(stand, openid)
    assert (sent["errcode"], sent["errmsg"]) == (0, "ok")
    assert isinstance(sent["msgid"], int)
    [message] = stand.messages(person=person)
    assert (message["channel"], message["template"], message["title"]) == ("wechat", BILL, "账单通知")
    assert message["text"] == "物业费\n¥128.50元\n2026年11月21日 15:01"
    assert message["page"] == "pages/bill/index?id=7"
    assert message["platform_id"] == str(sent["msgid"])
    refused = send(stand, openid)
    assert refused["errcode"] == 43101
    assert refused["errmsg"].startswith("user refuse to accept the msg")
    assert len(stand.messages(person=person)) == 1


def test_two_sends_at_once_on_one_consent(stand: Stand, person: str) -> None:
    consent(stand, person)
    openid, token = openid_of(stand, person), str(stable_token(stand)["access_token"])
    with ThreadPoolExecutor(8) as many:
        answers = list(many.map(lambda _: send(stand, openid, token)["errcode"], range(8)))
    assert sorted(answers) == [0, *[43101] * 7]
    assert len(stand.messages(person=person)) == 1


def test_consents_add_up(stand: Stand, person: str) -> None:
    consent(stand, person, times=2)
    consent(stand, person)
    openid = openid_of(stand, person)
    assert [send(stand, openid)["errcode"] for _ in range(4)] == [0, 0, 0, 43101]


@pytest.mark.parametrize("answer", ["reject", "ban"])
def test_a_refusal_gives_nothing(stand: Stand, person: str, answer: str) -> None:
    assert consent(stand, person, answer=answer) == {"errMsg": "requestSubscribeMessage:ok", BILL: answer}
    assert send(stand, openid_of(stand, person))["errcode"] == 43101


def test_a_consent_is_for_one_template_and_one_person(stand: Stand, person: str) -> None:
    stand.write("wechat_templates.json", {**TEMPLATES, "other": TEMPLATES[BILL]})
    consent(stand, person)
    assert send(stand, openid_of(stand, person), template_id="other")["errcode"] == 43101
    assert send(stand, openid_of(stand, person + "邻居"))["errcode"] == 43101
    assert remaining(stand, person) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"person": ""},
        {"template": "没有"},
        {"template": 7},
        {"times": 0},
        {"times": True},
        {"answer": "maybe"},
    ],
)
def test_a_dialogue_that_makes_no_sense(stand: Stand, person: str, changed: Json) -> None:
    asked = {"person": person, "template": BILL, **changed}
    answer = stand.http.post("/open/wechat/consent", json=asked)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert stand.books("SELECT * FROM consents WHERE person = ?", person) == []


def without(key: str) -> Json:
    return {name: value for name, value in DATA.items() if name != key}


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"touser": "oNobody"}, 40003),
        ({"touser": "没有"}, 40003),
        ({"touser": None}, 40003),
        ({"template_id": "no"}, 40037),
        ({"template_id": None}, 40037),
        ({"template_id": ["x"]}, 40037),
        ({"data": without("thing1")}, 47003),
        ({"data": {**DATA, "thing9": {"value": "多"}}}, 47003),
        ({"data": {**DATA, "\ud800": {"value": "多"}}}, 47003),
        ({"data": {**DATA, "thing1": {"value": ""}}}, 47003),
        ({"data": {**DATA, "thing1": {"value": "\ud800"}}}, 47003),
        ({"data": {**DATA, "thing1": "物业费"}}, 47003),
        ({"data": {**DATA, "thing1": {"value": None}}}, 47003),
        ({"data": {**DATA, "thing1": {"value": "二十一个字" * 4 + "了"}}}, 47003),
        ({"data": []}, 47003),
        ({"data": None}, 47003),
        ({"miniprogram_state": "beta"}, 47003),
        ({"lang": "fr"}, 47003),
        ({"page": "https://example.com/"}, 41030),
        ({"page": "/pages/bill/index"}, 41030),
        ({"page": 7}, 41030),
    ],
)
def test_a_refused_message_leaves_the_consent(stand: Stand, person: str, changed: Json, errcode: int) -> None:
    consent(stand, person)
    openid = openid_of(stand, person)
    assert send(stand, openid, **changed)["errcode"] == errcode
    assert stand.messages(person=person) == []
    assert remaining(stand, person) == 1
    assert send(stand, openid)["errcode"] == 0


def test_the_wrong_keyword_is_named(stand: Stand, person: str) -> None:
    refused = send(stand, openid_of(stand, person), data={**DATA, "amount2": {"value": "很多"}})
    assert refused["errmsg"].startswith("argument invalid! data.amount2.value invalid, rid: ")


def test_tokens_are_looked_at_first(stand: Stand, person: str) -> None:
    stand.books("DELETE FROM tokens")
    consent(stand, person)
    openid, token = openid_of(stand, person), str(stable_token(stand)["access_token"])
    assert send(stand, "oNobody", "")["errcode"] == 41001
    assert send(stand, openid, "forged")["errcode"] == 40001
    stand.books("UPDATE tokens SET expires_at = 0")
    assert send(stand, openid, token)["errcode"] == 42001
    renewed = str(stable_token(stand, force_refresh=True)["access_token"])
    assert send(stand, openid, token)["errcode"] == 40001
    assert send(stand, openid, renewed)["errcode"] == 0


def test_the_daily_quota(stand: Stand, person: str) -> None:
    consent(stand, person)
    openid = openid_of(stand, person)
    send(stand, "oNobody")
    stand.books("INSERT INTO quotas SELECT api, '2000-01-01', 1 FROM quotas")
    assert send(stand, openid)["errcode"] == 0
    stand.books("UPDATE quotas SET used = 10000000")
    assert send(stand, openid)["errcode"] == 45009
    stand.books("DELETE FROM quotas")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
def test_a_body_that_is_no_json_object(stand: Stand, body: bytes) -> None:
    token = stable_token(stand)["access_token"]
    answer = stand.http.post("/cgi-bin/message/subscribe/send", params={"access_token": token}, content=body)
    assert answer.json()["errcode"] == 47001


def test_templates_count_as_they_stand_now(stand: Stand, person: str) -> None:
    consent(stand, person, times=9)
    openid = openid_of(stand, person)
    stand.write("wechat_templates.json", {BILL: {"title": "改", "keywords": ["number1"]}})
    assert send(stand, openid)["errcode"] == 47003
    assert send(stand, openid, data={"number1": {"value": 0}})["errcode"] == 0
    (stand.home / "wechat_templates.json").write_text('{"half')
    assert send(stand, openid)["errcode"] == 40037
    (stand.home / "wechat_templates.json").unlink()
    assert send(stand, openid)["errcode"] == 40037
