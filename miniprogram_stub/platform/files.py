"""Files in the stand-ins' home that must never be seen half-written, and files that people edit."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")


def write_private(path: Path, text: str) -> None:
    """Replace the file in one step; only its owner may read it."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)
    draft.replace(path)


class WatchedFile(Generic[T]):
    """What a file says, read again only when it changed; None while there is no such file."""

    def __init__(self, path: Path, parse: Callable[[str], T]) -> None:
        self.path = path
        self._parse = parse
        self._seen: tuple[int, int, int] | None = None
        self._value: T | None = None

    def current(self) -> T | None:
        """Parse errors are the parser's own."""
        try:
            state = self.path.stat()
        except FileNotFoundError:
            self._seen = None
            return None
        seen = (state.st_mtime_ns, state.st_size, state.st_ino)
        if seen != self._seen:
            self._value, self._seen = self._parse(self.path.read_text(encoding="utf-8")), seen
        return self._value
