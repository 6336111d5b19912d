"""Importing a register (台账导入): staged with what it would do, then applied whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from domains.estate import permissions
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, NotFound
from domains.kernel.ids import uuid7
from domains.residents.importing import files
from domains.residents.importing.writing import HousesMissing, Staged, rehearse, stage, write
from domains.residents.models import RegisterImport
from domains.residents.register.fields import Field, title
from domains.residents.register.mapping import Corrections
from domains.residents.register.problems import KEPT_ERRORS, RowError
from domains.residents.register.reading import Register, SheetReading, read_register

_SENSITIVE = frozenset(map(title, (Field.PHONE, Field.TENANT_PHONE, Field.DOCUMENT_NUMBER)))

MANY_ROWS = 2_000
"""From so many on, plans made for what was there before are wrong until somebody looks at the tables again."""

ANALYZE = "SELECT analyze_register()"

SheetSummary = dict[str, Any]  # Any: a sheet's recognised mapping, as JSON


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import is, would do, or has done."""

    id: UUID
    compound_id: UUID
    file_name: str
    state: str
    sheets: list[SheetSummary]
    errors: list[dict[str, Any]]  # Any: row errors, as JSON
    error_count: int
    counts: dict[str, int]


def _require(actor: Actor, compound_id: UUID) -> None:
    """The permission over the whole compound: a register speaks of every building."""
    actor.require(permissions.IMPORT, compound_id)
    if actor.buildings(permissions.IMPORT, compound_id) is not None and actor.kind != "system":
        actor.refuse()


async def import_register(
    actor: Actor,
    *,
    compound_id: UUID,
    file_name: str,
    data: bytes,
    corrections: Mapping[str, Corrections] | None = None,
    apply: bool,
) -> ImportReport:
    """Upload a register: staged with what it would do, or applied at once if nothing is wrong with it."""
    _require(actor, compound_id)
    report, staged = await _read(compound_id, file_name, data, corrections)
    stored = await files.keep(data)
    if not apply:
        report = await _rehearsed(report, staged)
    await _stage(actor, report=report, stored=stored)
    return await _applied(actor, report, staged) if apply else report


async def apply_import(
    actor: Actor,
    *,
    import_id: UUID,
    corrections: Mapping[str, Corrections] | None = None,
    apply: bool = True,
) -> ImportReport:
    """Apply a staged register, with the mapping corrected if need be; or see what that would do."""
    known = await RegisterImport.get_or_none(pk=import_id)
    if known is None or not actor.may(permissions.IMPORT, known.compound_id):  # type: ignore[attr-defined]  # <relation>_id
        raise NotFound("IMPORT_NOT_FOUND", "没有找到这次导入,请重新上传")
    _require(actor, known.compound_id)  # type: ignore[attr-defined]  # as above
    if known.state == "applied":
        raise _already_applied()
    if not known.file_key:
        raise NotFound("IMPORT_NOT_FOUND", "没有找到这次导入,请重新上传")
    data = await files.read(known.file_key)
    compound_id: UUID = known.compound_id  # type: ignore[attr-defined]  # as above
    report, staged = await _read(compound_id, known.file_name, data, corrections)
    report = replace(report, id=known.id)
    return await (_applied(actor, report, staged) if apply else _rehearsed(report, staged))


async def _read(
    compound_id: UUID, file_name: str, data: bytes, corrections: Mapping[str, Corrections] | None
) -> tuple[ImportReport, Staged | None]:
    """Read and make the rows; none where anything is wrong. Off the event loop: it takes seconds."""
    register = await asyncio.to_thread(read_register, data, corrections)
    staged = None if register.error_count else await asyncio.to_thread(stage, register)
    return _report(compound_id, file_name, register), staged


async def _rehearsed(report: ImportReport, staged: Staged | None) -> ImportReport:
    """The report with what applying would do."""
    if staged is None:
        return report
    try:
        return replace(report, counts=dict(await rehearse(report.compound_id, staged)))
    except HousesMissing as missing:
        return _refused(report, missing)


async def _applied(actor: Actor, report: ImportReport, staged: Staged | None) -> ImportReport:
    """The report after applying; refused where the compound lacks a house that the file speaks of."""
    if staged is None:
        return report
    try:
        done = await _apply(actor, report=report, staged=staged)
    except HousesMissing as missing:
        return await _refuse(actor, report=_refused(report, missing))
    await files.forget(report.id, (await RegisterImport.get(pk=report.id)).file_key)
    if sum(done.counts.values()) >= MANY_ROWS:
        await database.execute(ANALYZE)
    return done


def _already_applied() -> Conflict:
    return Conflict("IMPORT_APPLIED", "这次导入已经生效,不能再次应用")


def _refused(report: ImportReport, missing: HousesMissing) -> ImportReport:
    errors = [asdict(error) for error in missing.errors[:KEPT_ERRORS]]
    return replace(report, state="refused", errors=errors, error_count=len(missing.errors))


def _report(compound_id: UUID, file_name: str, register: Register) -> ImportReport:
    return ImportReport(
        id=uuid7(),
        compound_id=compound_id,
        file_name=_name_kept(file_name),
        state="refused" if register.error_count else "staged",
        sheets=[_sheet(sheet) for sheet in register.sheets],
        errors=[_error(error) for error in register.errors],
        error_count=register.error_count,
        counts={},
    )


def _name_kept(file_name: str) -> str:
    """A client may call a file anything, the database does not keep everything."""
    return "".join(char for char in file_name if char.isprintable())[:200]


def _error(error: RowError) -> dict[str, Any]:  # Any: as above
    """What to correct; a phone or a document is not kept in clear, its row says where it stands."""
    hidden = error.column in _SENSITIVE
    return asdict(replace(error, value="•" * min(len(error.value), 20)) if hidden else error)


def _sheet(sheet: SheetReading) -> SheetSummary:
    return {
        "name": sheet.name,
        "kind": sheet.kind.value if sheet.kind else None,
        "header_row": sheet.header_row,
        "rows": sheet.rows,
        "columns": [
            {
                "letter": column.letter,
                "header": column.header,
                "field": column.field.value if column.field else None,
                "title": title(column.field) if column.field else None,
            }
            for column in sheet.columns
        ],
        "missing": [title(field) for field in sheet.missing],
        "skipped_reason": sheet.skipped_reason,
    }


@command("register.stage", caller="staff", permission=permissions.IMPORT)
async def _stage(actor: Actor, *, report: ImportReport, stored: files.KeptFile) -> None:
    await RegisterImport.create(
        id=report.id, compound_id=report.compound_id, file_name=report.file_name, file_key=stored.key,
        sha256=stored.sha256, state=report.state, sheets=report.sheets, errors=report.errors,
        error_count=report.error_count, counts=report.counts, uploaded_by=actor.account_id, uploaded_at=clock.now(),
    )  # fmt: skip
    concerns("RegisterImport", report.id, report.compound_id, state=report.state, errors=report.error_count)


@command("register.apply", caller="staff", permission=permissions.IMPORT)
async def _apply(actor: Actor, *, report: ImportReport, staged: Staged) -> ImportReport:
    moved = await RegisterImport.filter(pk=report.id, state__in=("staged", "refused")).update(
        state="applied", applied_at=clock.now(), sheets=report.sheets, errors=[], error_count=0
    )
    if not moved:
        raise _already_applied()
    counts = dict(await write(report.compound_id, staged))
    await RegisterImport.filter(pk=report.id).update(counts=counts)
    concerns("RegisterImport", report.id, report.compound_id, **counts)
    return replace(report, state="applied", counts=counts)


@command("register.refuse", caller="staff", permission=permissions.IMPORT)
async def _refuse(actor: Actor, *, report: ImportReport) -> ImportReport:
    await RegisterImport.filter(pk=report.id, state="staged").update(
        state=report.state, errors=report.errors, error_count=report.error_count
    )
    concerns("RegisterImport", report.id, report.compound_id, errors=report.error_count)
    return report
