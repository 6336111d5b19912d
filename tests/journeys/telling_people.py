"""Telling people: inbox, WeChat with and without consent, faults, live updates, webhooks, dead letters, jobs."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx

from tests.journeys.applicant import INBOX, Applicant, Desk, applicant, eventually
from tests.journeys.client import Client
from tests.journeys.first_day import PASSWORD, compound_of
from tests.journeys.instance import Instance
from tests.journeys.live import listening
from tests.journeys.steps import Steps

APPROVED, REJECTED = "registration.approved", "registration.rejected"
CHANGED = """
subscription Changed($after: String) { inboxChanged(after: $after) {
  cursor unreadCount notification { kind title } } }
"""
MARK = """
mutation Mark($input: MarkReadInput!) { markRead(input: $input) { unreadCount errors { code } } }
"""
PUSH_KEY = "query Key { webPushPublicKey }"
REGISTER_PUSH = """
mutation Push($input: RegisterPushSubscriptionInput!) { registerPushSubscription(input: $input) {
  isRegistered errors { code message } } }
"""
REGISTER_HOOK = """
mutation Hook($input: RegisterWebhookInput!) { registerWebhook(input: $input) {
  secret webhook { id } errors { code message } } }
"""
TEST_HOOK = """
mutation Try($input: WebhookInput!) { testWebhook(input: $input) { delivery errors { code message } } }
"""
RESEND = """
mutation Resend($input: ResendDeliveryInput!) { resendDelivery(input: $input) { errors { code message } } }
"""
JOBS = "query Jobs($name: String) { jobs(name: $name) { name lastRun { state requestedByName result { name value } } } }"
RUN = "mutation Run($input: RunJobInput!) { runJob(input: $input) { errors { code message } } }"
CHINA = timezone(timedelta(hours=8))


def play(instance: Instance, steps: Steps) -> None:
    """The steps in order; each asserts what it claims."""
    staff, neighbour = Client(instance.url), Client(instance.url)
    staff.sign_in_staff("manager", PASSWORD)
    neighbour.sign_in_staff("neighbour", PASSWORD)
    desk = Desk(staff, compound_of(staff))
    ma = applicant(instance, "ma-xiaofeng", "19900009911")
    _registering(steps, desk, ma)
    _telling_in_wechat(steps, desk, ma)
    _failing_platforms(instance, steps, desk, ma)
    _as_the_person_wishes(steps, desk, ma)
    _resuming(steps, desk, ma)
    _calling_other_systems(instance, steps, desk)
    _running_jobs(steps, staff, neighbour)


def _registering(steps: Steps, desk: Desk, ma: Applicant) -> None:
    before = desk.client.ask(INBOX)["viewer"]["inbox"]["unreadCount"]
    with steps.step("住户登记,审核人员的收件箱马上有消息 a registration tells its reviewers at once"):
        ma.apply("201室")
        inbox = eventually(lambda: _longer(desk.client, before))
        newest = inbox["nodes"][0]
        assert (newest["kind"], newest["link"]) == ("registration.submitted", "/staff/registrations"), newest
        assert inbox["unreadCount"] == before + 1
    with steps.step("读过就不再计数 what was read counts no more"):
        left = desk.client.ask(MARK, input={"notifications": [newest["id"]]})["markRead"]
        assert (left["unreadCount"], left["errors"]) == (before, []), left


def _longer(client: Client, before: int) -> Any:
    inbox = client.ask(INBOX)["viewer"]["inbox"]
    return inbox if inbox["unreadCount"] > before else None


def _telling_in_wechat(steps: Steps, desk: Desk, ma: Applicant) -> None:
    with steps.step("没有授权就不发,记录里写明 without consent nothing is sent, and the log says so"):
        desk.remember()
        desk.review("REJECT", "请补充购房合同")
        refused = desk.settled("WECHAT", "SUPPRESSED")
        assert (refused["reason"], refused["kind"]) == ("NO_CONSENT", REJECTED), refused
        assert ma.messages("wechat") == []
        assert ma.inbox()["nodes"][0]["body"].endswith("请补充购房合同")
    with steps.step("在微信里同意一次,记下一次授权 one consent in WeChat is one message to come"):
        assert {each["left"] for each in ma.templates()} == {0}
        ma.consent(APPROVED)
    with steps.step(
        "审核通过:打开的连接马上知道,微信只收到一条 the open socket learns it, WeChat shows it once"
    ):
        desk.remember()
        ma.apply("202室")
        with listening(ma.phone, CHANGED) as live:
            desk.review("APPROVE")
            change = live.next()["inboxChanged"]
            assert change["notification"]["kind"] == APPROVED and change["unreadCount"] == 2, change
        sent = desk.settled("WECHAT", "SENT")
        assert sent["platformId"] and [each["outcome"] for each in sent["attempts"]] == ["SENT"], sent
        assert len(ma.messages("wechat")) == 1


def _failing_platforms(instance: Instance, steps: Steps, desk: Desk, ma: Applicant) -> None:
    with steps.step("微信连错两次,第三次送达 WeChat answers 500 twice, the third attempt arrives"):
        desk.remember()
        before = len(ma.messages("wechat"))
        ma.consent(REJECTED)
        _fault(instance, platform="wechat", api="subscribe/send", kind="http_500", times=2)
        _reject(desk, ma)
        sent = desk.settled("WECHAT", "SENT")
        assert [each["outcome"] for each in sent["attempts"]] == ["RETRY", "RETRY", "SENT"], sent
        assert len(ma.messages("wechat")) == before + 1
    with steps.step(
        "浏览器推送送达;浏览器没了,订阅就删掉 a push arrives; a browser that is gone is forgotten"
    ):
        token = _register_push(instance, ma)
        desk.remember()
        _reject(desk, ma)
        desk.settled("WEB_PUSH", "SENT")
        assert len(ma.messages("push")) == 1
        gone = httpx.delete(f"{instance.platform_url}/open/push/subscriptions/{token}", timeout=10)
        assert gone.status_code < 300, gone.text
        desk.remember()
        _reject(desk, ma)
        assert desk.settled("WEB_PUSH", "DEAD")["attempts"][0]["outcome"] == "REFUSED"
        desk.remember()
        told = ma.inbox()["unreadCount"]
        _reject(desk, ma)
        eventually(lambda: ma.inbox()["unreadCount"] == told + 1)
        assert desk.deliveries("WEB_PUSH") == []


def _reject(desk: Desk, ma: Applicant) -> None:
    """Apply once more and be refused: the shortest way to be told something."""
    ma.apply("301室")
    desk.review("REJECT", "请到前台核验")


def _fault(instance: Instance, **fields: object) -> None:
    answer = httpx.post(f"{instance.platform_url}/open/faults", json=fields, timeout=10)
    assert answer.status_code == 204, answer.text


def _register_push(instance: Instance, ma: Applicant) -> str:
    """A browser of this person's that takes Web Push; what names it at its push service."""
    key = ma.phone.ask(PUSH_KEY)["webPushPublicKey"]
    made = ma.phone.platform("/open/push/subscriptions", person=ma.person, vapid_public_key=key)
    given = {"endpoint": made["endpoint"], **made["keys"]}
    done = ma.phone.ask(REGISTER_PUSH, input=given)["registerPushSubscription"]
    assert done["isRegistered"] and done["errors"] == [], done
    return str(made["endpoint"].rpartition("/")[2])


def _as_the_person_wishes(steps: Steps, desk: Desk, ma: Applicant) -> None:
    with steps.step("关掉的渠道不响,收件箱照收 a channel turned off is silent, the inbox is not"):
        ma.consent(REJECTED)
        ma.prefer(REJECTED, "WECHAT", is_on=False)
        desk.remember()
        before = ma.inbox()["unreadCount"]
        _reject(desk, ma)
        eventually(lambda: ma.inbox()["unreadCount"] == before + 1)
        assert desk.deliveries("WECHAT") == []
        ma.prefer(REJECTED, "WECHAT", is_on=True)
    with steps.step("免打扰时段推迟到结束 quiet hours put it off to their end"):
        now = datetime.now(CHINA)
        until = (now + timedelta(hours=2)).replace(second=0, microsecond=0)
        begin = now - timedelta(hours=1)
        before = len(ma.messages("wechat"))
        ma.set_quiet_hours(isOn=True, **{"from": f"{begin:%H:%M}", "until": f"{until:%H:%M}"})
        _reject(desk, ma)
        waiting = desk.settled("WECHAT", "PENDING")
        assert datetime.fromisoformat(waiting["dueAt"]) == until, waiting
        assert len(ma.messages("wechat")) == before
        ma.set_quiet_hours(isOn=False)


def _resuming(steps: Steps, desk: Desk, ma: Applicant) -> None:
    with steps.step("断线期间的变化一件不漏,也不重复 what happened while the line was cut comes once each"):
        with listening(ma.phone, CHANGED, after=ma.inbox()["cursor"]) as live:
            newest = ma.inbox()["nodes"][0]["id"]
            ma.phone.ask(MARK, input={"notifications": [newest]})
            seen = live.next()["inboxChanged"]
            assert seen["notification"] is None, seen
        before = seen["unreadCount"]
        ma.apply("301室")
        desk.review("REJECT", "请到前台核验")
        eventually(lambda: ma.inbox()["unreadCount"] == before + 1)
        ma.phone.ask(MARK, input={"through": ma.inbox()["nodes"][0]["id"]})
        with listening(ma.phone, CHANGED, after=seen["cursor"]) as live:
            missed = [live.next()["inboxChanged"] for _ in range(2)]
            told = [each["notification"] and each["notification"]["kind"] for each in missed]
            assert told == [REJECTED, None], missed
            assert live.is_silent(1.0)


def _calling_other_systems(instance: Instance, steps: Steps, desk: Desk) -> None:
    with steps.step("对方还没有准备好,成为死信 nobody answers there yet: a dead letter"):
        given = {
            "compound": desk.compound, "name": "门岗系统", "url": f"{instance.platform_url}/hooks/gate",
            "kinds": [APPROVED],
        }  # fmt: skip
        made = desk.client.ask(REGISTER_HOOK, input=given)["registerWebhook"]
        assert made["errors"] == [], made
        desk.remember()
        _try(desk, made["webhook"]["id"])
        dead = desk.settled("WEBHOOK", "DEAD")
    with steps.step(
        "员工重新投递,对方验过签名收下 staff send it again, and the receiver takes its signature"
    ):
        _make_receiver(instance, made["secret"])
        again = {"delivery": dead["id"], "idempotencyKey": str(uuid.uuid4())}
        assert desk.client.ask(RESEND, input=again)["resendDelivery"]["errors"] == []
        desk.settled("WEBHOOK", "SENT")
        _try(desk, made["webhook"]["id"])
        got = eventually(lambda: _received(instance, 2))
        assert [each["times"] for each in got] == [1, 1] and "webhook.test" in got[0]["body"], got


def _try(desk: Desk, webhook: str) -> None:
    tried = desk.client.ask(TEST_HOOK, input={"webhook": webhook})["testWebhook"]
    assert tried["errors"] == [], tried


def _make_receiver(instance: Instance, secret: str) -> None:
    fields = {"name": "gate", "secret": secret}
    answer = httpx.post(f"{instance.platform_url}/open/hooks", json=fields, timeout=10)
    assert answer.status_code == 200, answer.text


def _received(instance: Instance, number: int) -> list[Any] | None:
    answer = httpx.get(f"{instance.platform_url}/open/hooks/gate", timeout=10)
    found: list[Any] = answer.json()["deliveries"]
    return found if len(found) == number else None


def _running_jobs(steps: Steps, staff: Client, neighbour: Client) -> None:
    with steps.step("运维人员立即运行一个任务并看到结果 the operator runs a job now and sees its result"):
        assert {"audit.seal", "notifications.purge"} <= {each["name"] for each in staff.ask(JOBS)["jobs"]}
        # One that is due but once a day: a run by the clock at this moment would be the last one instead.
        done = staff.ask(RUN, input={"job": "audit.release", "idempotencyKey": str(uuid.uuid4())})["runJob"]
        assert done["errors"] == [], done
        run = eventually(lambda: _requested_run(staff))
        assert [fact["name"] for fact in run["result"]] == ["released"], run
    with steps.step("不是运维人员的经理被拒绝 a manager who is no operator is refused"):
        assert neighbour.codes(JOBS) == ["FORBIDDEN"]
        assert neighbour.codes(RUN, input={"job": "audit.seal"}) == ["FORBIDDEN"]


def _requested_run(staff: Client) -> Any:
    last = staff.ask(JOBS, name="audit.release")["jobs"][0]["lastRun"]
    return last if last["requestedByName"] and last["state"] == "SUCCEEDED" else None
