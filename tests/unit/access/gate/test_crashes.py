from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from api.settings import REPOSITORY
from domains.access.gate.reasons import Reason

from .making import NOW, claims_of, gate_at, listed_gate, text_of

Process = subprocess.Popen[bytes]


def started(folder: Path, mode: str, *numbers: int) -> Process:
    """A gate process that has read its folder and waits for the word."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.unit.access.gate.one_gate", str(folder), mode, *map(str, numbers)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def go(process: Process) -> None:
    assert process.stdin is not None
    process.stdin.write(b"go\n")
    process.stdin.flush()


def ended(process: Process) -> int:
    process.communicate(timeout=30)
    return process.returncode


def opened(folder: Path) -> list[int]:
    return [int(line) for line in (folder / "opened").read_text().split()]


def again(folder: Path, number: int) -> Reason:
    """The same pass at the gate after its restart."""
    return gate_at(folder).admit(text_of(claims_of(number.to_bytes(16, "big"))), NOW).reason


@pytest.mark.parametrize(
    ("mode", "opens", "after"),
    [
        ("die-before-journal", [], Reason.OK),
        ("die-before-relay", [], Reason.USED_UP),
        ("die-after-relay", [1], Reason.USED_UP),
    ],
)
def test_a_gate_killed_in_the_middle_of_a_use_never_opens_twice(
    tmp_path: Path, mode: str, opens: list[int], after: Reason
) -> None:
    listed_gate(tmp_path)
    process = started(tmp_path, mode, 1)
    go(process)
    assert ended(process) == -9
    assert opened(tmp_path) == opens
    assert again(tmp_path, 1) is after
    told = [event.reason for event in gate_at(tmp_path).waiting()]
    assert told == ([Reason.OK] if after is Reason.OK else [Reason.OK, Reason.USED_UP])


def test_what_opened_is_in_the_journal_whenever_the_gate_is_killed(tmp_path: Path) -> None:
    listed_gate(tmp_path)
    for round_, seconds in enumerate((0.005, 0.02, 0.05)):
        process = started(tmp_path, "live", *range(round_ * 1000, round_ * 1000 + 1000))
        go(process)
        time.sleep(seconds)
        process.kill()
        ended(process)
    seen = opened(tmp_path)
    assert seen
    assert len(seen) == len(set(seen))
    assert {again(tmp_path, number) for number in seen} == {Reason.USED_UP}
    told = Counter(event.shown for event in gate_at(tmp_path).waiting(10_000) if event.reason is Reason.OK)
    assert all(told[number.to_bytes(16, "big")] == 1 for number in seen)


def test_processes_on_one_gate_never_share_the_last_use(tmp_path: Path) -> None:
    listed_gate(tmp_path)
    numbers = range(1, 41)
    processes = [started(tmp_path, "live", *numbers) for _ in range(3)]
    for process in processes:
        go(process)
    assert [ended(process) for process in processes] == [0, 0, 0]
    assert sorted(opened(tmp_path)) == list(numbers)
    reasons = Counter(event.reason for event in gate_at(tmp_path).waiting(1000))
    assert reasons == {Reason.OK: 40, Reason.USED_UP: 80}
    sequences = [event.sequence for event in gate_at(tmp_path).waiting(1000)]
    assert sequences == list(range(1, 121))


@pytest.mark.parametrize("shared", [True, False], ids=["one object", "an object each"])
def test_threads_on_one_gate_never_share_the_last_use(tmp_path: Path, shared: bool) -> None:
    first = listed_gate(tmp_path)
    gates = [first if shared else gate_at(tmp_path) for _ in range(4)]
    texts = [text_of(claims_of(number.to_bytes(16, "big"), uses=2)) for number in range(10)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda gate: [gate.admit(text, NOW).opens for text in texts], gates))
    assert [sum(column) for column in zip(*found, strict=True)] == [2] * 10


def test_power_lost_at_any_byte_of_the_last_record_leaves_a_gate_that_works(tmp_path: Path) -> None:
    gate = listed_gate(tmp_path)
    for number in (1, 2):
        gate.admit(text_of(claims_of(number.to_bytes(16, "big"))), NOW)
    for name in ("journal", "events"):
        whole = (tmp_path / name).read_bytes()
        for lost in range(1, 53):
            (tmp_path / name).write_bytes(whole[:-lost])
            assert again(tmp_path, 1) is Reason.USED_UP
        (tmp_path / name).write_bytes(whole)
