"""Residents sign in by WeChat, Alipay and SMS against the stand-ins; faults, reuse, races."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from uuid import UUID

import pytest

from domains.identity.models import Account, PlatformIdentity, SmsCode
from domains.identity.platforms import platforms
from domains.identity.service import sms_codes
from domains.kernel import clock, database
from schema.relay import decode
from tests.api.identity.clients import CREDENTIALS, Api, Json, codes, count
from tests.factories import residents
from tests.factories.identity import new_phone, places, resident, unique
from tests.unit.stand_ins.stand import Stand

pytestmark = pytest.mark.usefixtures("platforms_instance")


async def by_wechat(api: Api, code: str, **more: object) -> Json:
    return await api.run("signInWithWeChat", "SignInWithWeChatInput", CREDENTIALS, jsCode=code, **more)


async def by_alipay(api: Api, code: str, **more: object) -> Json:
    return await api.run("signInWithAlipay", "SignInWithAlipayInput", CREDENTIALS, authCode=code, **more)


async def by_sms(api: Api, phone: str, code: str) -> Json:
    return await api.run("signInWithSms", "SignInWithSmsInput", CREDENTIALS, phone=phone, code=code)


async def ask_code(api: Api, phone: str) -> Json:
    return await api.attempt("requestSmsCode", "RequestSmsCodeInput", "resendAfterS", phone=phone)


def wechat_code(stand: Stand, person: str) -> str:
    return str(stand.open("wechat/login", person=person)["js_code"])


def wechat_phone(stand: Stand, person: str, phone: str) -> str:
    return str(stand.open("wechat/phone", person=person, phone=phone)["code"])


def alipay_code(stand: Stand, person: str) -> str:
    return str(stand.open("alipay/login", person=person)["auth_code"])


def alipay_phone(stand: Stand, person: str, phone: str) -> Json:
    sealed = stand.open("alipay/phone", person=person, phone=phone)
    return {"response": sealed["response"], "sign": sealed["sign"]}


def sent_code(stand: Stand, phone: str) -> str:
    return str(stand.sms_to(phone)[0]["params"]["code"])


async def me_of(api: Api, payload: Json) -> Json:
    assert payload["errors"] == [], payload
    return await api.me(payload["credentials"]["accessToken"])


async def test_the_same_person_is_the_same_account(api: Api, stand: Stand) -> None:
    person = unique("甲")
    first = await me_of(api, await by_wechat(api, wechat_code(stand, person), device="小米 14"))
    again = await me_of(api, await by_wechat(api, wechat_code(stand, person)))
    assert first["id"] == again["id"]
    assert (first["kind"], first["phone"], first["hasPhone"]) == ("RESIDENT", None, False)


async def test_a_verified_phone_is_shown_masked_and_kept_sealed(api: Api, stand: Stand) -> None:
    person, phone = unique("乙"), new_phone()
    signed = await by_wechat(api, wechat_code(stand, person), phoneCode=wechat_phone(stand, person, phone))
    me = await me_of(api, signed)
    assert me["phone"] == f"{phone[:3]}****{phone[-4:]}"
    kept = [bytes(row["phone_sealed"]) for row in await Account.exclude(phone_sealed=None).values()]
    assert all(phone.encode() not in blob for blob in kept)


async def test_a_code_is_good_once(api: Api, stand: Stand) -> None:
    code = wechat_code(stand, unique("丙"))
    assert (await by_wechat(api, code))["errors"] == []
    before = await count("session")
    assert codes(await by_wechat(api, code)) == ["SIGN_IN_CODE_INVALID"]
    assert codes(await by_wechat(api, "never-issued")) == ["SIGN_IN_CODE_INVALID"]
    spent = alipay_code(stand, unique("丙"))
    assert (await by_alipay(api, spent))["errors"] == []
    assert codes(await by_alipay(api, spent)) == ["SIGN_IN_CODE_INVALID"]
    assert await count("session") == before + 1


async def test_a_bad_phone_code_signs_nobody_in(api: Api, stand: Stand) -> None:
    before = await count("account"), await count("session")
    refused = await by_wechat(api, wechat_code(stand, unique("丁")), phoneCode="nonsense")
    assert codes(refused) == ["PHONE_CODE_INVALID"]
    assert (await count("account"), await count("session")) == before


async def test_two_sign_ins_of_a_new_person_at_once_make_one_account(api: Api, stand: Stand) -> None:
    person = unique("戊")
    tokens = [wechat_code(stand, person) for _ in range(6)]
    before = await count("account")
    answers = await asyncio.gather(*(by_wechat(api, code) for code in tokens))
    assert len({(await me_of(api, answer))["id"] for answer in answers}) == 1
    assert await count("account") == before + 1


async def test_two_platforms_with_one_phone_at_once_make_one_account(api: Api, stand: Stand) -> None:
    person, phone = unique("己"), new_phone()
    wechat = by_wechat(api, wechat_code(stand, person), phoneCode=wechat_phone(stand, person, phone))
    alipay = by_alipay(api, alipay_code(stand, person), phone=alipay_phone(stand, person, phone))
    before = await count("account")
    first, second = await asyncio.gather(wechat, alipay)
    mine = await me_of(api, first)
    assert mine["id"] == (await me_of(api, second))["id"]
    assert await count("account") == before + 1
    account = await Account.get(phone_index__not_isnull=True, pk=_uuid(mine["id"]))
    assert await PlatformIdentity.filter(account_id=account.id).count() == 2


def _uuid(global_id: str) -> str:
    return str(decode(global_id, "Account"))


async def test_a_phone_joins_the_platform_to_the_account_that_has_it(api: Api, stand: Stand) -> None:
    person, phone = unique("庚"), new_phone()
    known = await resident(phone)
    code = wechat_phone(stand, person, phone)
    me = await me_of(api, await by_wechat(api, wechat_code(stand, person), phoneCode=code))
    assert _uuid(me["id"]) == str(known)
    assert (await me_of(api, await by_wechat(api, wechat_code(stand, person))))["id"] == me["id"]


async def test_an_empty_account_gives_way_when_its_owner_proves_a_phone(api: Api, stand: Stand) -> None:
    person, phone = unique("辛"), new_phone()
    known = await resident(phone)
    without = await by_wechat(api, wechat_code(stand, person))
    code = wechat_phone(stand, person, phone)
    me = await me_of(api, await by_wechat(api, wechat_code(stand, person), phoneCode=code))
    assert _uuid(me["id"]) == str(known)
    stale = await api.ask("{ viewer { me { id } } }", token=without["credentials"]["accessToken"])
    assert codes(stale) == ["SESSION_ENDED"]
    event = await database.fetchval(
        "SELECT payload->>'account_id' FROM outbox_message WHERE event = 'AccountsJoined'"
    )
    assert event == str(known)


async def _give_a_house(account_id: str) -> None:
    there = await places()
    await residents.person(there.compound_id, account_id=UUID(account_id))


async def test_an_account_that_has_something_is_kept_and_takes_the_phone(api: Api, stand: Stand) -> None:
    person, phone = unique("壬"), new_phone()
    mine = await me_of(api, await by_wechat(api, wechat_code(stand, person)))
    await _give_a_house(_uuid(mine["id"]))
    empty = await resident(phone)
    code = wechat_phone(stand, person, phone)
    me = await me_of(api, await by_wechat(api, wechat_code(stand, person), phoneCode=code))
    assert me["id"] == mine["id"] and me["hasPhone"]
    assert (await Account.get(pk=empty)).disabled_at is not None


async def test_two_accounts_that_both_have_something_are_not_joined(api: Api, stand: Stand) -> None:
    person, phone = unique("癸"), new_phone()
    mine = await me_of(api, await by_wechat(api, wechat_code(stand, person)))
    other = await resident(phone)
    await _give_a_house(_uuid(mine["id"]))
    await _give_a_house(str(other))
    before = await count("session")
    code = wechat_phone(stand, person, phone)
    refused = await by_wechat(api, wechat_code(stand, person), phoneCode=code)
    assert codes(refused) == ["ACCOUNTS_NOT_JOINED"]
    assert await count("session") == before
    assert not (
        await api.me((await by_wechat(api, wechat_code(stand, person)))["credentials"]["accessToken"])
    )["hasPhone"]


async def test_a_disabled_account_does_not_sign_in(api: Api, stand: Stand) -> None:
    person = unique("子")
    me = await me_of(api, await by_wechat(api, wechat_code(stand, person)))
    await Account.filter(pk=_uuid(me["id"])).update(disabled_at=clock.now())
    assert codes(await by_wechat(api, wechat_code(stand, person))) == ["ACCOUNT_DISABLED"]


async def test_alipay_proves_a_phone_and_refuses_an_altered_proof(api: Api, stand: Stand) -> None:
    person, phone = unique("丑"), new_phone()
    proof = alipay_phone(stand, person, phone)
    altered = {**proof, "response": alipay_phone(stand, person, new_phone())["response"]}
    refused = await by_alipay(api, alipay_code(stand, person), phone=altered)
    assert codes(refused) == ["PHONE_CODE_INVALID"]
    assert (await me_of(api, await by_alipay(api, alipay_code(stand, person), phone=proof)))["hasPhone"]


@pytest.mark.parametrize("kind", ["http_429", "http_500", "busy", "drop"])
async def test_a_platform_in_trouble_is_a_coded_answer(api: Api, stand: Stand, kind: str) -> None:
    before = await count("account")
    stand.fault("wechat", "jscode2session", kind)
    assert codes(await by_wechat(api, wechat_code(stand, unique("寅")))) == ["PLATFORM_UNAVAILABLE"]
    stand.fault("alipay", "alipay.system.oauth.token", kind)
    assert codes(await by_alipay(api, alipay_code(stand, unique("寅")))) == ["PLATFORM_UNAVAILABLE"]
    stand.fault("sms", "SendSms", kind)
    answer = await ask_code(api, new_phone())
    assert codes(answer["data"]["requestSmsCode"]) == ["PLATFORM_UNAVAILABLE"]
    assert await count("account") == before


async def test_a_slow_platform_is_not_waited_for_for_long(
    api: Api, stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domains.platforms.calling.PATIENCE_S", 0.3)
    stand.fault("wechat", "jscode2session", "slow", seconds=3)
    assert codes(await by_wechat(api, wechat_code(stand, unique("卯")))) == ["PLATFORM_UNAVAILABLE"]
    assert database.open_transaction() is None


async def test_a_dead_token_is_renewed_and_the_phone_code_still_counts(api: Api, stand: Stand) -> None:
    person, phone = unique("辰"), new_phone()
    wechat = platforms().wechat
    assert wechat is not None
    await wechat.phone(wechat_phone(stand, person, phone))
    stand.fault("wechat", "getuserphonenumber", "dead_token")
    assert await wechat.phone(wechat_phone(stand, person, phone)) == phone
    issued = stand.books("SELECT count(*) FROM tokens WHERE kind = 'wechat_access' AND forced = 0")[0][0]
    await wechat.phone(wechat_phone(stand, person, phone))
    assert stand.books("SELECT count(*) FROM tokens WHERE kind = 'wechat_access'")[0][0] == issued


async def test_no_secret_is_logged(api: Api, stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    person = unique("巳")
    await by_wechat(api, wechat_code(stand, person), phoneCode=wechat_phone(stand, person, new_phone()))
    assert stand.credentials["wechat"]["secret"] not in caplog.text
    assert "session_key" not in caplog.text


async def test_a_code_by_sms_signs_in_once(api: Api, stand: Stand) -> None:
    phone = new_phone()
    answer = await ask_code(api, f"+86 {phone[:3]}-{phone[3:]}")
    assert answer["data"]["requestSmsCode"] == {"resendAfterS": 60, "errors": []}
    code = sent_code(stand, phone)
    answers = await asyncio.gather(*(by_sms(api, phone, code) for _ in range(5)))
    assert sorted(codes(answer) == [] for answer in answers) == [False] * 4 + [True]
    assert await count("account", "kind = 'resident' AND phone_index IS NOT NULL") >= 1
    kept = await SmsCode.all().values_list("code_hash", flat=True)
    assert all(code.encode() not in bytes(digest) for digest in kept)


async def test_a_code_bears_five_tries_and_five_minutes(api: Api, stand: Stand) -> None:
    phone, late = new_phone(), new_phone()
    await ask_code(api, phone)
    await ask_code(api, late)
    code = sent_code(stand, phone)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    tries = await asyncio.gather(*(by_sms(api, phone, wrong) for _ in range(5)))
    assert all(codes(answer) == ["SMS_CODE_INVALID"] for answer in tries)
    assert codes(await by_sms(api, phone, code)) == ["SMS_CODE_INVALID"]
    with clock.use(clock.FixedClock(clock.now() + timedelta(minutes=5))):
        assert codes(await by_sms(api, late, sent_code(stand, late))) == ["SMS_CODE_INVALID"]
    assert (await by_sms(api, late, sent_code(stand, late)))["errors"] == []


async def test_a_new_code_replaces_the_one_before(api: Api, stand: Stand) -> None:
    phone = new_phone()
    first, second = await sms_codes.issue(phone), await sms_codes.issue(phone)
    if first != second:
        assert codes(await by_sms(api, phone, first)) == ["SMS_CODE_INVALID"]
    assert (await by_sms(api, phone, second))["errors"] == []


async def test_a_phone_is_sent_one_code_a_minute_and_the_answer_tells_nothing(api: Api, stand: Stand) -> None:
    known, stranger = new_phone(), new_phone()
    await resident(known)
    first, other = await ask_code(api, known), await ask_code(api, stranger)
    assert first["data"] == other["data"]
    answers = await asyncio.gather(*(ask_code(api, known) for _ in range(3)))
    assert all(codes(answer) == ["SMS_TOO_OFTEN"] for answer in answers)
    assert all(answer["errors"][0]["extensions"]["retryAfter"] > 0 for answer in answers)
    assert len(stand.sms_to(known)) == 1


@pytest.mark.parametrize("phone", ["", "12345", "23800000001", "1380000000a", "0571-88880000"])
async def test_a_bad_number_is_refused(api: Api, phone: str) -> None:
    before = await count("sms_code")
    answer = await ask_code(api, phone)
    assert answer["data"]["requestSmsCode"]["errors"] == [{"code": "PHONE_INVALID", "field": ["phone"]}]
    assert await count("sms_code") == before


@pytest.mark.parametrize("code", ["", "1", "abcdef", "１２３４５６", "' OR 1=1 --"])
async def test_a_bad_code_is_refused(api: Api, code: str) -> None:
    assert codes(await by_sms(api, new_phone(), code)) == ["SMS_CODE_INVALID"]


async def test_everybody_may_ask_where_a_browser_signs_in(api: Api, stand: Stand) -> None:
    pages = (await api.ask("{ signInPages { wechat alipay } }"))["data"]["signInPages"]
    at = str(stand.http.base_url).rstrip("/")
    assert pages["wechat"] == f"{at}/sign-in/wechat?app_id={stand.credentials['wechat']['appid']}"
    assert pages["alipay"] == f"{at}/sign-in/alipay?app_id={stand.credentials['alipay']['app_id']}"
    assert stand.http.get(pages["wechat"]).status_code == 400  # without where to go back to
