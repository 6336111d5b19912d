"""Transition tables (状态机): which state may follow which, and what a state needs.

A move is one conditional update; the number of rows it touched decides, never a state that
was read before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domains.kernel.errors import Conflict, Invalid

if TYPE_CHECKING:  # a table of transitions is a decision: it knows rows only by their type
    from tortoise.models import Model


@dataclass(frozen=True)
class Machine:
    """States of one kind of row. `required` names columns a state must have set by the move
    into it, `frozen` columns that no move out of a state may change.

    The row's column is `state`. ValueError for a table that names a state it does not list."""

    name: str
    moves: Mapping[str, frozenset[str]]
    required: Mapping[str, frozenset[str]] = field(default_factory=dict)
    frozen: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = set(self.moves)
        targets = set().union(*self.moves.values()) if self.moves else set()
        unknown = (targets | set(self.required) | set(self.frozen)) - known
        if unknown:
            raise ValueError(f"{self.name}: unknown states {sorted(unknown)}")

    @property
    def states(self) -> frozenset[str]:
        """All states there are."""
        return frozenset(self.moves)

    def allows(self, old: str, new: str) -> bool:
        """Whether `new` may follow `old`."""
        return new in self.moves.get(old, frozenset())

    def check(self, old: str, new: str, values: Mapping[str, object]) -> None:
        """Refuse a move the table does not have, without what it needs, or against what is frozen."""
        if not self.allows(old, new):
            raise Conflict("STATE_CONFLICT", "状态已经改变,请刷新后再试")
        missing = [name for name in self.required.get(new, ()) if values.get(name) is None]
        if missing:
            raise Invalid("STATE_INCOMPLETE", "缺少必填内容,请补充后再提交", missing[0])
        if self.frozen.get(old, frozenset()) & set(values):
            raise Conflict("STATE_FROZEN", "这些内容已经不能修改")

    async def move(
        self,
        model: type[Model],
        row_id: UUID,
        old: str,
        new: str,
        **values: Any,  # Any: column values
    ) -> None:
        """Move a row from `old` to `new`; Conflict if somebody moved it before."""
        self.check(old, new, values)
        if await model.filter(pk=row_id, state=old).update(state=new, **values) != 1:
            raise Conflict("STATE_CONFLICT", "状态已经改变,请刷新后再试")
