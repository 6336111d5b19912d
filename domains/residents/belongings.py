"""What an account has here beyond its sign-in: two accounts of one human are joined only where one has nothing."""

from __future__ import annotations

from uuid import UUID

from domains.kernel import database

HAS_ANY = """
SELECT EXISTS (SELECT 1 FROM person WHERE account_id = $1)
    OR EXISTS (SELECT 1 FROM registration WHERE account_id = $1)
    OR EXISTS (SELECT 1 FROM invitation WHERE inviter_id = $1 OR accepted_by = $1)
"""


async def has_any(account_id: UUID) -> bool:
    """Whether a person, a registration or an invitation is the account's."""
    return bool(await database.fetchval(HAS_ANY, account_id))
