"""Staff passwords (口令): argon2id, irreversible; hashing is kept off the event loop."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from domains.kernel.errors import Invalid

# RFC 9106's second recommended option, with less memory: a sign-in may not cost a small server its life.
PASSES: Final = 3
MEMORY_KIB: Final = 19 * 1024

_hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=1)

# One at a time: the C library keeps a hash's 19 MiB for every thread that ever made one, and many
# sign-ins at once may not take the threads that the rest of the program works with.
_thread = ThreadPoolExecutor(1, "passwords")


@cache
def _nobody() -> str:
    """Checked when no such login exists, so that the time of an answer does not tell who exists."""
    return _hasher.hash("nobody's password")


async def hash_password(password: str) -> str:
    """The hash to keep."""
    return await asyncio.get_running_loop().run_in_executor(_thread, _hasher.hash, password)


async def matches(stored: str | None, password: str) -> bool:
    """Whether the password is the one that was hashed; None costs the same time and is never it."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_thread, _verify, stored, password) and stored is not None


def _verify(stored: str | None, password: str) -> bool:
    try:
        return _hasher.verify(stored or _nobody(), password)
    except (Argon2Error, InvalidHashError):
        return False


def check_strength(password: str, login: str, *, field: str = "password") -> None:
    """At least 10 characters of three kinds, without the login (口令复杂度)."""
    kinds = sum(
        bool(re.search(pattern, password)) for pattern in (r"[a-z]", r"[A-Z]", r"\d", r"[^A-Za-z0-9]")
    )
    if len(password) < 10 or len(password) > 128 or kinds < 3:
        raise Invalid("PASSWORD_WEAK", "密码至少 10 位,并包含大写字母、小写字母、数字、符号中的三种", field)
    if login and login.lower() in password.lower():
        raise Invalid("PASSWORD_WEAK", "密码中不能包含账号名", field)
