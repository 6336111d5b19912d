"""How a fault is logged: by its kind and its place, never by its text, for the texts of exceptions
quote rows and input."""

from __future__ import annotations

import traceback

from domains.kernel.errors import DomainError


def place(fault: BaseException) -> dict[str, object]:
    """Fields of a log line: the kind of the fault and the last places it came through."""
    frames = traceback.extract_tb(fault.__traceback__)[-8:]
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return {"kind": type(fault).__qualname__, "frames": places}


def cause_of(fault: BaseException) -> str:
    """A fault in one line, to be kept: its kind, the code of a refusal, and where it was raised."""
    frames = traceback.extract_tb(fault.__traceback__)
    where = f" at {frames[-1].filename}:{frames[-1].lineno} {frames[-1].name}" if frames else ""
    code = f" {fault.code}" if isinstance(fault, DomainError) else ""
    return f"{type(fault).__qualname__}{code}{where}"
