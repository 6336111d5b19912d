"""Time-based one-time codes (动态口令, RFC 6238) as a second factor for staff."""

from __future__ import annotations

import hmac
import unicodedata

import pyotp

from domains.identity.models import StaffMember
from domains.kernel import clock, sealing
from domains.kernel.errors import DomainError, Invalid

STEP_S = 30
PURPOSE = "staff.totp"


def new_secret() -> str:
    """A fresh secret, base32."""
    return pyotp.random_base32()


def provisioning_uri(secret: str, login: str) -> str:
    """What the authenticator app scans."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name="邻里 Linli")


def matching_step(secret: str, code: str, after: int | None) -> int | None:
    """The time step whose code this is, one step of drift allowed; a step that was used is no more."""
    now = int(clock.now().timestamp()) // STEP_S
    codes = pyotp.TOTP(secret)
    typed = unicodedata.normalize("NFKC", code).strip().encode()
    for step in (now, now - 1, now + 1):
        if (after is None or step > after) and hmac.compare_digest(codes.at(step * STEP_S).encode(), typed):
            return step
    return None


async def check_totp(staff: StaffMember, code: str | None) -> DomainError | None:
    """What to answer if the code is missing or wrong; spends the code. None where all is well."""
    if staff.totp_confirmed_at is None or staff.totp_sealed is None:
        return None
    if not code:
        return Invalid("TOTP_REQUIRED", "请输入动态口令", "code")
    step = matching_step(sealing.unseal(staff.totp_sealed, PURPOSE), code, staff.totp_last_step)
    if step is None:
        return Invalid("SIGN_IN_FAILED", "动态口令不正确,请等待下一个口令后再试", "code")
    staff.totp_last_step = step
    await staff.save(update_fields=["totp_last_step"])
    return None
