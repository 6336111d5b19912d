"""How often somebody may try to sign in, and ask for a code (登录与验证码限流)."""

from __future__ import annotations

import hashlib

from domains.kernel.errors import Throttled
from domains.kernel.rates import Limiter, RateLimit, WhenDown, network_of
from domains.kernel.slots import Slot

HOUR_S, DAY_S = 3600, 86_400

PER_PHONE = (
    RateLimit("sms-phone-minute", 1, 60, 1, WhenDown.CLOSED),
    RateLimit("sms-phone-hour", 5, HOUR_S, 5, WhenDown.CLOSED),
    RateLimit("sms-phone-day", 10, DAY_S, 10, WhenDown.CLOSED),
)
PER_ADDRESS = RateLimit("sms-address-hour", 20, HOUR_S, 20, WhenDown.CLOSED)

# A carrier's customers share addresses, so that it holds back programs and not people: each try costs a
# hash of 19 MiB or a call of a platform. Secrets have limits of their own, hence open while Valkey is down.
SIGN_IN = RateLimit("sign-in-address", 60, 60, 100, WhenDown.OPEN)

# A login that nobody has locks after five tries for fifteen minutes, as those that exist do.
UNKNOWN_LOGIN = RateLimit("sign-in-unknown-login", 5, 5 * 900, 5, WhenDown.OPEN)

limiter: Slot[Limiter] = Slot("rate limiter")


async def take_sms(phone_index: bytes, ip: str) -> None:
    """Count a code that is asked for, against every limit or none. Throttled SMS_TOO_OFTEN."""
    takes = [(limit, phone_index.hex(), 1) for limit in PER_PHONE]
    verdict = await limiter().take_all([*takes, (PER_ADDRESS, network_of(ip), 1)])
    if not verdict.allowed:
        raise Throttled("SMS_TOO_OFTEN", "验证码获取太频繁,请稍后再试", verdict.retry_after_s, "phone")


async def take_sign_in(ip: str) -> None:
    """Count a try to sign in, whatever comes of it. Throttled SIGN_IN_TOO_OFTEN."""
    verdict = await limiter().take(SIGN_IN, network_of(ip))
    if not verdict.allowed:
        raise Throttled("SIGN_IN_TOO_OFTEN", "登录尝试太频繁,请稍后再试", verdict.retry_after_s)


async def unknown_login_is_locked(login: str) -> bool:
    """Count a try of a login that nobody has; whether it is to look locked."""
    verdict = await limiter().take(UNKNOWN_LOGIN, hashlib.sha256(login.encode()).hexdigest())
    return not verdict.allowed
