"""Events: facts in frozen dataclasses that survive the wire."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID, uuid4

import orjson
import pytest
from pydantic import ValidationError

from api.wiring import EVENTS, HANDLERS
from domains.kernel.events import Event, Registry, to_payload


@dataclass(frozen=True, slots=True)
class MeterRead(Event):
    """Every type of fact there is."""

    meter_id: UUID
    read_at: datetime
    read_on: date
    amount: Decimal
    fee_fen: int
    kind: Literal["water", "power"]
    houses: tuple[UUID, ...] = ()
    note: str | None = None


READ = MeterRead(
    uuid4(), datetime(2026, 3, 1, 2, tzinfo=UTC), date(2026, 3, 1), Decimal("12.340"), 99, "water", (uuid4(),)
)


def test_an_event_comes_back_as_it_was_recorded() -> None:
    wire = orjson.dumps(to_payload(READ))
    assert Registry([MeterRead]).load("MeterRead", orjson.loads(wire)) == READ


def test_its_first_field_is_its_subject_and_it_does_not_change() -> None:
    assert READ.subject == f"meter_id:{READ.meter_id}"
    with pytest.raises(FrozenInstanceError):
        READ.fee_fen = 1  # type: ignore[misc]  # what is tried is forbidden


def test_an_unknown_name_and_a_broken_payload_are_refused() -> None:
    registry = Registry([MeterRead])
    with pytest.raises(KeyError):
        registry.load("NeverHeardOf", {})
    with pytest.raises(ValidationError):
        registry.load("MeterRead", {"meter_id": "x"})


def test_a_field_that_was_added_with_a_default_reads_what_was_recorded_before() -> None:
    payload = to_payload(READ)
    del payload["houses"], payload["note"]
    event = Registry([MeterRead]).load("MeterRead", payload)
    assert isinstance(event, MeterRead) and event.houses == ()


def test_two_events_of_one_name_are_refused() -> None:
    other = type("MeterRead", (MeterRead,), {})
    with pytest.raises(ValueError, match="MeterRead"):
        Registry([MeterRead, other])


def test_every_event_of_the_program_is_frozen_and_its_name_is_its_own() -> None:
    assert len({kind.__name__ for kind in HANDLERS}) == len(HANDLERS)
    assert all(kind.__dataclass_params__.frozen for kind in HANDLERS)  # type: ignore[attr-defined]  # dataclasses have it
    assert all(len(kind.__name__) <= 100 for kind in HANDLERS)
    assert EVENTS is not None
