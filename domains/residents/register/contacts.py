"""Owners, tenants and their numbers as they share cells (业主、租户与电话): who has which."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from domains.kernel import documents
from domains.kernel.documents import Kind
from domains.kernel.text import InvalidText
from domains.residents.register import cells
from domains.residents.register.cells import LineReader
from domains.residents.register.fields import Field
from domains.residents.register.rows import Contact

# What companies write in the owner's cell of a house that was never sold.
_NOBODY = frozenset({"未售", "待售", "未出售", "空置", "空", "空房", "开发商未售"})


def owners(reader: LineReader) -> tuple[Contact, ...]:
    """The owners (业主) of a house's line with their phones and documents, in the order written."""
    written = _names(reader, Field.OWNER_NAME)
    numbers = reader.take(Field.PHONE, cells.phone_numbers) or ()
    papers = document_pairs(reader)
    if not written and (numbers or papers) and not reader.failed:
        blank = Field.PHONE if numbers else Field.DOCUMENT_NUMBER
        reader.fail(blank, "CONTACT_WITHOUT_NAME", "有内容但没有业主姓名，请补上姓名或清空这一格")
    if len(written) > 1 and len(numbers) > len(written):
        reader.fail(Field.PHONE, "PHONES_UNCLEAR", "比业主多，分不清谁的，请与业主一一对应")
    if len(papers) > max(len(written), 1):
        reader.fail(Field.DOCUMENT_NUMBER, "DOCUMENTS_UNCLEAR", "比业主多，分不清谁的，请与业主一一对应")
    return _paired(written, numbers, papers)


def tenants(reader: LineReader) -> tuple[Contact, ...]:
    """The tenants (租户) of a house's line with their phones."""
    written = _names(reader, Field.TENANT_NAME)
    numbers = reader.take(Field.TENANT_PHONE, cells.phone_numbers) or ()
    if len(written) > 1 and len(numbers) > len(written):
        reader.fail(Field.TENANT_PHONE, "PHONES_UNCLEAR", "比租户多，分不清谁的，请与租户一一对应")
    if numbers and not written and not reader.failed:
        reader.fail(
            Field.TENANT_PHONE, "CONTACT_WITHOUT_NAME", "有内容但没有租户姓名，请补上姓名或清空这一格"
        )
    return _paired(written, numbers, ())


def document_pairs(reader: LineReader) -> tuple[tuple[Kind, str], ...]:
    """The documents (证件) of a line, validated; one kind written once holds for every number."""
    kinds = reader.take(Field.DOCUMENT_KIND, cells.document_kinds) or ()
    numbers = reader.take(Field.DOCUMENT_NUMBER, cells.document_numbers) or ()
    try:
        return tuple(
            (kind, documents.validate(kind, number))
            for number, kind in zip(numbers, _kinds_for(numbers, kinds), strict=True)
        )
    except InvalidText as error:
        reader.fail(Field.DOCUMENT_NUMBER, error.code, f"：{error.message}")
        return ()


def _names(reader: LineReader, field: Field) -> tuple[str, ...]:
    cell = reader.line.cells.get(field)
    if isinstance(cell, str) and cell.strip() in _NOBODY:
        return ()
    return reader.take(field, cells.names) or ()


def _kinds_for(numbers: Sequence[str | int], kinds: Sequence[Kind]) -> list[Kind]:
    if len(kinds) == len(numbers):
        return list(kinds)
    return [kinds[0] if kinds else _kind_by_shape(number) for number in numbers]


def _kind_by_shape(written: str | int) -> Kind:
    """Without a kind, whatever is all digits is a resident's identity card and has to be valid as one."""
    number = documents.normalise(written)
    if number.startswith(("810000", "820000", "830000")):
        return Kind.HMT_RESIDENCE_PERMIT
    return Kind.RESIDENT_ID if number[:-1].isdigit() else Kind.OTHER


def _paired(
    names: Sequence[str], numbers: Sequence[str], papers: Sequence[tuple[Kind, str]]
) -> tuple[Contact, ...]:
    """The first phone belongs to the first name and so on; a single name keeps all the numbers."""
    extra = tuple(numbers[1:]) if len(names) == 1 else ()
    contacts = []
    for name, phone, paper in zip_longest(names, numbers[: len(names)], papers[: len(names)]):
        kind, number = paper or (None, None)
        contacts.append(Contact(name, phone, extra, kind, number))
    return tuple(contacts)
