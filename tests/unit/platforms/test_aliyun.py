"""Alibaba Cloud's RPC style against the stand-in, which checks the signature as the real one does."""

from __future__ import annotations

import httpx
import orjson
import pytest

from domains.platforms import transports
from domains.platforms.aliyun import Aliyun
from domains.platforms.calling import NotSent, OutcomeUnknown
from tests.factories.identity import new_phone
from tests.factories.platforms import aliyun
from tests.unit.stand_ins.stand import Stand


def message(phone: str, code: str = "246810") -> dict[str, str]:
    content = orjson.dumps({"code": code}).decode()
    return {
        "PhoneNumbers": phone,
        "SignName": "邻里",
        "TemplateCode": "SMS_480000001",
        "TemplateParam": content,
    }


def sms() -> Aliyun:
    found = transports().sms
    assert found is not None
    return found


@pytest.mark.usefixtures("reaching")
async def test_a_signed_action_is_carried_out(stand: Stand) -> None:
    phone = new_phone()
    answer = await sms().call("SendSms", message(phone, "~水 电*'&=+%"))
    assert (answer["Code"], bool(answer["BizId"])) == ("OK", True)
    assert [each["params"]["code"] for each in stand.sms_to(phone)] == ["~水 电*'&=+%"]


@pytest.mark.usefixtures("reaching")
async def test_a_refusal_is_an_answer_with_its_code(stand: Stand) -> None:
    refused = await sms().call("SendSms", message("12345"))
    assert refused["Code"] == "isv.MOBILE_NUMBER_ILLEGAL"
    unknown = await sms().call("NoSuchAction", message(new_phone()))
    assert unknown["Code"] == "InvalidAction.NotFound"


@pytest.mark.usefixtures("reaching")
async def test_a_key_that_is_not_ours_is_refused(stand: Stand) -> None:
    phone, account = new_phone(), stand.credentials["sms"]
    async with httpx.AsyncClient(trust_env=False) as http:
        stranger = Aliyun(
            http,
            name="sms",
            url=str(stand.http.base_url),
            version="2017-05-25",
            access_key_id=account["access_key_id"],
            access_key_secret="another",
        )
        answer = await stranger.call("SendSms", message(phone))
    assert answer["Code"] == "SignatureDoesNotMatch"
    assert stand.sms_to(phone) == []


@pytest.mark.usefixtures("reaching")
@pytest.mark.parametrize(
    ("kind", "failure", "sent"),
    [("http_429", NotSent, 0), ("http_500", OutcomeUnknown, 0), ("drop", OutcomeUnknown, 1)],
)
async def test_trouble_says_whether_it_may_be_sent_again(
    stand: Stand, kind: str, failure: type[Exception], sent: int
) -> None:
    phone = new_phone()
    stand.fault("sms", "SendSms", kind)
    with pytest.raises(failure):
        await sms().call("SendSms", message(phone))
    assert len(stand.sms_to(phone)) == sent


@pytest.mark.parametrize("body", [b"<xml/>", b"[]", b"null", b"", b"\xff"])
async def test_what_is_no_json_object_is_no_answer(body: bytes) -> None:
    with pytest.raises(OutcomeUnknown):
        await aliyun(lambda _: httpx.Response(200, content=body)).call("SendSms", {})


async def test_each_request_is_signed_anew() -> None:
    seen: list[dict[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(dict(httpx.QueryParams(request.content.decode())))
        return httpx.Response(200, content=b"{}")

    for _ in range(2):
        await aliyun(answer).call("SingleCallByTts", {"CalledNumber": "13800000001"})
    first, second = seen
    assert (first["Action"], first["Version"], first["Format"]) == ("SingleCallByTts", "2017-05-25", "JSON")
    assert first["SignatureNonce"] != second["SignatureNonce"]
    assert first["Signature"] != second["Signature"]
