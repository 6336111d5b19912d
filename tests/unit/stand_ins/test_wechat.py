"""微信 over HTTP: every errcode it has, codes that live once, tokens that live two hours."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.unit.stand_ins.stand import Json, Stand


def session(stand: Stand, js_code: str, **changed: str) -> Json:
    app = stand.credentials["wechat"]
    query = {"appid": app["appid"], "secret": app["secret"], "js_code": js_code}
    query = {**query, "grant_type": "authorization_code", **changed}
    answer = stand.http.get("/sns/jscode2session", params={k: v for k, v in query.items() if v})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    found: Json = answer.json()
    return found


def stable_token(stand: Stand, **changed: Any) -> Json:
    app = stand.credentials["wechat"]
    fields = {"grant_type": "client_credential", **app, **changed}
    found: Json = stand.http.post("/cgi-bin/stable_token", json=fields).json()
    return found


def phone_number(stand: Stand, token: str, code: str) -> Json:
    answer = stand.http.post(
        "/wxa/business/getuserphonenumber", params={"access_token": token}, json={"code": code}
    )
    assert answer.status_code == 200
    found: Json = answer.json()
    return found


@pytest.fixture
def fresh_tokens(stand: Stand) -> None:
    stand.books("DELETE FROM tokens")


def test_a_login_code_gives_the_same_ids_each_time(stand: Stand) -> None:
    first = session(stand, stand.open("wechat/login", person="王芳")["js_code"])
    second = session(stand, stand.open("wechat/login", person="王芳")["js_code"])
    other = session(stand, stand.open("wechat/login", person="李伟")["js_code"])
    assert set(first) == {"session_key", "openid", "unionid"}
    assert (first["openid"], first["unionid"]) == (second["openid"], second["unionid"])
    assert first["session_key"] != second["session_key"]
    assert not {first["openid"], first["unionid"]} & {other["openid"], other["unionid"]}


def test_a_login_code_works_once(stand: Stand) -> None:
    code = stand.open("wechat/login", person="一次")["js_code"]
    assert "openid" in session(stand, code)
    refused = session(stand, code)
    assert refused["errcode"] == 40163
    assert refused["errmsg"].startswith("code been used, rid: ")


def test_a_login_code_lives_five_minutes(stand: Stand) -> None:
    code = stand.open("wechat/login", person="迟到")["js_code"]
    [(expires_at,)] = stand.books("SELECT expires_at FROM codes WHERE code = ?", code)
    assert 295 < expires_at - time.time() <= 300
    stand.books("UPDATE codes SET expires_at = 0 WHERE code = ?", code)
    assert session(stand, code)["errcode"] == 40029


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"js_code": "没有这个"}, 40029),
        ({"js_code": ""}, 41008),
        ({"appid": "wx0000000000000000"}, 40013),
        ({"appid": ""}, 41002),
        ({"secret": "不对"}, 40125),
        ({"secret": ""}, 41004),
        ({"grant_type": "client_credential"}, 40002),
    ],
)
def test_a_refused_login_leaves_the_code_unused(stand: Stand, changed: dict[str, str], errcode: int) -> None:
    code = stand.open("wechat/login", person="被拒")["js_code"]
    assert session(stand, **{"js_code": code, **changed})["errcode"] == errcode
    assert "openid" in session(stand, code)


def test_a_phone_code_is_no_login_code(stand: Stand) -> None:
    code = stand.open("wechat/phone", person="混用", phone="13800000001")["code"]
    assert session(stand, code)["errcode"] == 40029


def test_a_person_signs_in_a_hundred_times_a_minute_and_no_more(stand: Stand) -> None:
    codes = [stand.open("wechat/login", person="频繁")["js_code"] for _ in range(101)]
    answers = [session(stand, code) for code in codes]
    assert all("openid" in answer for answer in answers[:100])
    assert answers[100]["errcode"] == 45011
    stand.books("UPDATE codes SET used_at = used_at - 60 WHERE person = '频繁' AND used_at IS NOT NULL")
    assert "openid" in session(stand, codes[100])


@pytest.mark.usefixtures("fresh_tokens")
def test_the_stable_token_stays_until_five_minutes_before_its_end(stand: Stand) -> None:
    first = stable_token(stand)
    assert first["expires_in"] == 7200
    assert stable_token(stand)["access_token"] == first["access_token"]
    stand.books("UPDATE tokens SET expires_at = ?", time.time() + 299)
    second = stable_token(stand)
    assert second["access_token"] != first["access_token"]
    code = stand.open("wechat/phone", person="新旧", phone="13800000002")["code"]
    assert phone_number(stand, first["access_token"], code)["errcode"] == 0


@pytest.mark.usefixtures("fresh_tokens")
def test_a_forced_refresh_kills_the_token_before_it(stand: Stand) -> None:
    old = stable_token(stand)["access_token"]
    new = stable_token(stand, force_refresh=True)["access_token"]
    assert new != old
    assert phone_number(stand, old, "x")["errcode"] == 40001
    assert phone_number(stand, new, "x")["errcode"] == 40029
    assert stable_token(stand, force_refresh=True)["access_token"] == new, "sooner than 30 s nothing changes"


@pytest.mark.usefixtures("fresh_tokens")
def test_forced_refreshes_are_twenty_a_day(stand: Stand) -> None:
    for _ in range(20):
        assert "access_token" in stable_token(stand, force_refresh=True)
        stand.books("UPDATE tokens SET issued_at = issued_at - 60")
    assert stable_token(stand, force_refresh=True)["errcode"] == 45009


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"grant_type": "authorization_code"}, 40002),
        ({"appid": "wx0"}, 40013),
        ({"appid": ""}, 41002),
        ({"secret": "x"}, 40125),
        ({"secret": None}, 41004),
        ({"secret": ["x"]}, 40125),
    ],
)
def test_no_token_for_who_cannot_name_itself(stand: Stand, changed: Json, errcode: int) -> None:
    refused = stable_token(stand, **changed)
    assert refused["errcode"] == errcode
    assert "access_token" not in refused


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_object(stand: Stand, body: bytes) -> None:
    assert stand.http.post("/cgi-bin/stable_token", content=body).json()["errcode"] == 47001


def test_a_phone_code_gives_the_number_once(stand: Stand) -> None:
    token = stable_token(stand)["access_token"]
    code = stand.open("wechat/phone", person="赵强", phone="13912345678")["code"]
    disclosed = phone_number(stand, token, code)
    info = disclosed["phone_info"]
    assert (disclosed["errcode"], disclosed["errmsg"]) == (0, "ok")
    assert (info["phoneNumber"], info["purePhoneNumber"], info["countryCode"]) == (
        "13912345678",
        "13912345678",
        "86",
    )
    assert info["watermark"]["appid"] == stand.credentials["wechat"]["appid"]
    assert abs(info["watermark"]["timestamp"] - time.time()) < 5
    assert phone_number(stand, token, code)["errcode"] == 40029


@pytest.mark.usefixtures("fresh_tokens")
def test_no_number_without_a_living_token(stand: Stand) -> None:
    token = stable_token(stand)["access_token"]
    code = stand.open("wechat/phone", person="孙丽", phone="13912345679")["code"]
    assert phone_number(stand, "", code)["errcode"] == 41001
    assert phone_number(stand, "伪造", code)["errcode"] == 40001
    stand.books("UPDATE tokens SET expires_at = 0")
    assert phone_number(stand, token, code)["errcode"] == 42001
    assert phone_number(stand, stable_token(stand)["access_token"], code)["errcode"] == 0


@pytest.mark.parametrize("code", ["", "不存在", 7, None, "\ud800"])
def test_an_unknown_phone_code(stand: Stand, code: object) -> None:
    token = stable_token(stand)["access_token"]
    body = '{"code": "\\ud800"}' if code == "\ud800" else None
    answer = stand.http.post(
        "/wxa/business/getuserphonenumber",
        params={"access_token": token},
        **({"content": body} if body else {"json": {"code": code}}),
    )
    assert answer.json()["errcode"] == 40029
