"""How many lasting connections each client holds in this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from schema.errors import RequestRefusedError


class Connections:
    """Counts WebSockets and event streams together, by `Context.budget_key`."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.open: Counter[str] = Counter()

    def total(self) -> int:
        """Connections that are open now."""
        return self.open.total()

    @contextmanager
    def held(self, client: str) -> Iterator[None]:
        """One connection for as long as the block runs; RequestRefusedError TOO_MANY_CONNECTIONS (429)."""
        if self.open[client] >= self.most:
            raise RequestRefusedError("TOO_MANY_CONNECTIONS", 429, headers={"Retry-After": "10"})
        self.open[client] += 1
        try:
            yield
        finally:
            self.open[client] -= 1
            if not self.open[client]:
                del self.open[client]
