from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from domains.access.gate import journal
from domains.access.gate.events import MOST_WAITING, EventQueue
from domains.access.gate.folder import DiskFailed, Folder
from domains.access.gate.journal import Journal, Use
from domains.access.gate.reasons import Kind, Reason

from .making import HOUR, NOW

ROW_BYTES, HEADER_BYTES = 16 + 8 + 8 + 8 + 8 + 4, 16


def use(number: int, until: int = NOW + HOUR) -> Use:
    return Use(number.to_bytes(16, "big"), Kind.VISITOR, until, NOW, number)


def written(folder: Path, *numbers: int) -> Path:
    found = opened(folder)
    for number in numbers:
        found.record(use(number))
    return folder / "journal"


def opened(folder: Path) -> Journal:
    """The journal as a process that starts now finds it."""
    found = Journal(Folder(folder))
    found.refresh()
    return found


def counts(folder: Path, *numbers: int) -> list[int]:
    found = opened(folder)
    return [found.uses(use(number).id) for number in numbers]


def queue(folder: Path) -> EventQueue:
    found = EventQueue(Folder(folder))
    found.refresh()
    return found


def test_uses_survive_a_restart(tmp_path: Path) -> None:
    written(tmp_path, 1, 2, 2)
    assert counts(tmp_path, 1, 2, 3) == [1, 2, 0]
    assert opened(tmp_path).last == use(2)


def test_a_torn_last_row_is_forgotten_and_written_over(tmp_path: Path) -> None:
    file = written(tmp_path, 1, 2, 3)
    whole = file.read_bytes()
    for lost in range(1, ROW_BYTES + 1):
        file.write_bytes(whole[:-lost])
        assert counts(tmp_path, 1, 2, 3) == [1, 1, 0]
        written(tmp_path, 3)
        assert file.read_bytes() == whole


@pytest.mark.parametrize("tail", [bytes(ROW_BYTES), bytes(ROW_BYTES + 7), b"\xff" * 9])
def test_a_file_that_grew_before_its_data_arrived_keeps_its_rows(tmp_path: Path, tail: bytes) -> None:
    file = written(tmp_path, 1, 2)
    file.write_bytes(file.read_bytes() + tail)
    written(tmp_path, 3)
    assert counts(tmp_path, 1, 2, 3) == [1, 1, 1]


def test_a_damaged_row_in_the_middle_is_no_torn_one(tmp_path: Path) -> None:
    file = written(tmp_path, 1, 2, 3)
    damaged = bytearray(file.read_bytes())
    damaged[HEADER_BYTES + 5] ^= 1
    file.write_bytes(damaged)
    with pytest.raises(DiskFailed, match="damaged"):
        opened(tmp_path)


@pytest.mark.parametrize("content", [b"", b"short", b"another file altogether, of some length"])
def test_a_file_that_is_no_journal_is_not_taken_for_an_empty_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "journal").write_bytes(content)
    with pytest.raises(DiskFailed, match="not a record file"):
        opened(tmp_path)


def test_a_use_that_did_not_reach_the_disk_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, 1)
    before, found = file.read_bytes(), opened(tmp_path)

    def failing(_: int) -> None:
        raise OSError(errno.EIO, "no disk")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        with pytest.raises(DiskFailed, match="no disk"):
            found.record(use(2))
    assert (found.uses(use(2).id), file.read_bytes()) == (0, before)
    found.record(use(2))
    assert counts(tmp_path, 1, 2) == [1, 1]


def test_two_readers_see_each_other(tmp_path: Path) -> None:
    one, two = opened(tmp_path), opened(tmp_path)
    one.record(use(1))
    two.refresh()
    two.record(use(1))
    one.refresh()
    assert (one.uses(use(1).id), two.uses(use(1).id)) == (2, 2)


def test_what_is_over_goes_once_it_is_most(tmp_path: Path) -> None:
    found, other = opened(tmp_path), opened(tmp_path)
    found.record(use(9_001))
    found.record(use(9_001))
    for number in range(1, journal.COMPACT_ABOVE + 2):
        found.record(use(number, until=NOW))
    other.refresh()
    full = (tmp_path / "journal").stat().st_size
    found.compact(NOW - 1)
    assert (tmp_path / "journal").stat().st_size == full
    found.compact(NOW)
    assert (tmp_path / "journal").stat().st_size == HEADER_BYTES + 2 * ROW_BYTES
    other.refresh()
    other.record(use(9_002))
    assert counts(tmp_path, 1, 9_001, 9_002) == [0, 2, 1]


def test_events_wait_until_they_are_confirmed(tmp_path: Path) -> None:
    found = queue(tmp_path)
    found.add(1, Kind.VISITOR, use(1).id, NOW, Reason.OK)
    found.add(2, None, None, NOW, Reason.BAD_SIGNATURE)
    found.add(3, Kind.RESIDENT, use(3).id, NOW, Reason.OTHER_COMMUNITY)
    again = queue(tmp_path)
    assert again.waiting == found.waiting
    assert [(event.sequence, event.kind, event.shown, event.reason) for event in again.waiting] == [
        (1, Kind.VISITOR, use(1).id, Reason.OK),
        (2, None, None, Reason.BAD_SIGNATURE),
        (3, Kind.RESIDENT, use(3).id, Reason.OTHER_COMMUNITY),
    ]
    assert len({event.id for event in again.waiting}) == 3
    again.confirm(2)
    found.refresh()
    assert [event.sequence for event in found.waiting] == [3]


def test_a_sequence_is_never_given_twice(tmp_path: Path) -> None:
    found = queue(tmp_path)
    found.add(5, None, None, NOW, Reason.MALFORMED)
    found.confirm(2**60)
    again = queue(tmp_path)
    assert (again.waiting, again.last_sequence) == ([], 5)


def test_rubbish_cannot_fill_the_disk_and_entries_are_kept_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)
    found = queue(tmp_path)
    for number in range(1, MOST_WAITING + 10):
        found.add(number, None, None, NOW, Reason.MALFORMED)
    assert len(found.waiting) == MOST_WAITING
    found.add(found.last_sequence + 1, Kind.VISITOR, use(1).id, NOW, Reason.OK)
    assert queue(tmp_path).waiting[-1].reason is Reason.OK
