"""What happened at doors and to passes."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domains.kernel.events import Event


@dataclass(frozen=True, slots=True)
class VisitorPassRequested(Event):
    """A visitor asks to be let in and waits for somebody's word."""

    pass_id: UUID
    compound_id: UUID
    house_id: UUID


@dataclass(frozen=True, slots=True)
class VisitorPassIssued(Event):
    """A pass counts from now on: made, or approved."""

    pass_id: UUID
    compound_id: UUID
    house_id: UUID


@dataclass(frozen=True, slots=True)
class VisitorPassRejected(Event):
    """What a visitor asked for was refused."""

    pass_id: UUID
    compound_id: UUID
    house_id: UUID


@dataclass(frozen=True, slots=True)
class VisitorPassRevoked(Event):
    """A pass counts no more."""

    pass_id: UUID
    compound_id: UUID
    house_id: UUID


@dataclass(frozen=True, slots=True)
class VisitorAdmitted(Event):
    """A visitor went through a door with a pass."""

    pass_id: UUID
    compound_id: UUID
    house_id: UUID
    record_id: UUID


@dataclass(frozen=True, slots=True)
class VisitorLeft(Event):
    """A visitor who was inside went out again."""

    pass_id: UUID
    compound_id: UUID
    house_id: UUID


@dataclass(frozen=True, slots=True)
class PassOverused(Event):
    """Gates without a network opened to a pass more often than it allows; `uses` by now."""

    pass_id: UUID
    compound_id: UUID
    house_id: UUID
    uses: int


@dataclass(frozen=True, slots=True)
class VisitorRefused(Event):
    """A guard sent away somebody who has a pass."""

    pass_id: UUID
    compound_id: UUID
    house_id: UUID
    record_id: UUID


EVENTS = (
    VisitorPassRequested, VisitorPassIssued, VisitorPassRejected, VisitorPassRevoked, VisitorAdmitted, VisitorLeft,
    PassOverused, VisitorRefused,
)  # fmt: skip
