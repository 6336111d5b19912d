"""Accounts published to residents (账目公示): a month that is over, frozen; what is changed is published anew."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from domains.billing import book_sql as sql
from domains.billing import permissions
from domains.billing.book_models import AccountsPublication
from domains.billing.books import month_of, months_after, to_content
from domains.billing.documents.papers import digest
from domains.billing.events import AccountsPublished
from domains.billing.queries.books import compute, published, require_books
from domains.kernel import clock, database, outbox, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, Invalid


@command("accounts.publish", caller="staff", permission=permissions.BOOKS_PUBLISH)
async def publish_accounts(actor: Actor, *, compound_id: UUID, month: date, note: str = "") -> UUID:
    """Publish the accounts of a month, of which any day may be given; the publication's id.

    Raises MONTH_NOT_OVER, PUBLICATION_UNCHANGED, a TEXT_ code.
    """
    month = month_of(month)
    concerns("AccountsPublication", None, compound_id, month=month)
    require_books(actor, compound_id, permissions.BOOKS_PUBLISH)
    if months_after(month, 1) > clock.today():
        raise Invalid("MONTH_NOT_OVER", "这个月还没有结束,请在月底之后公示", "month")
    await database.execute(sql.TURN, compound_id)
    made = await _publish(
        actor, compound_id, month, text.clean(note, max_length=200, min_length=0, field="note")
    )
    concerns("AccountsPublication", made.id, compound_id, revision=made.revision)
    await outbox.record(AccountsPublished(made.id, compound_id, month, made.revision))
    return made.id


async def _publish(actor: Actor, compound_id: UUID, month: date, note: str) -> AccountsPublication:
    content = to_content(await compute(compound_id, month))
    last, sha256 = await published(compound_id, month), digest(content)
    if last is not None and last.sha256 == sha256:
        raise Conflict("PUBLICATION_UNCHANGED", "账目与已公示的内容相同,无需重新公示", "month")
    return await AccountsPublication.create(
        compound_id=compound_id, month=month, revision=last.revision + 1 if last else 1,
        content=content, sha256=sha256, note=note, published_by=actor.account_id,
        published_at=clock.now(),
    )  # fmt: skip
