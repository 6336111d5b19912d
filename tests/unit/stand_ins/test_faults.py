"""Faults meet the calls they were ordered for, as often as ordered, and no other."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from tests.unit.stand_ins.stand import Stand, alipay_call, send_sms, verified_node
from tests.unit.stand_ins.test_wechat import phone_number, session, stable_token


@pytest.fixture(autouse=True)
def cleared(stand: Stand) -> Iterator[None]:
    yield
    assert stand.http.delete("/open/faults").status_code == 204


def raw_session(stand: Stand, code: str) -> httpx.Response:
    app = stand.credentials["wechat"]
    query = {**app, "js_code": code, "grant_type": "authorization_code"}
    return stand.http.get("/sns/jscode2session", params=query)


@pytest.mark.parametrize(("kind", "status"), [("http_429", 429), ("http_500", 500)])
def test_a_status_is_met_so_many_times_before_the_work(stand: Stand, kind: str, status: int) -> None:
    code = stand.open("wechat/login", person="甲")["js_code"]
    stand.fault("wechat", "jscode2session", kind, times=2)
    assert [raw_session(stand, code).status_code for _ in range(2)] == [status, status]
    assert "openid" in session(stand, code)


def test_busy_is_said_in_each_platforms_words(stand: Stand) -> None:
    stand.fault("wechat", "jscode2session", "busy")
    stand.fault("alipay", "alipay.system.oauth.token", "busy")
    stand.fault("sms", "SendSms", "busy")
    assert session(stand, "x")["errcode"] == -1
    name, node = verified_node(stand, alipay_call(stand, code="x"))
    assert (name, node["code"], node["sub_code"]) == ("error_response", "20000", "isp.unknow-error")
    assert send_sms(stand, "15100000001").json()["Code"] == "isp.SYSTEM_ERROR"
    assert stand.sms_to("15100000001") == []
    assert send_sms(stand, "15100000001").json()["Code"] == "OK"


def test_slow_waits_and_then_answers(stand: Stand) -> None:
    stand.fault("wechat", "stable_token", "slow", seconds=0.3)
    start = time.monotonic()
    assert "access_token" in stable_token(stand)
    assert time.monotonic() - start >= 0.3


def test_drop_does_the_work_and_loses_the_answer(stand: Stand) -> None:
    stand.fault("sms", "SendSms", "drop")
    with pytest.raises(httpx.RemoteProtocolError):
        send_sms(stand, "15100000002")
    assert len(stand.sms_to("15100000002")) == 1
    code = stand.open("wechat/login", person="乙")["js_code"]
    stand.fault("wechat", "jscode2session", "drop")
    with pytest.raises(httpx.RemoteProtocolError):
        raw_session(stand, code)
    assert session(stand, code)["errcode"] == 40163


def test_a_dead_token_must_be_fetched_anew(stand: Stand) -> None:
    token = stable_token(stand)["access_token"]
    code = stand.open("wechat/phone", person="丙", phone="13600000000")["code"]
    stand.fault("wechat", "getuserphonenumber", "dead_token")
    assert phone_number(stand, token, code)["errcode"] == 40001
    assert phone_number(stand, token, code)["errcode"] == 40001
    assert phone_number(stand, stable_token(stand)["access_token"], code)["errcode"] == 0


def test_dead_refresh_tokens(stand: Stand) -> None:
    code = stand.open("alipay/login", person="丁")["auth_code"]
    node = verified_node(stand, alipay_call(stand, code=code))[1]
    stand.fault("alipay", "alipay.system.oauth.token", "dead_token")
    refresh = {"grant_type": "refresh_token", "refresh_token": node["refresh_token"]}
    assert verified_node(stand, alipay_call(stand, **refresh))[1]["sub_code"] == "isv.refresh-token-invalid"


def test_other_interfaces_and_cleared_faults_are_not_met(stand: Stand) -> None:
    stand.fault("wechat", "getuserphonenumber", "http_500", times=9)
    assert "access_token" in stable_token(stand)
    stand.http.delete("/open/faults")
    assert phone_number(stand, "x", "x")["errcode"] == 40001


@pytest.mark.parametrize(
    "changed",
    [
        {"platform": "qq"},
        {"api": "nothing"},
        {"kind": "explode"},
        {"times": 0},
        {"times": "2"},
        {"seconds": -1},
        {"seconds": 3600},
        {"seconds": "1"},
        {"platform": "sms", "api": "SendSms", "kind": "dead_token"},
    ],
)
def test_a_fault_that_cannot_happen_is_refused(stand: Stand, changed: dict[str, object]) -> None:
    ordered = {"platform": "wechat", "api": "stable_token", "kind": "http_500", **changed}
    assert stand.http.post("/open/faults", json=ordered).status_code == 400
    assert "access_token" in stable_token(stand)
