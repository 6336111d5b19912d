"""What a batch of reports says, and what becomes of it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.settings import REPOSITORY
from domains.devices import rules
from domains.devices.kinds import ALARM_KINDS
from domains.devices.rules import Condition, OnRecord, Report
from tests.factories.alarms import NOON

ONE = UUID(int=1)
SECOND = timedelta(seconds=1)


def condition(pattern: str, kind: str = "fire") -> Condition:
    """Of reports in this order: `+` it is there, `-` it is over."""
    [found] = rules.conditions([Report(ONE, kind, each == "+", None) for each in pattern])
    return found


@pytest.mark.parametrize(
    ("pattern", "reports", "flaps", "is_active"),
    [
        ("+", 1, 0, True), ("-", 0, 0, False), ("+++", 3, 0, True), ("+-", 1, 0, False), ("-+", 1, 1, True),
        ("+-+", 2, 1, True), ("--++-", 2, 1, False), ("+-+-+-", 3, 2, False),
    ],
)  # fmt: skip
def test_a_batch_is_put_together(pattern: str, reports: int, flaps: int, is_active: bool) -> None:
    found = condition(pattern)
    assert (found.reports, found.flaps, found.is_active) == (reports, flaps, is_active)


def test_conditions_come_in_one_order_whatever_the_order_of_reports() -> None:
    said = [Report(uuid4(), kind, True, None) for kind in ("gas", "fire") for _ in range(20)]
    keys = [(each.device_id, each.kind) for each in rules.conditions(said)]
    assert keys == sorted(keys)
    assert keys == [(each.device_id, each.kind) for each in rules.conditions(said[::-1])]


def test_the_first_time_and_the_last_words_count() -> None:
    later = NOON + timedelta(minutes=1)
    [found] = rules.conditions([Report(ONE, "gas", True, NOON, "5%"), Report(ONE, "gas", True, later, "9%")])
    assert (found.at, found.detail) == (NOON, "9%")


@pytest.mark.parametrize(("pattern", "flaps"), [("+", 0), ("-+", 0), ("+-+", 1), ("-+-+", 1)])
def test_a_new_alarm_has_come_back_as_often_as_it_ended_before(pattern: str, flaps: int) -> None:
    change, opening = rules.judged(condition(pattern), None, NOON)
    assert change is None and opening is not None
    assert (opening.flaps, opening.calm_since) == (flaps, None)


@pytest.mark.parametrize(
    ("state", "heeded"),
    [
        ("in_service", set(ALARM_KINDS)), ("out_of_order", {"fire", "gas", "lift_trapped"}), ("in_store", set()),
        ("retired", set()),
    ],
)  # fmt: skip
def test_what_counts_of_a_device_in_a_state(state: str, heeded: set[str]) -> None:
    assert {kind for kind in ALARM_KINDS if rules.is_heeded(state, kind)} == heeded


def test_every_state_of_a_device_is_decided_about() -> None:
    assert rules.DEVICE.states == {"in_service", "out_of_order", "in_store", "retired"}


def test_the_end_of_what_never_was_is_nothing() -> None:
    assert rules.judged(condition("--"), None, NOON) == (None, None)


@pytest.mark.parametrize(
    ("was_calm", "pattern", "flaps", "is_calm"),
    [
        (False, "+", 0, False), (False, "-", 0, True), (False, "-+", 1, False), (False, "+-", 0, True),
        (True, "+", 1, False), (True, "-+", 1, False), (True, "+-+", 2, False), (True, "+-", 1, True), (True, "-", 0, True),
    ],
)  # fmt: skip
def test_flaps_are_counted_over_batches(was_calm: bool, pattern: str, flaps: int, is_calm: bool) -> None:
    since = NOON - 10 * SECOND if was_calm else None
    change, opening = rules.judged(condition(pattern), OnRecord(ONE, since, False), NOON)
    assert change is not None and opening is None
    assert (change.flaps, change.calm_since is not None, change.cleared_at) == (flaps, is_calm, None)
    if is_calm:
        assert change.calm_since == (since if was_calm and "+" not in pattern else NOON)


@given(st.sampled_from(sorted(ALARM_KINDS)), st.integers(-2, 2))
def test_a_return_after_the_off_delay_is_another_alarm_written_or_not(kind: str, seconds: int) -> None:
    delay = ALARM_KINDS[kind].off_delay
    since = NOON - delay - seconds * SECOND
    change, opening = rules.judged(condition("+", kind), OnRecord(ONE, since, False), NOON)
    assert change is not None
    if seconds >= 0:
        assert opening is not None and change.cleared_at == since + delay <= NOON and change.reports == 0
    else:
        assert opening is None and change.cleared_at is None and (change.flaps, change.reports) == (1, 1)


def test_the_end_after_the_off_delay_clears_as_of_then() -> None:
    since = NOON - timedelta(hours=1)
    change, opening = rules.judged(condition("-"), OnRecord(ONE, since, False), NOON)
    assert opening is None and change is not None
    assert change.cleared_at == since + ALARM_KINDS["fire"].off_delay


@pytest.mark.parametrize(
    ("pattern", "counted", "opens", "is_shelved"),
    [
        ("+", 1, False, True), ("++", 2, False, True), ("-", 0, False, False), ("+-", 1, False, False),
        ("-+", 0, True, False), ("+-+", 0, True, False), ("-+-", 0, True, False),
    ],
)  # fmt: skip
def test_a_shelved_condition_is_counted_until_its_end(
    pattern: str, counted: int, opens: bool, is_shelved: bool
) -> None:
    change, opening = rules.judged(condition(pattern), OnRecord(ONE, None, True), NOON)
    assert change is not None
    assert (change.reports, opening is not None, change.is_shelved) == (counted, opens, is_shelved)
    assert change.cleared_at is None


@given(st.lists(st.text("+-", min_size=1, max_size=6), min_size=1, max_size=6))
def test_no_report_is_lost_however_they_come_in_batches(batches: list[str]) -> None:
    """Reports and returns are the same in one batch as in many."""
    whole = "".join(batches)
    on_record: OnRecord | None = None
    reports = flaps = 0
    for pattern in batches:
        change, opening = rules.judged(condition(pattern), on_record, NOON)
        assert not (change and opening), "nothing is over within the off-delay"
        if change:
            reports, flaps = reports + change.reports, flaps + change.flaps
            on_record = OnRecord(ONE, change.calm_since, False)
        if opening:
            reports, flaps = opening.condition.reports, opening.flaps
            on_record = OnRecord(ONE, opening.calm_since, False)
    assert reports == whole.count("+")
    assert flaps == whole.lstrip("-").count("-+")


@pytest.mark.parametrize(
    ("late_s", "believable", "wrong"),
    [
        (0, True, False), (300, True, False), (301, False, False), (3900, False, False), (3901, False, True),
        (-300, True, False), (-301, False, True),
    ],
)  # fmt: skip
def test_what_is_late_may_be_the_ways_fault_and_what_is_early_is_the_clocks(
    late_s: int, believable: bool, wrong: bool
) -> None:
    at = NOON - late_s * SECOND
    assert (rules.is_believable(at, NOON), rules.is_wrong(at, NOON)) == (believable, wrong)


def _words(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


@pytest.mark.parametrize("name", ALARM_KINDS)
def test_the_guide_has_every_kind_as_it_is(name: str) -> None:
    kind = ALARM_KINDS[name]
    delay, shelf = _words(kind.off_delay), _words(kind.shelf)
    guide = (REPOSITORY / "docs" / "alarms.md").read_text(encoding="utf-8")
    assert f"| `{name}` | {kind.zh} | {kind.level} | {delay} | {shelf} |" in guide
