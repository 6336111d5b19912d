"""One place, however it is written."""

from __future__ import annotations

import pytest

from domains.estate.places import (
    Parts,
    building_key,
    building_shown,
    room_key,
    room_shown,
    unit_and_room,
    unit_key,
    unit_shown,
    whole_number,
)
from domains.estate.rules import house_number, sort_key


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("1号楼", "1"), ("1栋", "1"), ("１幢", "1"), ("第一栋", "1"), ("01", "1"), ("1#", "1"), ("十二号楼", "12"),
        ("A座", "A"), ("a座", "A"), ("二期3栋", "2期3"), ("楼", "楼"), ("商业街", "商业街"),
    ],
)  # fmt: skip
def test_a_building(written: str, key: str) -> None:
    assert building_key(written) == key


@pytest.mark.parametrize(
    ("written", "key"),
    [("1单元", "1"), ("一单元", "1"), ("01", "1"), ("", ""), ("东门", "东"), ("单元", "单元")],
)
def test_a_unit(written: str, key: str) -> None:
    assert unit_key(written) == key


@pytest.mark.parametrize(
    ("written", "key"), [("101室", "101"), ("101号", "101"), ("0101", "101"), ("101.0", "101"), ("室", "室")]
)
def test_a_room(written: str, key: str) -> None:
    assert room_key(written) == key


@pytest.mark.parametrize("written", ["ß座", "ŉ1", "ΐ栋", "ﷺ"])
def test_a_key_is_never_longer_than_its_folded_name(written: str) -> None:
    import unicodedata

    assert len(building_key(written)) <= len(unicodedata.normalize("NFKC", written))


def test_a_room_is_shown_without_its_suffix() -> None:
    assert (room_shown("101室"), room_shown("1-101.")) == ("101", "1-101.")


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("3-1-101", Parts("3", "1", "101")),
        ("3号楼1单元101室", Parts("3号楼", "1单元", "101")),
        ("1#101", Parts("1#", "", "101")),
        ("101", None),
        ("", None),
        ("9" * 500, None),
    ],
)
def test_a_number_written_whole(written: str, parts: Parts | None) -> None:
    assert whole_number(written) == parts


def test_a_room_may_say_its_unit() -> None:
    assert unit_and_room("1单元101室") == Parts("", "1单元", "101")
    assert unit_and_room("101") is None


@pytest.mark.parametrize(
    ("written", "shown"),
    [("3", "3号楼"), ("A", "A座"), ("十二", "十二号楼"), ("3栋", "3栋"), ("商业街", "商业街")],
)
def test_a_number_alone_is_shown_as_a_building(written: str, shown: str) -> None:
    assert building_shown(written) == shown


@pytest.mark.parametrize(
    ("written", "shown"), [("1", "1单元"), ("东门", "东门"), ("", ""), ("2单元", "2单元")]
)
def test_a_number_alone_is_shown_as_a_unit(written: str, shown: str) -> None:
    assert unit_shown(written) == shown


def test_ten_comes_after_nine() -> None:
    assert sorted(["10", "9", "B2", "B10"], key=sort_key) == ["9", "10", "B2", "B10"]
    assert house_number("3号楼", "1单元", "101") == "3号楼1单元101"
