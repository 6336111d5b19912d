"""Faults on everything that sends: the status before the work, the work before the lost answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.unit.stand_ins import test_alipay_messages as alipay
from tests.unit.stand_ins import test_hooks as hooks
from tests.unit.stand_ins import test_subscribe_messages as wechat
from tests.unit.stand_ins.pushing import Pusher, someone
from tests.unit.stand_ins.stand import Stand, alipay_call, rpc_params, send_sms
from tests.unit.stand_ins.test_wechat import stable_token

PHONE = "19900000001"


@dataclass
class Sender:
    """One interface: how it is called, how its answer says done or busy, and how often the work was done."""

    platform: str
    api: str
    call: Callable[[], httpx.Response]
    done: Callable[[httpx.Response], bool]
    busy: Callable[[httpx.Response], bool]
    count: Callable[[], int]


def wechat_sender(stand: Stand) -> Sender:
    stand.write("wechat_templates.json", wechat.TEMPLATES)
    stand.open("wechat/consent", person="故障", template=wechat.BILL, times=9)
    [(openid,)] = stand.books("SELECT wechat_openid FROM people WHERE name = '故障'")
    token = stable_token(stand)["access_token"]
    body = {"touser": openid, "template_id": wechat.BILL, "data": wechat.DATA}
    return Sender(
        "wechat",
        "subscribe/send",
        lambda: stand.http.post("/cgi-bin/message/subscribe/send", params={"access_token": token}, json=body),
        lambda answer: answer.json()["errcode"] == 0,
        lambda answer: answer.json()["errcode"] == -1,
        lambda: len(stand.messages(channel="wechat")),
    )


def alipay_sender(stand: Stand) -> Sender:
    stand.write("alipay_templates.json", alipay.TEMPLATES)
    stand.open("alipay/consent", person="故障", template=alipay.REPAIR, times=9)
    body = json.dumps(alipay.content(stand, "故障"))
    return Sender(
        "alipay",
        alipay.METHOD,
        lambda: alipay_call(stand, method=alipay.METHOD, grant_type="", biz_content=body),
        lambda answer: answer.json()[alipay.NODE]["code"] == "10000",
        lambda answer: answer.json()[alipay.NODE]["code"] == "20000",
        lambda: len(stand.messages(channel="alipay")),
    )


def sms_sender(stand: Stand) -> Sender:
    stand.write("sms_templates.json", {"SMS_9": {"text": "通知"}})
    return Sender(
        "sms",
        "SendSms",
        lambda: send_sms(stand, PHONE, TemplateCode="SMS_9"),
        lambda answer: answer.json()["Code"] == "OK",
        lambda answer: answer.json()["Code"] == "isp.SYSTEM_ERROR",
        lambda: len(stand.messages(channel="sms")),
    )


def voice_sender(stand: Stand) -> Sender:
    stand.write("sms_templates.json", {"TTS_9": {"text": "通知"}})

    def call() -> httpx.Response:
        stand.books("UPDATE voice_calls SET called_at = 0")
        given = rpc_params(stand, Action="SingleCallByTts", CalledNumber=PHONE, TtsCode="TTS_9")
        return stand.http.post("/voice/", data=given)

    return Sender(
        "voice",
        "SingleCallByTts",
        call,
        lambda answer: answer.json()["Code"] == "OK",
        lambda answer: answer.json()["Code"] == "isp.SYSTEM_ERROR",
        lambda: len(stand.messages(channel="voice")),
    )


def push_sender(stand: Stand) -> Sender:
    pusher = someone(stand)
    return Sender(
        "push",
        "send",
        pusher.push,
        lambda answer: answer.status_code == 201,
        lambda answer: answer.status_code == 503,
        lambda: len(pusher.texts()),
    )


def hook_sender(stand: Stand) -> Sender:
    stand.open("hooks", name="faulty", secret=hooks.SECRET)
    return Sender(
        "hooks",
        "deliver",
        lambda: hooks.deliver(stand, "faulty"),
        lambda answer: answer.status_code == 204,
        lambda answer: answer.status_code == 503,
        lambda: sum(kept["times"] for kept in hooks.kept(stand, "faulty")),
    )


@pytest.fixture(params=[wechat_sender, alipay_sender, sms_sender, voice_sender, push_sender, hook_sender])
def sender(stand: Stand, request: pytest.FixtureRequest) -> Iterator[Sender]:
    made: Sender = request.param(stand)
    yield made
    assert stand.http.delete("/open/faults").status_code == 204


@pytest.mark.parametrize(("kind", "status"), [("http_429", 429), ("http_500", 500)])
def test_a_status_comes_before_the_work(stand: Stand, sender: Sender, kind: str, status: int) -> None:
    before = sender.count()
    stand.fault(sender.platform, sender.api, kind, seconds=7)
    answer = sender.call()
    assert answer.status_code == status
    assert answer.headers.get("retry-after") == ("7" if status == 429 else None)
    assert sender.count() == before
    assert sender.done(sender.call())
    assert sender.count() == before + 1


def test_busy_is_said_in_each_platforms_words(stand: Stand, sender: Sender) -> None:
    before = sender.count()
    stand.fault(sender.platform, sender.api, "busy")
    assert sender.busy(sender.call())
    assert sender.count() == before
    assert sender.done(sender.call())


def test_slow_waits_and_then_answers(stand: Stand, sender: Sender) -> None:
    stand.fault(sender.platform, sender.api, "slow", seconds=0.2)
    start = time.monotonic()
    assert sender.done(sender.call())
    assert time.monotonic() - start >= 0.2


def test_drop_does_the_work_and_loses_the_answer(stand: Stand, sender: Sender) -> None:
    before = sender.count()
    stand.fault(sender.platform, sender.api, "drop")
    with pytest.raises(httpx.RemoteProtocolError):
        sender.call()
    assert sender.count() == before + 1


def test_a_lost_answer_has_spent_the_consent(stand: Stand) -> None:
    stand.write("wechat_templates.json", wechat.TEMPLATES)
    wechat.consent(stand, "丢失")
    openid = wechat.openid_of(stand, "丢失")
    stand.fault("wechat", "subscribe/send", "drop")
    with pytest.raises(httpx.RemoteProtocolError):
        wechat.send(stand, openid)
    assert wechat.send(stand, openid)["errcode"] == 43101
    assert len(stand.messages(person="丢失")) == 1


def test_a_dead_token_must_be_fetched_anew(stand: Stand) -> None:
    sender = wechat_sender(stand)
    stand.fault("wechat", "subscribe/send", "dead_token")
    assert [sender.call().json()["errcode"] for _ in range(2)] == [40001, 40001]
    assert wechat_sender(stand).call().json()["errcode"] == 0


def test_gone_drops_the_subscription_for_good(stand: Stand) -> None:
    gone, other = someone(stand), someone(stand)
    stand.fault("push", "send", "gone")
    assert [gone.push().status_code for _ in range(2)] == [410, 410]
    assert other.push().status_code == 201
    assert gone.texts() == []


def test_details_may_fail_too(stand: Stand) -> None:
    stand.fault("sms", "QuerySendDetails", "busy")
    answer = stand.http.post("/", data=rpc_params(stand, Action="QuerySendDetails")).json()
    assert answer["Code"] == "isp.SYSTEM_ERROR"


@pytest.mark.parametrize(
    ("platform", "api", "kind"),
    [
        ("push", "send", "dead_token"),
        ("hooks", "deliver", "dead_token"),
        ("hooks", "deliver", "gone"),
        ("wechat", "subscribe/send", "gone"),
        ("voice", "SingleCallByTts", "dead_token"),
        ("alipay", alipay.METHOD, "dead_token"),
        ("voice", "SendSms", "http_500"),
    ],
)
def test_a_fault_that_cannot_happen_is_refused(stand: Stand, platform: str, api: str, kind: str) -> None:
    ordered = {"platform": platform, "api": api, "kind": kind}
    assert stand.http.post("/open/faults", json=ordered).status_code == 400


def test_pushes_of_one_person_are_not_anothers(stand: Stand) -> None:
    one, two = Pusher(stand, "甲方"), Pusher(stand, "乙方")
    one.push(b"for one")
    assert (one.texts(), two.texts()) == (["for one"], [])
