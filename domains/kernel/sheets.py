"""Tables as files that a spreadsheet opens (导出表格): CSV and Excel, in pieces, with nothing that it would run."""

from __future__ import annotations

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from domains.kernel.storage.content import CSV, XLSX
from domains.kernel.storage.port import READ_CHUNK_BYTES

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

Form = Literal["csv", "xlsx"]
Row = Sequence[str]
CONTENT_TYPES: dict[Form, str] = {"csv": CSV, "xlsx": XLSX}
# Excel takes UTF-8 for the local code page unless the file begins with this.
_MARK = b"\xef\xbb\xbf"
# The full-width ones count where Excel is Chinese.
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def harmless(cell: str) -> str:
    """The cell as text: what begins like a formula (CSV injection, OWASP) gets an apostrophe before it."""
    return f"'{cell}" if cell.startswith(_STARTS_FORMULA) else cell


def written(form: Form, header: Row, batches: AsyncIterator[list[Row]]) -> AsyncIterator[bytes]:
    """The file's bytes, while the rows come in."""
    return _csv(header, batches) if form == "csv" else _xlsx(header, batches)


async def _csv(header: Row, batches: AsyncIterator[list[Row]]) -> AsyncIterator[bytes]:
    yield _MARK + _lines([header])
    async for rows in batches:
        yield await asyncio.to_thread(_lines, rows)


def _lines(rows: Iterable[Row]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


async def _xlsx(header: Row, batches: AsyncIterator[list[Row]]) -> AsyncIterator[bytes]:
    # The library writes row by row to a file of its own: in memory a workbook is many times its size.
    from openpyxl import Workbook  # on first use: it takes 15 MiB and a sixth of a second

    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet()
    with tempfile.TemporaryFile() as file:
        try:
            sheet.append(list(header))
            async for rows in batches:
                await asyncio.to_thread(_append, sheet, rows)
        finally:
            # To save removes the library's own file, whatever happened before.
            await asyncio.to_thread(workbook.save, file)
        file.seek(0)
        while chunk := await asyncio.to_thread(file.read, READ_CHUNK_BYTES):
            yield chunk


def _append(sheet: Worksheet, rows: Iterable[Row]) -> None:
    for row in rows:
        sheet.append([harmless(cell) for cell in row])
