"""语音通知 over HTTP: SingleCallByTts, what it refuses, and how often a phone may ring."""

from __future__ import annotations

import itertools
import json

import pytest

from tests.unit.stand_ins.stand import Json, Stand, rpc_params

_numbers = itertools.count(17700000000)


@pytest.fixture(autouse=True)
def templates(stand: Stand) -> None:
    stand.write(
        "sms_templates.json", {"TTS_100": {"text": "火警，${place}，请立即撤离。"}, "SMS_1": {"text": "x"}}
    )


@pytest.fixture
def phone() -> str:
    return str(next(_numbers))


def call(stand: Stand, phone: str, **changed: str) -> Json:
    given = {
        "Action": "SingleCallByTts",
        "CalledNumber": phone,
        "TtsCode": "TTS_100",
        "TtsParam": '{"place":"3号楼"}',
        **changed,
    }
    found: Json = stand.http.post("/voice/", data=rpc_params(stand, **given)).json()
    return found


def calls(stand: Stand, phone: str) -> int:
    return len(stand.books("SELECT * FROM voice_calls WHERE phone = ?", phone))


def test_a_call_is_heard(stand: Stand, phone: str) -> None:
    answer = call(stand, phone, OutId="sos-1", PlayTimes="2", Speed="-500", Volume="0")
    assert set(answer) == {"Code", "Message", "RequestId", "CallId"}
    assert (answer["Code"], answer["Message"]) == ("OK", "OK")
    [message] = stand.messages(person=phone)
    assert (message["channel"], message["text"]) == ("voice", "火警，3号楼，请立即撤离。")
    assert message["platform_id"] == answer["CallId"]
    assert stand.books("SELECT out_id, play_times FROM voice_calls WHERE phone = ?", phone) == [("sos-1", 2)]


def test_a_landline_and_a_shown_number(stand: Stand) -> None:
    assert call(stand, "057187654321", CalledShowNumber="057112345678")["Code"] == "OK"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"CalledNumber": ""}, "MissingCalledNumber"),
        ({"TtsCode": ""}, "MissingTtsCode"),
        ({"Action": "SendSms"}, "InvalidAction.NotFound"),
        ({"Version": "2015-01-01"}, "InvalidVersion"),
        ({"Signature": "AAAA"}, "SignatureDoesNotMatch"),
        ({"AccessKeyId": "LTAI0"}, "InvalidAccessKeyId.NotFound"),
        ({"Timestamp": "2026-01-01T00:00:00Z"}, "InvalidTimeStamp.Expired"),
        ({"CalledNumber": "110"}, "isv.MOBILE_NUMBER_ILLEGAL"),
        ({"CalledNumber": "13800000000,13800000001"}, "isv.MOBILE_NUMBER_ILLEGAL"),
        ({"TtsCode": "TTS_404"}, "isv.TTS_TEMPLATE_ILLEGAL"),
        ({"TtsCode": "SMS_1"}, "isv.TTS_TEMPLATE_ILLEGAL"),
        ({"TtsParam": ""}, "isv.TEMPLATE_MISSING_PARAMETERS"),
        ({"TtsParam": "{"}, "isv.INVALID_JSON_PARAM"),
        ({"TtsParam": json.dumps({"place": "楼" * 250})}, "isv.PARAM_LENGTH_LIMIT"),
        ({"TtsParam": '{"place":"https://x.cn"}'}, "isv.PARAM_NOT_SUPPORT_URL"),
        ({"PlayTimes": "4"}, "isv.INVALID_PARAMETERS"),
        ({"PlayTimes": "0"}, "isv.INVALID_PARAMETERS"),
        ({"Volume": "101"}, "isv.INVALID_PARAMETERS"),
        ({"Speed": "501"}, "isv.INVALID_PARAMETERS"),
        ({"Speed": "fast"}, "isv.INVALID_PARAMETERS"),
        ({"OutId": "一二三四五六"}, "isv.INVALID_PARAMETERS"),
    ],
)
def test_a_refused_call_does_not_ring(stand: Stand, phone: str, changed: dict[str, str], code: str) -> None:
    assert call(stand, phone, **changed)["Code"] == code
    assert calls(stand, phone) == 0
    longest = json.dumps({"place": "楼" * 249})
    assert call(stand, phone, TtsParam=longest, OutId="一二三四五")["Code"] == "OK"


def test_a_replayed_call_is_refused(stand: Stand, phone: str) -> None:
    given = {"CalledNumber": phone, "TtsCode": "TTS_100", "TtsParam": '{"place":"x"}'}
    params = rpc_params(stand, Action="SingleCallByTts", **given)
    assert stand.http.post("/voice/", data=params).json()["Code"] == "OK"
    assert stand.http.post("/voice/", data=params).json()["Code"] == "SignatureNonceUsed"
    assert calls(stand, phone) == 1


def test_a_phone_rings_once_a_minute_five_times_an_hour(stand: Stand, phone: str) -> None:
    assert call(stand, phone)["Code"] == "OK"
    assert call(stand, phone)["Message"] == "触发分钟级流控Permits:1"
    for _ in range(4):
        stand.books("UPDATE voice_calls SET called_at = called_at - 61 WHERE phone = ?", phone)
        assert call(stand, phone)["Code"] == "OK"
    stand.books("UPDATE voice_calls SET called_at = called_at - 61 WHERE phone = ?", phone)
    assert call(stand, phone)["Message"] == "触发小时级流控Permits:5"
    assert calls(stand, phone) == 5


def test_nobody_picks_up_a_phone_that_is_off(stand: Stand, phone: str) -> None:
    stand.http.post("/open/phones", json={"phone": phone, "state": "off"})
    assert call(stand, phone)["Code"] == "OK"
    stand.http.post("/open/phones", json={"phone": phone, "state": "on"})
    assert calls(stand, phone) == 1
    assert stand.messages(person=phone) == []
