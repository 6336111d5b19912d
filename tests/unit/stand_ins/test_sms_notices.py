"""短信通知 over HTTP: templates of the product's side, OutId, and what became of each message."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.unit.stand_ins.stand import Json, Stand, rpc_params, send_sms

NOTICE = {"TemplateCode": "SMS_490000001", "TemplateParam": '{"name":"王芳"}', "OutId": "delivery-7"}
_numbers = itertools.count(16600000000)


@pytest.fixture(autouse=True)
def templates(stand: Stand) -> None:
    stand.write(
        "sms_templates.json",
        {"SMS_490000001": {"text": "${name}，您有新的账单。"}, "TTS_1": {"text": "火警，${place}"}},
    )


@pytest.fixture
def phone() -> str:
    return str(next(_numbers))


def today() -> str:
    return f"{datetime.now(ZoneInfo('Asia/Shanghai')):%Y%m%d}"


def query(stand: Stand, phone: str, **changed: str) -> Json:
    given = {"PhoneNumber": phone, "SendDate": today(), "PageSize": "10", "CurrentPage": "1"}
    answer = stand.http.post("/", data=rpc_params(stand, Action="QuerySendDetails", **{**given, **changed}))
    found: Json = answer.json()
    return found


def details(stand: Stand, phone: str, **changed: str) -> list[Json]:
    answer = query(stand, phone, **changed)
    assert answer["Code"] == "OK"
    found: list[Json] = answer["SmsSendDetailDTOs"]["SmsSendDetailDTO"]
    return found


def test_a_notice_arrives_and_is_told_of(stand: Stand, phone: str) -> None:
    sent = send_sms(stand, phone, **NOTICE).json()
    assert sent["Code"] == "OK"
    [message] = stand.messages(person=phone)
    assert (message["channel"], message["text"]) == ("sms", "【邻里】王芳，您有新的账单。")
    answer = query(stand, phone, BizId=sent["BizId"])
    [detail] = answer["SmsSendDetailDTOs"]["SmsSendDetailDTO"]
    assert (answer["Code"], answer["Message"], answer["TotalCount"]) == ("OK", "OK", 1)
    assert detail.pop("SendDate") == detail.pop("ReceiveDate")
    assert detail == {
        "PhoneNum": phone,
        "SendStatus": 3,
        "ErrCode": "DELIVERED",
        "TemplateCode": "SMS_490000001",
        "Content": "【邻里】王芳，您有新的账单。",
        "OutId": "delivery-7",
    }


def test_a_phone_that_is_off_gets_it_later(stand: Stand, phone: str) -> None:
    assert stand.http.post("/open/phones", json={"phone": phone, "state": "off"}).status_code == 204
    send_sms(stand, phone, **NOTICE)
    assert stand.messages(person=phone) == []
    [waiting] = details(stand, phone)
    assert (waiting["SendStatus"], waiting["ErrCode"], waiting["ReceiveDate"]) == (1, "", "")
    stand.http.post("/open/phones", json={"phone": phone, "state": "on"})
    stand.http.post("/open/phones", json={"phone": phone, "state": "on"})
    assert len(stand.messages(person=phone)) == 1
    assert details(stand, phone)[0]["SendStatus"] == 3


def test_a_void_number_never_gets_it(stand: Stand, phone: str) -> None:
    stand.http.post("/open/phones", json={"phone": phone, "state": "void"})
    assert send_sms(stand, phone, **NOTICE).json()["Code"] == "OK"
    [failed] = details(stand, phone)
    assert (failed["SendStatus"], failed["ErrCode"]) == (2, "INVALID_NUMBER")
    assert stand.messages(person=phone) == []
    assert stand.sms_to(phone) == []


def test_pages_of_a_day(stand: Stand, phone: str) -> None:
    for number in range(3):
        send_sms(stand, phone, **{**NOTICE, "OutId": str(number)})
    assert [found["OutId"] for found in details(stand, phone, PageSize="2")] == ["2", "1"]
    assert [found["OutId"] for found in details(stand, phone, PageSize="2", CurrentPage="2")] == ["0"]
    assert query(stand, phone, PageSize="2", CurrentPage="3")["TotalCount"] == 3
    yesterday = f"{datetime.now(ZoneInfo('Asia/Shanghai')) - timedelta(days=1):%Y%m%d}"
    assert details(stand, phone, SendDate=yesterday) == []
    assert details(stand, phone, BizId="0^0") == []
    assert details(stand, "13000000000") == []


def test_xml_nests_the_details(stand: Stand, phone: str) -> None:
    send_sms(stand, phone, **NOTICE)
    given = {"PhoneNumber": phone, "SendDate": today(), "PageSize": "10", "CurrentPage": "1"}
    answer = stand.http.post("/", data=rpc_params(stand, Action="QuerySendDetails", Format="", **given))
    assert answer.text.count("<SmsSendDetailDTOs><SmsSendDetailDTO><PhoneNum>") == 1
    assert "<OutId>delivery-7</OutId>" in answer.text


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"PhoneNumber": ""}, "MissingPhoneNumber"),
        ({"SendDate": ""}, "MissingSendDate"),
        ({"PageSize": ""}, "MissingPageSize"),
        ({"CurrentPage": ""}, "MissingCurrentPage"),
        ({"SendDate": "2026-11-21"}, "isv.INVALID_PARAMETERS"),
        ({"SendDate": "20261301"}, "isv.INVALID_PARAMETERS"),
        ({"SendDate": "2026111"}, "isv.INVALID_PARAMETERS"),
        ({"PageSize": "51"}, "isv.INVALID_PARAMETERS"),
        ({"PageSize": "0"}, "isv.INVALID_PARAMETERS"),
        ({"PageSize": "many"}, "isv.INVALID_PARAMETERS"),
        ({"CurrentPage": "0"}, "isv.INVALID_PARAMETERS"),
        ({"Signature": "AAAA"}, "SignatureDoesNotMatch"),
        (
            {"Timestamp": f"{datetime.now(UTC) - timedelta(minutes=16):%Y-%m-%dT%H:%M:%SZ}"},
            "InvalidTimeStamp.Expired",
        ),
    ],
)
def test_a_query_that_is_refused(stand: Stand, phone: str, changed: dict[str, str], code: str) -> None:
    answer = query(stand, phone, **changed)
    assert answer["Code"] == code
    assert "SmsSendDetailDTOs" not in answer


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"TemplateCode": "SMS_490000002"}, "isv.SMS_TEMPLATE_ILLEGAL"),
        ({"TemplateCode": "TTS_1", "TemplateParam": '{"place":"x"}'}, "isv.SMS_TEMPLATE_ILLEGAL"),
        ({"TemplateParam": "{}"}, "isv.TEMPLATE_MISSING_PARAMETERS"),
    ],
)
def test_a_notice_that_is_refused(stand: Stand, phone: str, changed: dict[str, str], code: str) -> None:
    assert send_sms(stand, phone, **{**NOTICE, **changed}).json()["Code"] == code
    assert details(stand, phone) == []
    assert stand.messages(person=phone) == []


def test_an_unreadable_file_holds_no_templates(stand: Stand, phone: str) -> None:
    (stand.home / "sms_templates.json").write_text("[")
    assert send_sms(stand, phone, **NOTICE).json()["Code"] == "isv.SMS_TEMPLATE_ILLEGAL"
    assert send_sms(stand, phone).json()["Code"] == "OK"


def test_the_same_phone_twice_in_one_request_counts_twice(stand: Stand, phone: str) -> None:
    assert send_sms(stand, f"{phone},{phone}").json()["Code"] == "isv.BUSINESS_LIMIT_CONTROL"
    assert details(stand, phone) == []
    assert send_sms(stand, phone).json()["Code"] == "OK"


@pytest.mark.parametrize("changed", [{"state": "broken"}, {"state": None}, {"phone": "110"}])
def test_a_switch_that_makes_no_sense(stand: Stand, phone: str, changed: Json) -> None:
    answer = stand.http.post("/open/phones", json={"phone": phone, "state": "off", **changed})
    assert answer.status_code == 400
