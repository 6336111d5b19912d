"""One's own name and language (个人资料)."""

from __future__ import annotations

from uuid import UUID

from domains.identity.models import Account
from domains.kernel import text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Forbidden, Invalid
from notifications import addresses

LANGUAGES = ("zh", "en")


@command("account.update_profile", caller="account")
async def update_profile(actor: Actor, *, name: str | None = None, language: str | None = None) -> UUID:
    """Change what is given. A staff member's name is on every audit row, so that only a colleague with
    the permission changes it: Forbidden NAME_IS_MANAGED."""
    concerns("Account", actor.id, None)
    if name is not None and actor.kind == "staff":
        raise Forbidden("NAME_IS_MANAGED", "员工姓名由管理员维护,请联系管理员修改")
    if language is not None and language not in LANGUAGES:
        raise Invalid("LANGUAGE_UNKNOWN", "请选择中文或英文", "language")
    named = {} if name is None else {"name": text.name(name, field="name")}
    spoken = {} if language is None else {"language": language}
    changed = {**named, **spoken}
    # An account that was closed at this moment stays told nothing.
    is_open = changed and await Account.filter(pk=actor.id, disabled_at=None).update(**changed)
    if language is not None and is_open:
        await addresses.know(actor.id, language)
    return actor.id
