"""A gate computer in a process of its own, to be killed: `one_gate.py FOLDER MODE [NUMBER…]`.

Writes the number of each pass to FOLDER/opened at the moment its relay is told, past any buffer.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from domains.access.gate import journal
from tests.unit.access.gate.making import NOW, claims_of, gate_at, text_of


def main() -> None:
    folder, mode, numbers = Path(sys.argv[1]), sys.argv[2], [int(number) for number in sys.argv[3:]]
    opened = os.open(folder / "opened", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    current = 0

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def relay() -> None:
        if mode == "die-before-relay":
            die()
        os.write(opened, f"{current}\n".encode())
        if mode == "die-after-relay":
            die()

    if mode == "die-before-journal":
        journal.Journal.record = lambda *_: die()  # type: ignore[method-assign]  # the moment of death

    gate = gate_at(folder, open_gate=relay)
    os.write(1, b"ready\n")
    sys.stdin.readline()
    for current in numbers:
        gate.admit(text_of(claims_of(current.to_bytes(16, "big"))), NOW)


if __name__ == "__main__":
    main()
