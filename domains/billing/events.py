"""What happened to bills, readings and the books."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from domains.kernel.events import Event


@dataclass(frozen=True, slots=True)
class BillsIssued(Event):
    """A part of a run's bills is there; `bill_ids` are those of one posting, a few thousand at most."""

    run_id: UUID
    compound_id: UUID
    bill_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class HousesBilled(Event):
    """Bills of a run, all of each of these houses, a hundred houses at most."""

    first_bill_id: UUID
    compound_id: UUID
    run_id: UUID
    bill_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class HouseCanPay(Event):
    """A house that has new bills has money, too."""

    house_id: UUID
    compound_id: UUID


@dataclass(frozen=True, slots=True)
class BillingRunPosted(Event):
    """A run has gone through all its houses."""

    run_id: UUID
    compound_id: UUID
    month: date
    bills: int
    posted_fen: int
    exceptions: int


@dataclass(frozen=True, slots=True)
class BillingRunFailed(Event):
    """A scheduled run could not be begun, or a run waits for somebody, again perhaps; `code` says why."""

    compound_id: UUID
    month: date
    code: str


@dataclass(frozen=True, slots=True)
class BillPaid(Event):
    """A bill is paid in full, late fee included."""

    bill_id: UUID
    compound_id: UUID
    house_id: UUID


@dataclass(frozen=True, slots=True)
class BillPartlyPaid(Event):
    """A part of a bill was paid, or some of it taken back."""

    bill_id: UUID
    compound_id: UUID
    house_id: UUID


@dataclass(frozen=True, slots=True)
class BillCorrected(Event):
    """A waiver, an adjustment or a void took effect."""

    bill_id: UUID
    compound_id: UUID
    house_id: UUID
    correction_id: UUID


@dataclass(frozen=True, slots=True)
class CorrectionRequested(Event):
    """Somebody asks for a waiver, an adjustment or a void and waits for another's word."""

    correction_id: UUID
    compound_id: UUID
    bill_id: UUID


@dataclass(frozen=True, slots=True)
class CorrectionDecided(Event):
    """What was asked for was approved or rejected."""

    correction_id: UUID
    compound_id: UUID
    bill_id: UUID
    is_approved: bool


@dataclass(frozen=True, slots=True)
class ReadingHeld(Event):
    """A reading waits for review."""

    reading_id: UUID
    compound_id: UUID
    meter_id: UUID
    problem: str


@dataclass(frozen=True, slots=True)
class ReadingReviewed(Event):
    """A reading that waited was accepted or rejected."""

    reading_id: UUID
    compound_id: UUID
    meter_id: UUID
    is_accepted: bool


@dataclass(frozen=True, slots=True)
class DunningDue(Event):
    """Bills of a house are reminded of: one message or letter for all that one pays; `days` since the oldest was due,
    below zero before it."""

    house_id: UUID
    compound_id: UUID
    bill_ids: tuple[UUID, ...]
    days: int
    letter_id: UUID | None


@dataclass(frozen=True, slots=True)
class VacancyRequested(Event):
    """An owner says that a house stands empty, and waits for staff."""

    vacancy_id: UUID
    compound_id: UUID
    house_id: UUID


@dataclass(frozen=True, slots=True)
class VacancyDecided(Event):
    """An owner's word that a house stands empty was confirmed or not."""

    vacancy_id: UUID
    compound_id: UUID
    house_id: UUID
    is_approved: bool


@dataclass(frozen=True, slots=True)
class AccountsPublished(Event):
    """A month's accounts are there for residents to read."""

    publication_id: UUID
    compound_id: UUID
    month: date
    revision: int


EVENTS = (
    BillsIssued, HousesBilled, HouseCanPay, BillingRunPosted, BillingRunFailed, BillPaid, BillPartlyPaid, BillCorrected,
    CorrectionRequested, CorrectionDecided, ReadingHeld, ReadingReviewed, DunningDue, VacancyRequested, VacancyDecided,
    AccountsPublished,
)  # fmt: skip
