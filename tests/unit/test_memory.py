"""A run's folder in memory is its own, and gone after it or with the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import memory


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the memory."""
    made = tmp_path / "memory"
    made.mkdir()
    monkeypatch.setattr(memory, "MEMORY", made)
    monkeypatch.setattr(memory, "ROOM", 0)
    return made


def test_runs_beside_each_other_have_their_own_and_leave_nothing(there: Path, tmp_path: Path) -> None:
    with memory.folder(tmp_path / "disk") as first:
        (first / "kept").touch()
        with memory.folder(tmp_path / "disk") as second:
            assert {first.parent, second.parent} == {there}
            assert first != second
            assert (first / "kept").exists()
        assert list(there.iterdir()) == [first]
    assert list(there.iterdir()) == []


def test_what_a_killed_run_left_is_gone_with_the_next(there: Path, tmp_path: Path) -> None:
    (there / "linli-test-left" / "postgres").mkdir(parents=True)
    (there / "of-somebody-else").mkdir()
    with memory.folder(tmp_path / "disk"):
        assert not (there / "linli-test-left").exists()
    assert list(there.iterdir()) == [there / "of-somebody-else"]


def test_without_memory_or_room_in_it_the_disk_is_used(
    there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as little:
        little.setattr(memory, "ROOM", 2**62)
        with memory.folder(tmp_path / "disk") as found:
            assert found == tmp_path / "disk"
    there.rmdir()
    with memory.folder(tmp_path / "disk") as found:
        assert found == tmp_path / "disk"
