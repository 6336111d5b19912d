"""How a fault is logged: by its kind and its place, never by its text, for the texts of exceptions
quote rows and input."""

from __future__ import annotations

import traceback


def place(fault: BaseException) -> dict[str, object]:
    """Fields of a log line: the kind of the fault and the last places it came through."""
    frames = traceback.extract_tb(fault.__traceback__)[-8:]
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return {"kind": type(fault).__qualname__, "frames": places}
