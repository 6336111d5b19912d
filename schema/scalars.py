"""Scalars whose input is checked here, once, and the money type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NewType
from uuid import UUID

import strawberry
from graphql import GraphQLError
from starlette.datastructures import UploadFile
from strawberry.schema.config import StrawberryConfig
from strawberry.types.scalar import ScalarDefinition

LONG_MAX = 2**53 - 1
_PLAIN = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
Long = NewType("Long", int)
LongText = NewType("LongText", str)
Upload = NewType("Upload", UploadFile)


def _long(value: object) -> int:
    if type(value) is not int or abs(value) > LONG_MAX:
        raise GraphQLError(f"Long cannot represent {type(value).__name__} or a value beyond ±(2^53 - 1)")
    return value


def _aware(value: object) -> datetime:
    """ISO 8601 with offset, in UTC; a naive time is refused, since it names no instant."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is not None and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise GraphQLError("DateTime must be ISO 8601 with an offset, for example 2026-05-01T08:00:00+08:00")


def _shown_instant(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError("a naive datetime names no instant")
    return value.isoformat()


def _day(value: object) -> date:
    try:
        # The library takes week dates as well, which nobody means.
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise GraphQLError("Date must be ISO 8601, for example 2026-05-01")


def _number(value: object) -> Decimal:
    """A plain number: one with an exponent may take an hour to write out."""
    written = str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    if not _PLAIN.fullmatch(written):
        raise GraphQLError('Decimal must be a plain number of at most 20 digits, for example "89.50"')
    return Decimal(written)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise GraphQLError("LongText must be a string")
    return value


def _uuid(value: object) -> UUID:
    """The written form with hyphens alone: the library takes braces and urn: as well."""
    try:
        if isinstance(value, str) and len(value) == 36:
            return UUID(value)
    except ValueError:
        pass
    raise GraphQLError("UUID must be of the form 0191d3a0-7c4e-7b3a-9f6e-1c2d3e4f5a6b")


def _file(value: object) -> UploadFile:
    if not isinstance(value, UploadFile):
        raise GraphQLError("Upload must be a file of a multipart request")
    return value


def _never_shown(value: object) -> str:
    raise ValueError("a file is input only")


SCALARS: Mapping[object, ScalarDefinition] = {
    Long: strawberry.scalar(
        name="Long",
        description="An integer from -(2^53 - 1) to 2^53 - 1, exact in JavaScript.",
        serialize=_long,
        parse_value=_long,
    ),
    LongText: strawberry.scalar(
        name="LongText",
        description="Text of up to 20,000 characters; an ordinary String input ends at 2,000.",
        parse_value=_text,
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description="A decimal number, exact: given as text; a number is understood as well.",
        serialize=str,
        parse_value=_number,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="An instant in ISO 8601 with offset.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
        serialize=_shown_instant,
        parse_value=_aware,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A calendar day in ISO 8601, in the compound's time zone (Asia/Shanghai).",
        specified_by_url="https://scalars.graphql.org/andimarek/local-date",
        serialize=date.isoformat,
        parse_value=_day,
    ),
    UUID: strawberry.scalar(
        name="UUID",
        description="A UUID (RFC 9562) that the client makes, such as the key of a command sent once.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc9562",
        serialize=str,
        parse_value=_uuid,
    ),
    Upload: strawberry.scalar(
        name="Upload",
        description="A file of a multipart request (GraphQL multipart request specification).",
        serialize=_never_shown,
        parse_value=_file,
    ),
}


def _display(root: Money) -> str:
    return display_yuan(root.fen)


@strawberry.type(description="An amount of money in renminbi (金额).")
class Money:
    fen: Long = strawberry.field(
        description="Whole fen (1/100 yuan); negative when it is owed to the person."
    )

    display: str = strawberry.field(resolver=_display, description='For display, for example "¥128.50".')


def display_yuan(fen: int) -> str:
    """Fen as yuan with two decimals and thousands separators."""
    yuan, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}¥{yuan:,}.{rest:02d}"


def schema_config() -> StrawberryConfig:
    """The configuration every schema of this house is built with."""
    return StrawberryConfig(scalar_map=SCALARS)
