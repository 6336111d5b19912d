"""Passwords, logins and authenticator codes: what is accepted and what is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from domains.identity import passwords, totp
from domains.identity.service.staff_accounts import checked_login, temporary_password
from domains.kernel import clock
from domains.kernel.errors import Invalid

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)


def test_temporary_passwords_are_strong_and_different() -> None:
    made = {temporary_password() for _ in range(200)}
    assert len(made) == 200
    for each in made:
        passwords.check_strength(each, "somebody")


def test_a_hash_costs_what_a_guess_should() -> None:
    """RFC 9106, section 4, says three passes; OWASP's least memory is 19 MiB."""
    assert passwords.PASSES >= 3
    assert passwords.MEMORY_KIB >= 19 * 1024


async def test_a_password_matches_its_hash_and_nobody_matches() -> None:
    kept = await passwords.hash_password("Linli-2026-ok")
    assert kept.startswith("$argon2id$")
    assert await passwords.matches(kept, "Linli-2026-ok")
    assert not await passwords.matches(kept, "Linli-2026-OK")
    assert not await passwords.matches(None, "nobody's password")
    assert not await passwords.matches("damaged", "x")


@pytest.mark.parametrize("login", ["ab", "-abc", "a b c", "张三丰", "a" * 41, "abc!"])
def test_a_bad_login_is_refused(login: str) -> None:
    with pytest.raises(Invalid):
        checked_login(login)


def test_an_authenticator_code_counts_once_and_for_a_step_of_drift() -> None:
    secret = totp.new_secret()
    app = pyotp.TOTP(secret)
    with clock.use(clock.FixedClock(NOW)):
        now = int(NOW.timestamp()) // 30
        assert totp.matching_step(secret, app.at(NOW), None) == now
        assert totp.matching_step(secret, app.at(NOW), now) is None
        assert totp.matching_step(secret, app.at(NOW + timedelta(seconds=30)), now) == now + 1
        assert totp.matching_step(secret, app.at(NOW - timedelta(seconds=90)), None) is None
        wide = "".join(chr(ord(digit) + 0xFEE0) for digit in app.at(NOW))
        assert totp.matching_step(secret, wide, None) == now
        assert totp.matching_step(secret, "六位数字动态", None) is None
