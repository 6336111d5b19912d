"""Cursors of events: what was written is read, and the database meets nothing it would not take."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.kernel import database
from domains.kernel.errors import Invalid
from notifications.viewer_events import Place, since
from schema.event_cursors import event_cursor, read_event_cursor
from schema.limits.bounds import Limits

NOW = datetime(2026, 11, 21, 4, 5, 6, 789, tzinfo=UTC)
numbers = st.integers(3, 2**31)


@st.composite
def snapshots(draw: st.DrawFn) -> str:
    first = draw(numbers)
    running = sorted(draw(st.sets(st.integers(0, 900), max_size=20)))
    end = first + (running[-1] if running else 0) + draw(st.integers(1, 9))
    return f"{first}:{end}:{','.join(str(first + each) for each in running)}"


places = st.builds(
    Place, st.integers(-(2**63), 2**63 - 1), snapshots(), st.just(NOW), snapshots(),
    st.tuples(st.just(NOW), st.uuids()),
) | st.builds(Place, st.integers(-(2**63), 2**63 - 1), snapshots(), st.just(NOW))  # fmt: skip


@given(places)
def test_a_place_comes_back_as_it_was(place: Place) -> None:
    assert read_event_cursor(event_cursor(place)) == place


def test_a_hundred_writers_at_once_fit_into_a_cursor() -> None:
    first = 10**12
    running = ",".join(str(first + 7 * n) for n in range(100))
    snapshot = f"{first}:{first + 1000}:{running}"
    text = event_cursor(Place(2**62, snapshot, NOW, snapshot, (NOW, UUID(int=2**127))))
    assert len(text) <= Limits().text


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_event_cursor(text)
    assert (refused.value.code, refused.value.field) == ("BAD_CURSOR", "after")


@pytest.mark.usefixtures("instance")
async def test_the_database_takes_every_place_that_is_read() -> None:
    cluster = await database.fetchval("SELECT system_identifier FROM pg_control_system()")
    for snapshot in ("3:3:", "3:9:3,5,8", "4294967299:4294967399:4294967299", f"{2**62 + 3}:{2**62 + 9}:"):
        place = Place(cluster, snapshot, NOW.replace(year=9000))
        assert (await since(uuid4(), read_event_cursor(event_cursor(place))))[0] == []
