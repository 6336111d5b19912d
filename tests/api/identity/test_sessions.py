"""Access tokens, rotation of refresh tokens, devices, the viewer."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jose import jwt

from api.keys import Keys
from domains.identity.models import Account, Session
from domains.identity.service.sessions import SignedIn, seen, start_session
from domains.identity.tokens import Claims, TokenSigner, signer
from domains.kernel import clock, database
from domains.kernel.actor import Origin
from tests.api.identity.clients import CREDENTIALS, Api, Json, codes, count
from tests.factories.identity import places, resident, staff, token

pytestmark = pytest.mark.usefixtures("instance")


async def session(account_id: object | None = None) -> SignedIn:
    account = await Account.get(pk=account_id or await resident())
    async with database.transaction():
        return await start_session(account, "sms", "手机", Origin(ip="10.0.0.9"))


async def refresh(api: Api, refresh_token: str) -> Json:
    return await api.attempt("refreshSession", "RefreshSessionInput", CREDENTIALS, refreshToken=refresh_token)


def pair(answer: Json) -> tuple[str, str]:
    given = answer["data"]["refreshSession"]["credentials"]
    return given["accessToken"], given["refreshToken"]


async def is_live(api: Api, access_token: str) -> bool:
    return "errors" not in await api.ask("{ viewer { me { id } } }", token=access_token)


async def end_of(session_id: object) -> str | None:
    return (await Session.get(pk=session_id)).end_reason


async def test_a_refresh_token_is_rotated(api: Api) -> None:
    first = await session()
    access, second = pair(await refresh(api, first.refresh_token))
    assert await is_live(api, access)
    assert second != first.refresh_token
    assert await is_live(api, pair(await refresh(api, second))[0])


async def test_a_client_that_lost_the_answer_may_ask_again(api: Api) -> None:
    first = await session()
    lost = pair(await refresh(api, first.refresh_token))[1]
    access, kept = pair(await refresh(api, first.refresh_token))
    assert await is_live(api, access)
    assert await is_live(api, pair(await refresh(api, kept))[0])
    assert codes(await refresh(api, lost)) == ["REFRESH_INVALID"]
    assert await end_of(first.session_id) == "reuse"
    assert not await is_live(api, access)


async def test_a_token_whose_successor_was_used_ends_the_session(api: Api) -> None:
    first = await session()
    second = pair(await refresh(api, first.refresh_token))[1]
    access, _ = pair(await refresh(api, second))
    assert codes(await refresh(api, first.refresh_token)) == ["REFRESH_INVALID"]
    assert await end_of(first.session_id) == "reuse"
    assert not await is_live(api, access)
    assert await count("audit_entry", "action = 'session.refresh' AND subject_id = $1", first.session_id) == 1


async def test_a_late_retry_ends_the_session(api: Api) -> None:
    first = await session()
    await refresh(api, first.refresh_token)
    with clock.use(clock.FixedClock(clock.now() + timedelta(seconds=121))):
        assert codes(await refresh(api, first.refresh_token)) == ["REFRESH_INVALID"]
    assert await end_of(first.session_id) == "reuse"


async def test_an_answer_that_was_waited_for_in_vain_may_be_asked_for_again(api: Api) -> None:
    first = await session()
    await refresh(api, first.refresh_token)
    for patience_s in (16, 32):
        with clock.use(clock.FixedClock(clock.now() + timedelta(seconds=patience_s))):
            again = pair(await refresh(api, first.refresh_token))[1]
    assert await is_live(api, pair(await refresh(api, again))[0])
    assert await end_of(first.session_id) is None


async def test_one_token_spent_twice_at_once_leaves_one_way_on(api: Api) -> None:
    first = await session()
    answers = await asyncio.gather(*(refresh(api, first.refresh_token) for _ in range(2)))
    unspent = await count("refresh_token", "session_id = $1 AND used_at IS NULL", first.session_id)
    assert unspent == 1
    tokens = [pair(answer)[1] for answer in answers]
    outcomes = [codes(a) if "errors" in a else [] for a in [await refresh(api, t) for t in tokens]]
    assert ["REFRESH_INVALID"] in outcomes
    assert await end_of(first.session_id) == "reuse"


@pytest.mark.parametrize("bad", ["", "nonsense", "\u200b", "x" * 500])
async def test_an_unknown_refresh_token_changes_nothing(api: Api, bad: str) -> None:
    before = await count("session", "ended_at IS NULL")
    assert codes(await refresh(api, bad)) == ["REFRESH_INVALID"]
    assert await count("session", "ended_at IS NULL") == before


async def test_an_idle_or_disabled_account_is_not_refreshed(api: Api) -> None:
    idle, disabled = await session(), await session()
    await Session.filter(pk=idle.session_id).update(
        idle_timeout_s=600, last_seen_at=clock.now() - timedelta(seconds=600)
    )
    await Account.filter(pk=disabled.account_id).update(disabled_at=clock.now())
    for each in (idle, disabled):
        assert codes(await refresh(api, each.refresh_token)) == ["REFRESH_INVALID"]
        assert not await is_live(api, each.access_token)


def forged(header: dict[str, str], body: dict[str, object], secret: bytes | None) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, body)]
    text = b".".join(parts)
    sign = hmac.new(secret, text, sha256).digest() if secret else b""
    return (text + b"." + base64.urlsafe_b64encode(sign).rstrip(b"=")).decode()


def public_key_of(keys: Keys) -> bytes:
    key = serialization.load_pem_private_key(keys.token_pem.encode(), None).public_key()
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


async def test_forged_tokens_are_refused(api: Api, instance: Keys) -> None:
    real = await session()
    now = int(clock.now().timestamp())
    body: dict[str, object] = {
        "iss": "linli", "sub": str(real.account_id), "sid": str(real.session_id), "iat": now, "exp": now + 900,
    }  # fmt: skip
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    bad = [
        forged({"alg": "HS256", "typ": "JWT"}, body, public_key_of(instance)),
        forged({"alg": "none", "typ": "JWT"}, body, None),
        TokenSigner(other.decode()).sign(Claims(real.account_id, real.session_id)),
        jwt.encode({**body, "iss": "another"}, instance.token_pem, algorithm="ES256"),
        jwt.encode({**body, "sub": "not an id"}, instance.token_pem, algorithm="ES256"),
        jwt.encode({k: v for k, v in body.items() if k != "exp"}, instance.token_pem, algorithm="ES256"),
        jwt.encode({**body, "aud": "pass"}, instance.token_pem, algorithm="ES256"),
        real.access_token[:-2] + ("AA" if real.access_token[-2:] != "AA" else "BB"),
        "nonsense",
    ]
    assert await is_live(api, real.access_token)
    for each in bad:
        answer = await api.ask("{ viewer { me { id } } }", token=each)
        assert codes(answer) == ["TOKEN_INVALID"], each


async def test_an_expired_token_says_so(api: Api) -> None:
    real = await session()
    with clock.use(clock.FixedClock(clock.now() + timedelta(minutes=15))):
        assert codes(await api.ask("{ viewer { me { id } } }", token=real.access_token)) == ["TOKEN_EXPIRED"]


async def test_a_token_of_another_session_or_account_is_refused(api: Api) -> None:
    real = await session()
    for claims in (Claims(real.account_id, uuid4()), Claims(await resident(), real.session_id)):
        answer = await api.ask("{ viewer { me { id } } }", token=signer().sign(claims))
        assert codes(answer) == ["SESSION_ENDED"]


SESSIONS = "{ viewer { sessions { id method device isCurrent } } }"


async def test_devices_are_listed_and_revoked(api: Api) -> None:
    mine = await resident()
    here, lost = await session(mine), await session(mine)
    stranger = await session()
    listed = (await api.ask(SESSIONS, token=here.access_token))["data"]["viewer"]["sessions"]
    assert [row["isCurrent"] for row in listed].count(True) == 1
    assert {row["method"] for row in listed} == {"SMS"} and len(listed) == 2
    other = next(row["id"] for row in listed if not row["isCurrent"])

    async def revoke(access_token: str) -> Json:
        return await api.run("revokeSession", "RevokeSessionInput", "session", access_token, session=other)

    assert codes(await revoke(stranger.access_token)) == ["SESSION_NOT_FOUND"]
    assert await is_live(api, lost.access_token)
    assert (await revoke(here.access_token))["session"] == other
    assert not await is_live(api, lost.access_token)
    assert codes(await refresh(api, lost.refresh_token)) == ["REFRESH_INVALID"]
    assert codes(await revoke(here.access_token)) == ["SESSION_NOT_FOUND"]


async def test_signing_out_ends_this_session_and_no_other(api: Api) -> None:
    mine = await resident()
    here, there = await session(mine), await session(mine)
    answer = await api.ask("mutation { signOut { isSignedOut } }", token=here.access_token)
    assert answer["data"]["signOut"]["isSignedOut"]
    assert not await is_live(api, here.access_token)
    assert await is_live(api, there.access_token)
    assert codes(await api.ask("mutation { signOut { isSignedOut } }")) == ["UNAUTHENTICATED"]


OTHERS = "mutation { revokeOtherSessions { ended errors { code } } }"


async def test_all_others_are_signed_out_and_nobody_elses(api: Api) -> None:
    mine = await resident()
    here, lost, old = await session(mine), await session(mine), await session(mine)
    stranger, colleague = await session(), await token(await staff(await places(), ()))
    for access_token in (stranger.access_token, colleague):
        answer = await api.ask(OTHERS, token=access_token)
        assert answer["data"]["revokeOtherSessions"] == {"ended": 0, "errors": []}
    for bad in (None, signer().sign(Claims(mine, stranger.session_id))):
        assert codes(await api.ask(OTHERS, token=bad)) == ["SESSION_ENDED" if bad else "UNAUTHENTICATED"]
    for each in (here, lost, old):
        assert await is_live(api, each.access_token)
    assert (await api.ask(OTHERS, token=here.access_token))["data"]["revokeOtherSessions"]["ended"] == 2
    assert await is_live(api, here.access_token) and await is_live(api, stranger.access_token)
    for each in (lost, old):
        assert not await is_live(api, each.access_token)
        assert await end_of(each.session_id) == "revoked"
    assert (await api.ask(OTHERS, token=here.access_token))["data"]["revokeOtherSessions"]["ended"] == 0


async def test_two_devices_that_sign_each_other_out_leave_one_or_none(api: Api) -> None:
    mine = await resident()
    both = [await session(mine), await session(mine)]
    await asyncio.gather(*(api.ask(OTHERS, token=each.access_token) for each in both))
    live = await Session.filter(account_id=mine, ended_at=None).count()
    assert live in (0, 1)


async def test_last_use_is_written_once_a_minute(api: Api) -> None:
    mine = await session()
    assert await is_live(api, mine.access_token)
    row = await Session.get(pk=mine.session_id)
    assert row.last_seen_at == row.created_at
    with clock.use(clock.FixedClock(clock.now() + timedelta(seconds=61))):
        await is_live(api, mine.access_token)
        async with database.counted() as statements:
            await seen(mine.session_id, clock.now())
    assert statements.count == 0
    assert (await Session.get(pk=mine.session_id)).last_seen_at > row.last_seen_at


async def test_the_viewer_is_for_who_is_signed_in(api: Api) -> None:
    assert codes(await api.ask("{ viewer { me { id } } }")) == ["UNAUTHENTICATED"]
    there = await places()
    account = await staff(there, ["estate.read"])
    me = await api.me(await token(account))
    assert (me["kind"], me["permissions"]) == ("STAFF", ["estate.read"])


async def test_a_resident_changes_name_and_language_and_staff_only_the_language(api: Api) -> None:
    mine, there = await token(await resident()), await places()
    employee = await token(await staff(there, ["estate.read"]))
    fields = "me { name language }"
    changed = await api.run("updateProfile", "UpdateProfileInput", fields, mine, name="张 三", language="EN")
    assert changed["me"] == {"name": "张三", "language": "EN"}
    refused = await api.run("updateProfile", "UpdateProfileInput", fields, mine, name="x")
    assert codes(refused) == ["NAME_LENGTH"]
    denied = await api.attempt("updateProfile", "UpdateProfileInput", fields, employee, name="李四")
    assert codes(denied) == ["NAME_IS_MANAGED"]
    kept = await api.run("updateProfile", "UpdateProfileInput", fields, employee, language="EN")
    assert kept["me"] == {"name": "王师傅", "language": "EN"}
