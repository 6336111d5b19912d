"""Ids and cursors."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.kernel.errors import Invalid
from schema.relay import Key, _seal, connection, cursor, decode, encode, page_request, parse, read_cursor

ID = UUID("019a0000-0000-7000-8000-000000000001")
KEYS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.text(),
    st.uuids(),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
)


@given(st.lists(KEYS, min_size=1, max_size=4))
def test_a_cursor_gives_back_its_keys(keys: list[Key]) -> None:
    assert list(read_cursor(cursor("sort", *keys), "sort")) == keys


def test_a_cursor_keeps_the_kinds_of_its_keys() -> None:
    keys = (datetime(2026, 5, 1, 8, 0, 0, 123, tzinfo=UTC), date(2026, 5, 1), ID, "2026-05-01", 7, None)
    assert read_cursor(cursor("s", *keys), "s") == keys


def test_a_cursor_of_another_sort_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        read_cursor(cursor("houses:number:asc", "0101", ID), "houses:number:desc")
    assert refused.value.code == "BAD_CURSOR"


FORGED: list[tuple[Key, ...]] = [
    (), ("0101",), ("0101", ID, ID), (7, ID), (None, ID), ("0101", "x"), ("01\x0001", ID), (ID, "0101"),
]  # fmt: skip


@pytest.mark.parametrize("keys", FORGED)
def test_a_forged_cursor_does_not_reach_the_database(keys: tuple[Key, ...]) -> None:
    with pytest.raises(Invalid) as refused:
        page_request(20, cursor("s", *keys), "s")
    assert refused.value.code == "BAD_CURSOR"


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "2026-05-01T00:00:00", "x"])
def test_an_instant_in_a_cursor_is_one(moment: str) -> None:
    body = orjson.dumps([("t", moment), ("u", str(ID))])
    forged = base64.urlsafe_b64encode(_seal("s", body) + body).decode().rstrip("=")
    with pytest.raises(Invalid) as refused:
        page_request(20, forged, "s", datetime, UUID)
    assert refused.value.code == "BAD_CURSOR"


@given(st.text())
def test_no_text_but_a_cursor_is_one(text: str) -> None:
    with pytest.raises(Invalid):
        read_cursor(text, "sort")


@given(st.text())
def test_no_text_but_an_id_is_one(text: str) -> None:
    with pytest.raises(Invalid):
        parse(text)


def test_an_id_is_of_one_type() -> None:
    assert decode(encode("House", ID), "House") == ID
    with pytest.raises(Invalid) as refused:
        decode(encode("House", ID), "Bill", "bill_id")
    assert (refused.value.code, refused.value.field) == ("BAD_ID", "bill_id")


def test_the_extra_row_tells_of_a_next_page() -> None:
    page = page_request(2, None, "s")
    rows = [1, 2, 3]
    assert page.limit == 3
    shown = connection(page, rows, lambda row: (row,), str)
    assert shown.nodes == ["1", "2"]
    assert shown.page_info.has_next_page
    last = connection(page_request(2, shown.page_info.end_cursor, "s", int), [3], lambda row: (row,), str)
    assert (last.page_info.has_next_page, last.page_info.has_previous_page) == (False, True)


def test_an_empty_page_has_no_cursors() -> None:
    empty = connection(page_request(None, None, "s"), [], lambda row: (row,), str)
    assert (empty.page_info.start_cursor, empty.page_info.end_cursor) == (None, None)
    assert not empty.page_info.has_next_page
