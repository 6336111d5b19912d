"""Steps of a journey: each is printed with its time; the first that fails ends the journey."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Steps:
    """Counts the steps and prints them."""

    def __init__(self) -> None:
        self.count = 0

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """One step; its title says what holds when it is over."""
        started = time.monotonic()
        try:
            yield
        except BaseException:
            print(f"  ✗ {title}", flush=True)
            raise
        self.count += 1
        print(f"  ✓ {title}  {(time.monotonic() - started) * 1000:.0f} ms", flush=True)
