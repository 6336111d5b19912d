"""短信 over HTTP: the RPC signature, replays, limits, and what the phone shows."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.stand_ins.stand import Json, Stand, send_sms, sms_params

_numbers = itertools.count(15000000000)


@pytest.fixture
def phone() -> str:
    return str(next(_numbers))


def utc(shift: timedelta) -> str:
    return f"{datetime.now(UTC) + shift:%Y-%m-%dT%H:%M:%SZ}"


def test_a_message_arrives(stand: Stand, phone: str) -> None:
    answer = send_sms(stand, phone)
    assert answer.status_code == 200
    sent = answer.json()
    assert (sent["Code"], sent["Message"]) == ("OK", "OK")
    assert set(sent) == {"Code", "Message", "BizId", "RequestId"}
    [message] = stand.sms_to(phone)
    assert message["params"] == {"code": "246810"}
    assert message["text"] == "【邻里】您的验证码为246810，5分钟内有效，请勿告知他人。"
    assert message["biz_id"] == sent["BizId"]


def test_the_page_shows_the_message_and_runs_nothing(stand: Stand, phone: str) -> None:
    send_sms(stand, phone, TemplateParam='{"code":"<script>1</script>"}')
    page = stand.http.get("/sms", params={"phone": phone})
    assert page.headers["content-type"].startswith("text/html")
    assert "验证码为&lt;script&gt;1&lt;/script&gt;" in page.text
    assert "<script" not in page.text


def test_parameters_may_stand_in_the_query(stand: Stand, phone: str) -> None:
    assert stand.http.post("/", params=sms_params(stand, phone)).json()["Code"] == "OK"


@pytest.mark.parametrize("prefix", ["+86", "86", "0086"])
def test_the_country_code_may_be_given(stand: Stand, phone: str, prefix: str) -> None:
    assert send_sms(stand, prefix + phone).json()["Code"] == "OK"
    assert len(stand.sms_to(phone)) == 1


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"Action": ""}, 400, "MissingAction"),
        ({"AccessKeyId": ""}, 400, "MissingAccessKeyId"),
        ({"SignatureNonce": ""}, 400, "MissingSignatureNonce"),
        ({"Timestamp": ""}, 400, "MissingTimestamp"),
        ({"PhoneNumbers": ""}, 400, "MissingPhoneNumbers"),
        ({"Action": "SendFax"}, 404, "InvalidAction.NotFound"),
        ({"Version": "2015-01-01"}, 400, "InvalidVersion"),
        ({"SignatureMethod": "HMAC-MD5"}, 400, "InvalidParameter.SignatureMethod"),
        ({"SignatureVersion": "2.0"}, 400, "InvalidParameter.SignatureVersion"),
        ({"AccessKeyId": "LTAI0"}, 404, "InvalidAccessKeyId.NotFound"),
        ({"Signature": "AAAA"}, 400, "SignatureDoesNotMatch"),
        ({"Signature": "签名"}, 400, "SignatureDoesNotMatch"),
        ({"Timestamp": "2026-11-21 03:00:00"}, 400, "InvalidTimeStamp.Format"),
        ({"Timestamp": utc(timedelta(minutes=-16))}, 400, "InvalidTimeStamp.Expired"),
        ({"Timestamp": utc(timedelta(hours=2))}, 400, "InvalidTimeStamp.Expired"),
        ({"PhoneNumbers": "12345"}, 200, "isv.MOBILE_NUMBER_ILLEGAL"),
        ({"PhoneNumbers": "15011112222,1501111222"}, 200, "isv.MOBILE_NUMBER_ILLEGAL"),
        ({"PhoneNumbers": "15011112222," * 1000 + "15011112222"}, 200, "isv.MOBILE_COUNT_OVER_LIMIT"),
        ({"SignName": "别家"}, 200, "isv.SMS_SIGNATURE_ILLEGAL"),
        ({"TemplateCode": "SMS_1"}, 200, "isv.SMS_TEMPLATE_ILLEGAL"),
        ({"TemplateParam": ""}, 200, "isv.TEMPLATE_MISSING_PARAMETERS"),
        ({"TemplateParam": '{"名":"x"}'}, 200, "isv.TEMPLATE_MISSING_PARAMETERS"),
        ({"TemplateParam": "{"}, 200, "isv.INVALID_JSON_PARAM"),
        ({"TemplateParam": '{"code":123456}'}, 200, "isv.INVALID_JSON_PARAM"),
        ({"TemplateParam": '["code"]'}, 200, "isv.INVALID_JSON_PARAM"),
        ({"TemplateParam": '{"code":"\\ud800"}'}, 200, "isv.INVALID_JSON_PARAM"),
    ],
)
def test_a_refused_message_is_not_sent(
    stand: Stand, phone: str, changed: dict[str, str], status: int, code: str
) -> None:
    before = stand.books("SELECT count(*) FROM sms_messages")
    answer = send_sms(stand, phone, **changed)
    assert (answer.status_code, answer.json()["Code"]) == (status, code)
    assert {"Message", "RequestId"} <= set(answer.json())
    assert stand.books("SELECT count(*) FROM sms_messages") == before


def test_a_changed_parameter_breaks_the_signature(stand: Stand, phone: str) -> None:
    params = {**sms_params(stand, phone), "TemplateParam": '{"code":"000000"}'}
    assert stand.http.post("/", data=params).json()["Code"] == "SignatureDoesNotMatch"
    assert stand.sms_to(phone) == []


def test_a_replayed_request_is_refused(stand: Stand, phone: str) -> None:
    params = sms_params(stand, phone)
    assert stand.http.post("/", data=params).json()["Code"] == "OK"
    replayed = stand.http.post("/", data=params)
    assert (replayed.status_code, replayed.json()["Code"]) == (400, "SignatureNonceUsed")
    assert len(stand.sms_to(phone)) == 1


def test_a_nonce_is_spent_by_a_refusal_too(stand: Stand, phone: str) -> None:
    params = sms_params(stand, phone, SignName="别家")
    assert stand.http.post("/", data=params).json()["Code"] == "isv.SMS_SIGNATURE_ILLEGAL"
    assert stand.http.post("/", data=params).json()["Code"] == "SignatureNonceUsed"


def test_codes_are_one_a_minute_five_an_hour_ten_a_day(stand: Stand, phone: str) -> None:
    def age(seconds: int) -> None:
        stand.books("UPDATE sms_messages SET sent_at = sent_at - ? WHERE phone = ?", seconds, phone)

    def attempt() -> str:
        answer = send_sms(stand, phone).json()
        assert answer["Code"] in {"OK", "isv.BUSINESS_LIMIT_CONTROL"}
        return str(answer["Message"])

    assert [attempt(), attempt()] == ["OK", "触发分钟级流控Permits:1"]
    for _ in range(4):
        age(61)
        assert attempt() == "OK"
    age(61)
    assert attempt() == "触发小时级流控Permits:5"
    for _ in range(5):
        age(3601)
        assert attempt() == "OK"
    age(3601)
    assert attempt() == "触发天级流控Permits:10"
    age(86400)
    assert attempt() == "OK"
    assert len(stand.sms_to(phone)) == 11


def test_one_phone_over_its_limit_stops_the_whole_request(stand: Stand, phone: str) -> None:
    other = str(next(_numbers))
    send_sms(stand, phone)
    assert send_sms(stand, f"{other},{phone}").json()["Code"] == "isv.BUSINESS_LIMIT_CONTROL"
    assert stand.sms_to(other) == []


def test_the_console_may_be_changed_while_it_runs(stand: Stand, phone: str) -> None:
    path = stand.home / "sms_console.json"
    before = path.read_text()
    console: Json = json.loads(before)
    console["templates"]["SMS_480000002"] = {"kind": "notice", "text": "您有新的账单，金额${yuan}元。"}
    console["limits"]["notice"] = {"86400": 2}
    path.write_text(json.dumps(console))
    try:
        notice = {"TemplateCode": "SMS_480000002", "TemplateParam": '{"yuan":"12.50"}'}
        codes = [send_sms(stand, phone, **notice).json()["Code"] for _ in range(3)]
        assert codes == ["OK", "OK", "isv.BUSINESS_LIMIT_CONTROL"]
        assert stand.sms_to(phone)[0]["text"] == "【邻里】您有新的账单，金额12.50元。"
    finally:
        path.write_text(before)


def test_xml_is_what_comes_when_json_is_not_asked_for(stand: Stand, phone: str) -> None:
    sent = send_sms(stand, phone, Format="")
    assert sent.headers["content-type"].startswith("text/xml")
    assert "<SendSmsResponse>" in sent.text and "<Code>OK</Code>" in sent.text
    refused = send_sms(stand, phone, Format="", AccessKeyId="<&>")
    assert refused.text.count("<Error>") == 1 and "<Code>InvalidAccessKeyId.NotFound</Code>" in refused.text
