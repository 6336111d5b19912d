"""Importing a register in the API (台账导入)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

import strawberry

from domains.kernel.errors import Invalid
from domains.residents.register.fields import Field, title
from domains.residents.register.mapping import Corrections
from domains.residents.service import imports
from schema.context import Info
from schema.errors import Payload, refusals_as_data
from schema.permissions import staff_only
from schema.relay import decode, encode
from schema.scalars import Upload

IGNORE = "ignore"


@strawberry.type(description="A column of a sheet and what it is taken for (列对应).")
class ImportColumn:
    letter: str = strawberry.field(description="Column letter as Excel shows it.")
    header: str = strawberry.field(description="What the header says.")
    field: str | None = strawberry.field(description="Field it is taken for; null if it is left out.")
    title: str | None = strawberry.field(description="The field's title in Chinese; null if it is left out.")


@strawberry.type(description="How a sheet was understood.")
class ImportSheet:
    name: str = strawberry.field(description="Name of the sheet.")
    kind: str | None = strawberry.field(description="buildings, houses, people or vehicles; null if skipped.")
    header_row: int = strawberry.field(description="Row of the header, counted from 1; 0 if none was found.")
    rows: int = strawberry.field(description="Rows below the header.")
    columns: list[ImportColumn] = strawberry.field(description="The recognised columns.")
    missing: list[str] = strawberry.field(description="Titles of required fields without a column.")
    skipped_reason: str = strawberry.field(description="Why it was not read; empty if it was.")


@strawberry.type(description="One thing to correct in the file (行错误).")
class RowError:
    sheet: str = strawberry.field(description="Name of the sheet.")
    row: int = strawberry.field(description="Excel row, from 1; 0 means the sheet as a whole.")
    column: str = strawberry.field(description="Title of the column.")
    code: str = strawberry.field(description="Stable code.")
    message: str = strawberry.field(description="What to do, in Chinese.")
    value: str = strawberry.field(description="What the cell holds, shortened.")


@strawberry.type(description="How many rows of a kind an import creates or changes.")
class ImportCount:
    name: str = strawberry.field(description="For example houses_created.")
    count: int = strawberry.field(description="Number of rows.")


@strawberry.type(description="An import: what it would do, or has done (台账导入).")
class RegisterImport:
    id: strawberry.ID = strawberry.field(description="Opaque id, to apply it by.")
    file_name: str = strawberry.field(description="Name of the file.")
    state: str = strawberry.field(description="staged, refused or applied.")
    sheets: list[ImportSheet] = strawberry.field(description="How the sheets were understood.")
    errors: list[RowError] = strawberry.field(description="What to correct, at most 500.")
    error_count: int = strawberry.field(description="How many things there are to correct.")
    counts: list[ImportCount] = strawberry.field(description="What applying it does.")


@strawberry.type(description="Result of an import.")
class ImportPayload(Payload):
    register_import: RegisterImport | None = strawberry.field(
        default=None, name="import", description="The import; null when the file could not be read at all."
    )


@strawberry.input(description="What a column really holds.")
class ColumnCorrection:
    sheet: str = strawberry.field(description="Name of the sheet.")
    letter: str = strawberry.field(description="Column letter.")
    field: str = strawberry.field(description="The field, or `ignore` to leave the column out.")


@strawberry.input(description="A register to import.")
class ImportHousesInput:
    compound_id: strawberry.ID = strawberry.field(description="Compound whose register it is.")
    file: Upload = strawberry.field(description="An .xlsx file of at most 10 MB.")
    apply: bool = strawberry.field(default=False, description="Apply at once if nothing is wrong with it.")
    corrections: list[ColumnCorrection] = strawberry.field(
        default_factory=list, description="Columns that were recognised wrongly."
    )


@strawberry.input(description="A staged register to apply.")
class ApplyImportInput:
    import_id: strawberry.ID = strawberry.field(description="The import.")
    apply: bool = strawberry.field(
        default=True, description="False only reads the file again, to see what the corrections do."
    )
    corrections: list[ColumnCorrection] = strawberry.field(
        default_factory=list, description="Columns that were recognised wrongly."
    )


def _corrections(given: list[ColumnCorrection]) -> Mapping[str, Corrections]:
    sheets: dict[str, dict[str, Field | None]] = {}
    for correction in given:
        try:
            field = None if correction.field == IGNORE else Field(correction.field)
        except ValueError:
            raise Invalid("COLUMN_FIELD_UNKNOWN", "没有这个字段,请从列表中选择", "corrections") from None
        sheets.setdefault(correction.sheet, {})[correction.letter.upper()] = field
    return sheets


def _shown(report: imports.ImportReport) -> RegisterImport:
    return RegisterImport(
        id=strawberry.ID(encode("RegisterImport", report.id)),
        file_name=report.file_name,
        state=report.state,
        sheets=[_sheet(sheet) for sheet in report.sheets],
        errors=[RowError(**error) for error in report.errors],
        error_count=report.error_count,
        counts=[ImportCount(name=name, count=count) for name, count in report.counts.items()],
    )


def _sheet(sheet: imports.SheetSummary) -> ImportSheet:
    return ImportSheet(
        name=sheet["name"],
        kind=sheet["kind"],
        header_row=sheet["header_row"],
        rows=sheet["rows"],
        columns=[ImportColumn(**column) for column in sheet["columns"]],
        missing=sheet["missing"],
        skipped_reason=sheet["skipped_reason"],
    )


@strawberry.type(description="A field a column may hold.")
class ImportField:
    name: str = strawberry.field(description="To name in corrections.")
    title: str = strawberry.field(description="Its title in Chinese.")


@strawberry.type
class ImportsQuery:
    """What a page needs to show an import."""

    @strawberry.field(description="Fields a register's column may hold; for staff.", extensions=[staff_only])
    def import_fields(self, info: Info) -> list[ImportField]:
        return [ImportField(name=field.value, title=title(field)) for field in Field]


@strawberry.type
class ImportsMutation:
    """Mutations of the register import."""

    @strawberry.mutation(
        description="Upload a register (multipart): staged, or applied at once if `apply` is set."
    )
    @refusals_as_data(ImportPayload)
    async def import_houses(
        self,
        info: Info,
        input: Annotated[ImportHousesInput, strawberry.argument(description="The register.")],
    ) -> ImportPayload:
        report = await imports.import_register(
            info.context.actor,
            compound_id=decode(input.compound_id, "Compound", "compoundId"),
            file_name=input.file.filename or "register.xlsx",
            data=await input.file.read(),
            corrections=_corrections(input.corrections),
            apply=input.apply,
        )
        return ImportPayload(register_import=_shown(report))

    @strawberry.mutation(description="Apply a staged register, with columns corrected if need be.")
    @refusals_as_data(ImportPayload)
    async def apply_import(
        self, info: Info, input: Annotated[ApplyImportInput, strawberry.argument(description="Which one.")]
    ) -> ImportPayload:
        import_id: UUID = decode(input.import_id, "RegisterImport", "importId")
        report = await imports.apply_import(
            info.context.actor,
            import_id=import_id,
            corrections=_corrections(input.corrections),
            apply=input.apply,
        )
        return ImportPayload(register_import=_shown(report))
