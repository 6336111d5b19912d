from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.kernel import ids
from domains.kernel.ids import timestamp_of, uuid7


@pytest.fixture(autouse=True)
def own_sequence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that moves the clock leaves the process's sequence as it was."""
    monkeypatch.setattr(ids, "_last_ms", 0)
    monkeypatch.setattr(ids, "_counter", 0)


def made_at(*instants_ms: int) -> list[UUID]:
    made = []
    with pytest.MonkeyPatch.context() as patch:
        for ms in instants_ms:
            patch.setattr(time, "time_ns", lambda ms=ms: ms * 1_000_000)
            made.append(uuid7())
    return made


def test_version_and_variant_are_those_of_the_rfc() -> None:
    for _ in range(100):
        identifier = uuid7()
        assert identifier.version == 7
        assert identifier.variant == "specified in RFC 4122"


def test_the_time_of_the_example_in_the_rfc_is_read() -> None:
    example = UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")
    assert timestamp_of(example) == datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)


def test_an_identifier_tells_when_it_was_made() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    assert before <= timestamp_of(uuid7()) <= datetime.now(UTC) + timedelta(milliseconds=1)


def test_only_version_seven_tells_a_time() -> None:
    with pytest.raises(ValueError):
        timestamp_of(uuid4())


def test_ten_thousand_in_one_millisecond_stay_in_order() -> None:
    made = made_at(*[1_800_000_000_000] * 10_000)
    assert made == sorted(made)
    assert len(set(made)) == 10_000
    assert {timestamp_of(each) for each in made} == {datetime.fromtimestamp(1_800_000_000, UTC)}


@given(st.lists(st.integers(0, 2**47), min_size=2, max_size=50))
def test_order_is_that_of_making_however_the_clock_jumps(instants_ms: list[int]) -> None:
    made = made_at(*instants_ms)
    assert all(earlier < later for earlier, later in pairwise(made))


def test_after_the_clock_stepped_back_the_last_millisecond_goes_on() -> None:
    later, earlier = made_at(1_800_000_000_000, 1_700_000_000_000)
    assert earlier > later
    assert timestamp_of(earlier) == timestamp_of(later)


def test_a_full_counter_borrows_the_next_millisecond(monkeypatch: pytest.MonkeyPatch) -> None:
    (first,) = made_at(1_800_000_000_000)
    monkeypatch.setattr(ids, "_counter", (1 << 42) - 2)
    last, borrowed = made_at(1_800_000_000_000, 1_800_000_000_000)
    assert first < last < borrowed
    assert timestamp_of(borrowed) == timestamp_of(last) + timedelta(milliseconds=1)


def test_threads_never_make_the_same_one_and_each_sees_order() -> None:
    def make(_: int) -> list[UUID]:
        return [uuid7() for _ in range(2_000)]

    with ThreadPoolExecutor(8) as pool:
        batches = list(pool.map(make, range(8)))
    assert all(batch == sorted(batch) for batch in batches)
    assert len({each for batch in batches for each in batch}) == 16_000
