"""What is reminded of, and how long it has been owed (催缴、账龄): decisions without reads or writes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal
from uuid import UUID

from domains.kernel.errors import Invalid

Form = Literal["message", "letter"]

EARLIEST, LATEST, MOST_STEPS = -60, 1_000, 12
"""Days of a step from the due date, and how many steps a compound may have."""

OWNER_TOLD_AFTER = 30
"""Days after which the owners hear of what a tenant owes: they answer for it as well (连带责任)."""

AGES = ((0, 30), (31, 60), (61, 90), (91, 180), (181, 365), (366, None))
"""Days past the due date, first and last included, by which arrears are sorted (账龄)."""

AGE_EDGES = [first for first, _ in AGES[1:]]


@dataclass(frozen=True, slots=True)
class Step:
    """A step (催缴步骤): days from the due date, below zero before it."""

    id: UUID
    days: int
    form: Form


@dataclass(frozen=True, slots=True)
class Turn:
    """What a bill has today: the step to take, None for no more than passing others over."""

    take: Step | None
    passed: tuple[Step, ...]


def turn(
    steps: Sequence[Step],
    due_on: date,
    today: date,
    *,
    payer: str = "owner",
    had: Collection[UUID] = (),
    had_days: int | None = None,
) -> Turn:
    """The latest step that is due; earlier ones, and all that a later one had come before, are passed over.

    `had` are the steps that the bill had, `had_days` the days of the latest of them, which may be no step any more.
    Nobody reads a message to the developer: such a bill has letters alone.
    """
    due = sorted(
        (
            step
            for step in steps
            if step.id not in had
            and due_on + timedelta(days=step.days) <= today
            and (payer != "developer" or step.form == "letter")
        ),
        key=lambda step: step.days,
    )
    if not due or (had_days is not None and due[-1].days <= had_days):
        return Turn(None, tuple(due))
    return Turn(due[-1], tuple(due[:-1]))


def check_steps(steps: Sequence[tuple[int, Form]]) -> None:
    """Raises Invalid DUNNING_STEPS_INVALID for what cannot be a compound's steps."""
    if len(steps) > MOST_STEPS:
        raise _invalid(f"最多设置 {MOST_STEPS} 个催缴步骤,请删去一些", "steps")
    if len({days for days, _ in steps}) < len(steps):
        raise _invalid("同一天只能有一个催缴步骤,请修改天数", "steps")
    for position, (days, form) in enumerate(steps):
        if not EARLIEST <= days <= LATEST:
            raise _invalid(f"天数须在 {EARLIEST} 到 {LATEST} 之间,负数表示到期前", f"steps.{position}.days")
        if form == "letter" and days < 1:
            raise _invalid("催缴函只能在到期之后发出,天数须大于 0", f"steps.{position}.days")


def _invalid(message: str, field: str) -> Invalid:
    return Invalid("DUNNING_STEPS_INVALID", message, field)


def letter_number(year: int, count: int) -> str:
    """The number of a compound's count-th letter of a year: CJH-2026-0001."""
    return f"CJH-{year}-{count:04}"


def age_of(age_days: int) -> int:
    """The place in AGES of so many days past the due date."""
    return sum(age_days >= edge for edge in AGE_EDGES)
