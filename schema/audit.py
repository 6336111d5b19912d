"""The audit in the API (审计日志); reading it leaves a row of its own."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Annotated, cast
from uuid import UUID

import orjson
import strawberry

from domains.identity import audit_queries as queries
from schema.context import Info
from schema.permissions import staff_only
from schema.relay import After, Connection, First, Key, connection, decode, encode, page_request, parse

AUDIT_SORT = "audit:at:desc"


@strawberry.enum(description="Who acted (操作者类型).")
class ActorKind(Enum):
    ANONYMOUS = strawberry.enum_value("anonymous", description="未登录")
    RESIDENT = strawberry.enum_value("resident", description="住户")
    STAFF = strawberry.enum_value("staff", description="员工")
    SYSTEM = strawberry.enum_value("system", description="系统")


@strawberry.enum(description="How it ended (结果).")
class AuditOutcome(Enum):
    DONE = strawberry.enum_value("done", description="成功")
    REFUSED = strawberry.enum_value("refused", description="被拒绝")


@strawberry.type(description="A fact of an audited action.")
class AuditDetail:
    name: str = strawberry.field(description="What it is.")
    value: str = strawberry.field(description="Its value; JSON where it is not plain text.")


def _entry_id(root: queries.Entry) -> strawberry.ID:
    return strawberry.ID(encode("AuditEntry", root.id))


def _actor(root: queries.Entry) -> strawberry.ID | None:
    if root.actor_id is None:
        return None
    return strawberry.ID(encode("Staff" if root.actor_kind == "staff" else "Account", root.actor_id))


def _subject(root: queries.Entry) -> strawberry.ID | None:
    return strawberry.ID(encode(root.subject_type, root.subject_id)) if root.subject_id else None


def _details(root: queries.Entry) -> list[AuditDetail]:
    return [AuditDetail(name=name, value=_plain(value)) for name, value in sorted(root.details.items())]


def _plain(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


@strawberry.type(description="Who did what, to what, when, from where (审计日志).")
class AuditEntry:
    id: strawberry.ID = strawberry.field(resolver=_entry_id, description="Opaque id.")
    at: datetime = strawberry.field(description="When.")
    actor: strawberry.ID | None = strawberry.field(resolver=_actor, description="Id of who acted.")
    actor_kind: ActorKind = strawberry.field(description="In which capacity.")
    actor_name: str = strawberry.field(description="Name at that time.")
    action: str = strawberry.field(description="What was done, `noun.verb`.")
    outcome: AuditOutcome = strawberry.field(description="Done or refused.")
    subject_type: str = strawberry.field(description="What kind of thing it was done to.")
    subject: strawberry.ID | None = strawberry.field(resolver=_subject, description="Id of that thing.")
    details: list[AuditDetail] = strawberry.field(resolver=_details, description="Facts; no personal data.")
    ip: str = strawberry.field(description="Address it came from.")
    user_agent: str = strawberry.field(description="Program it came from.")
    request_id: str = strawberry.field(description="The request, as in the logs.")


@strawberry.input(description="What the audit is narrowed to.")
class AuditFilter:
    actor: strawberry.ID | None = strawberry.field(default=None, description="Only what this account did.")
    action: str | None = strawberry.field(default=None, description="Only this action, `noun.verb`.")
    subject: strawberry.ID | None = strawberry.field(
        default=None, description="Only what was done to this thing."
    )
    from_: datetime | None = strawberry.field(name="from", default=None, description="From then on.")
    to: datetime | None = strawberry.field(default=None, description="Before then.")

    def narrowed(self) -> queries.AuditFilter:
        """As the query takes it. Invalid BAD_ID."""
        actor_id = parse(self.actor, "actor")[1] if self.actor else None
        subject_id = parse(self.subject, "subject")[1] if self.subject else None
        return queries.AuditFilter(actor_id, self.action, subject_id, self.from_, self.to)


def _keys(row: queries.Entry) -> tuple[Key, ...]:
    return row.at, row.id


@strawberry.type
class AuditQuery:
    """Root field of the audit, for staff."""

    @strawberry.field(
        description="The audit, the newest first: of a compound, or without one of what concerns none, such "
        "as accounts and roles; for staff who may read the audit of all of it.",
        extensions=[staff_only],
    )
    async def audit_log(
        self,
        info: Info,
        compound: Annotated[
            strawberry.ID | None, strawberry.argument(description="Global id of the compound.")
        ] = None,
        first: First = 20,
        after: After = None,
        filter: Annotated[AuditFilter | None, strawberry.argument(description="What to narrow to.")] = None,
    ) -> Connection[AuditEntry]:
        page = page_request(first, after, AUDIT_SORT, datetime, UUID)
        compound_id = decode(compound, "Compound", "compound") if compound else None
        narrowed = (filter or AuditFilter()).narrowed()
        rows = await queries.audit_log(
            info.context.actor, compound_id=compound_id, narrowed=narrowed, after=page.after, limit=page.limit
        )
        return connection(page, rows, _keys, lambda row: cast("AuditEntry", row))
