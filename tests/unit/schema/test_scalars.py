"""Money and instants."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from graphql import GraphQLError

from schema.scalars import SCALARS, display_yuan


@pytest.mark.parametrize(
    ("fen", "shown"),
    [
        (0, "¥0.00"),
        (5, "¥0.05"),
        (12_850, "¥128.50"),
        (-5, "-¥0.05"),
        (-123_456, "-¥1,234.56"),
        (2**53 - 1, "¥90,071,992,547,409.91"),
    ],
)
def test_display(fen: int, shown: str) -> None:
    assert display_yuan(fen) == shown


def parser(kind: type) -> Callable[[object], object]:
    found = SCALARS[kind].parse_value
    assert found is not None
    return found


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-01",
        "2026-05-01T08:00:00",
        "08:00",
        "x",
        "",
        5,
        None,
        "2026-13-01T00:00:00Z",
        "0001-01-01T00:00:00+08:00",
    ],
)
def test_a_time_without_offset_is_refused(text: object) -> None:
    with pytest.raises(GraphQLError):
        parser(datetime)(text)


def test_instants_with_offset() -> None:
    assert parser(datetime)("2026-05-01T08:00:00+08:00") == datetime(2026, 5, 1, tzinfo=UTC)
    assert parser(datetime)("2026-05-01T00:00:00Z") == datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["20260501", "2026-5-1", "2026-02-30", "2026-W18-5", "", 5, None])
def test_a_day_that_is_none_is_refused(text: object) -> None:
    with pytest.raises(GraphQLError):
        parser(date)(text)


def test_a_day() -> None:
    assert parser(date)("2026-05-01") == date(2026, 5, 1)


def test_a_naive_instant_is_never_shown() -> None:
    show = SCALARS[datetime].serialize
    assert show is not None
    with pytest.raises(ValueError, match="names no instant"):
        show(datetime(2026, 5, 1))  # noqa: DTZ001  # what must not happen is what is tested
