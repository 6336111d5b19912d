"""What a device writes is read value by value; nothing it can send is an error of ours."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import orjson
import pytest

from domains.devices.readings import read
from domains.kernel.errors import Invalid

AT = 1_772_352_000_250


def one(**item: object) -> bytes:
    return orjson.dumps([{"metric": "level_m", "value": 1.5, "at": AT} | item])


def test_a_reading_is_read_with_its_time_to_the_millisecond() -> None:
    [value] = read(one()).values
    assert (value.metric, value.value) == ("level_m", Decimal("1.500000"))
    assert value.at == datetime(2026, 3, 1, 8, 0, 0, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (b"0.1", "0.1"),
        (b"-0.0", "0"),
        (b"1e-300", "0"),
        (b"7", "7"),
        (b"999999999999.5", "999999999999.5"),
        (b"-273.15", "-273.15"),
    ],
)
def test_numbers_are_kept_as_they_were_written(written: bytes, value: str) -> None:
    [found] = read(b'[{"metric":"m","value":%b}]' % written).values
    assert found.value == Decimal(value)
    assert found.at is None


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ({"metric": "Level"}, "METRIC_INVALID"),
        ({"metric": ""}, "METRIC_INVALID"),
        ({"metric": "a" * 41}, "METRIC_INVALID"),
        ({"metric": "液位"}, "METRIC_INVALID"),
        ({"metric": "a\n"}, "METRIC_INVALID"),
        ({"metric": "a'; DROP TABLE reading"}, "METRIC_INVALID"),
        ({"metric": None}, "METRIC_INVALID"),
        ({"metric": 7}, "METRIC_INVALID"),
        ({"value": "1.5"}, "VALUE_INVALID"),
        ({"value": None}, "VALUE_INVALID"),
        ({"value": True}, "VALUE_INVALID"),
        ({"value": [1]}, "VALUE_INVALID"),
        ({"value": 1e12}, "VALUE_INVALID"),
        ({"value": -1e300}, "VALUE_INVALID"),
        ({"value": 2**63}, "VALUE_INVALID"),
        ({"at": "2026-03-01"}, "TIME_INVALID"),
        ({"at": -1}, "TIME_INVALID"),
        ({"at": 1.5}, "TIME_INVALID"),
        ({"at": True}, "TIME_INVALID"),
        ({"at": 2**62}, "TIME_INVALID"),
    ],
)
def test_a_bad_value_is_refused_with_its_reason(item: dict[str, object], code: str) -> None:
    said = read(one(**item))
    assert (said.values, said.refused) == ([], {0: code})


def test_a_bad_value_spoils_no_other() -> None:
    items = [{"metric": "a", "value": 1}, 7, {"metric": "b"}, {"metric": "c", "value": 2}]
    said = read(orjson.dumps(items))
    assert [value.metric for value in said.values] == ["a", "c"]
    assert said.refused == {1: "READING_INVALID", 2: "VALUE_INVALID"}


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x00\xff\xfe",
        b"null",
        b"{}",
        b'"[]"',
        b"[NaN]",
        b'[{"metric":"a","value":Infinity}]',
        b'[{"metric":"a","value":1}',
        b"[" * 5000 + b"]" * 5000,
    ],
)
def test_what_is_no_list_is_refused_whole(payload: bytes) -> None:
    with pytest.raises(Invalid) as refusal:
        read(payload)
    assert refusal.value.code == "PAYLOAD_INVALID"


def test_two_hundred_readings_and_no_more() -> None:
    item = {"metric": "a", "value": 1}
    assert len(read(orjson.dumps([item] * 200)).values) == 200
    with pytest.raises(Invalid) as refusal:
        read(orjson.dumps([item] * 201))
    assert refusal.value.code == "TOO_MANY_READINGS"
