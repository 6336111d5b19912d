"""What wiring provides to the domains: keys, clients, stores; filled once at start.

A slot is a context variable: every task of a process inherits what its main task filled, and two
programs in one process (as in tests) do not see each other's.
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Generic, TypeVar

T = TypeVar("T")


class Slot(Generic[T]):
    """A named place for one thing."""

    def __init__(self, name: str) -> None:
        self._value: ContextVar[T] = ContextVar(name)
        self._name = name

    def fill(self, value: T) -> Token[T]:
        """Put the thing there for this task and all it starts."""
        return self._value.set(value)

    def __call__(self) -> T:
        """The thing; a slot nobody filled is a mistake in the wiring."""
        try:
            return self._value.get()
        except LookupError:
            raise RuntimeError(f"wiring has not filled {self._name!r}") from None
