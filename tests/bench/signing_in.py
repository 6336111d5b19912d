"""Signing in over HTTP, beside the cryptography that none of it can do without."""

from __future__ import annotations

import itertools
from typing import Any
from uuid import uuid4

import httpx

from api.demo.loading import PASSWORD
from domains.identity import passwords
from domains.identity.tokens import Claims, TokenSigner
from tests.bench.caller import Caller
from tests.bench.documents import (
    REFRESH,
    REQUEST_SMS_CODE,
    SIGN_IN_STAFF,
    SIGN_IN_WITH_SMS,
    SIGN_IN_WITH_WECHAT,
)
from tests.bench.figures import Figures
from tests.bench.paired import Side, microseconds, take_turns, wall_ratio
from tests.bench.processes import Program

Json = Any  # an operation's payload


async def measure(figures: Figures, program: Program, platform_url: str) -> None:
    """Every way in."""
    desk = Desk(program, platform_url)
    await _staff(figures, desk)
    sign_us = await _signature(figures, program)
    names = ("SMS: asking for the code", "SMS: signing in by it", "WeChat: signing in", "refresh")
    sides = (
        Side(desk.ask_for_code, program.cpu),
        Side(desk.by_sms, program.cpu, desk.receive_code),
        Side(desk.by_wechat, program.cpu, desk.wechat_login),
        Side(desk.refresh, program.cpu),
    )
    costs = await take_turns(sides, rounds=3, times=15)
    for name, cost in zip(names, costs, strict=True):
        ratio = cost.cpu_ms * 1000 / sign_us
        figures.add(name, f"{cost.per_second:.0f} /s ({cost}: {ratio:.0f} bare signatures)")


async def _staff(figures: Figures, desk: Desk) -> None:
    stored = await passwords.hash_password(PASSWORD)

    async def bare() -> None:
        assert await passwords.matches(stored, PASSWORD)

    async def sign_in() -> None:
        desk.by_staff("manager")

    whole, argon2 = await take_turns([Side(sign_in, desk.program.cpu), Side(bare)], rounds=5, times=8)
    share = wall_ratio(argon2, whole)
    figures.add("staff by password", f"{whole.per_second:.0f} /s ({whole})")
    figures.add("argon2id alone", f"{argon2.wall_ms:.1f} ms, {share:.0%} of a sign-in")


async def _signature(figures: Figures, program: Program) -> float:
    signer = TokenSigner((program.home / "keys" / "token.pem").read_text())
    claims = Claims(uuid4(), uuid4())
    token = signer.sign(claims)
    signed = await microseconds(lambda: signer.sign(claims), times=50)
    opened = await microseconds(lambda: signer.open(token), times=50)
    figures.add("an access token, ES256", f"sign {signed:.0f} µs, verify {opened:.0f} µs")
    return signed


class Desk:
    """Signs people in. Each comes from an address of their own, for codes are limited per address."""

    def __init__(self, program: Program, platform_url: str) -> None:
        self.program = program
        self.caller = Caller(program.port)
        self.platform = httpx.Client(base_url=platform_url, timeout=30)
        self.numbers = itertools.count(1)
        self.phones: list[str] = []
        self.codes: list[tuple[str, str]] = []
        self.js_codes: list[str] = []
        self.refresh_token = self.by_staff("manager")["refreshToken"]

    def by_staff(self, login: str) -> Json:
        """Credentials of staff."""
        return self._sign_in(SIGN_IN_STAFF, login=login, password=PASSWORD, device="bench")

    async def ask_for_code(self) -> None:
        """A code for a number that nobody has used."""
        self.phones.append(f"138{next(self.numbers):08d}")
        self._run(REQUEST_SMS_CODE, phone=self.phones[-1])

    async def receive_code(self) -> None:
        """Until the code is on the phone, which is the stand-in's."""
        await self.ask_for_code()
        phone = self.phones.pop()
        messages = self.platform.get("/open/sms", params={"phone": phone}).json()["messages"]
        self.codes.append((phone, messages[0]["params"]["code"]))

    async def by_sms(self) -> None:
        """A new account each."""
        phone, code = self.codes.pop()
        self._sign_in(SIGN_IN_WITH_SMS, phone=phone, code=code, device="bench")

    async def wechat_login(self) -> None:
        """What the phone does before it calls."""
        answer = self.platform.post("/open/wechat/login", json={"person": "bench"})
        self.js_codes.append(answer.json()["js_code"])

    async def by_wechat(self) -> None:
        """A known account, with the code that `wx.login` gave."""
        self._sign_in(SIGN_IN_WITH_WECHAT, jsCode=self.js_codes.pop(), device="bench")

    async def refresh(self) -> None:
        """The next pair of tokens."""
        self.refresh_token = self._sign_in(REFRESH, refreshToken=self.refresh_token)["refreshToken"]

    def _sign_in(self, document: str, **input: str) -> Json:
        return self._run(document, **input)["credentials"]

    def _run(self, document: str, **input: str) -> Json:
        number = next(self.numbers)
        address = f"10.0.{number // 256}.{number % 256}"
        (payload,) = self.caller.ask(document, {"x-forwarded-for": address}, input=input).values()
        assert payload["errors"] == [], payload
        return payload
