"""Files of records: nothing that a spreadsheet would run, and none that nobody deletes."""

from __future__ import annotations

import pytest

from domains.access import permissions
from domains.access.models import RecordExport
from domains.access.queries.records import RecordFilter
from domains.access.service import exporting
from domains.kernel import sheets
from domains.kernel.files import storage
from tests.factories import guards, residents

pytestmark = pytest.mark.usefixtures("instance")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_what_begins_like_a_formula_in_any_width_is_text(start: str) -> None:
    assert sheets.harmless(f"{start}1+1") == f"'{start}1+1"
    assert sheets.harmless(f"1{start}") == f"1{start}"


async def test_what_is_not_on_the_books_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = await residents.scene()
    reader = await guards.guard(scene, permissions.RECORDS_READ)
    written: list[str] = []

    async def fail(**_: object) -> None:
        raise ConnectionError("the database is away")

    async def write(prefix: str, *_: object, **__: object) -> None:
        written.append(prefix)

    monkeypatch.setattr(RecordExport, "create", fail)
    monkeypatch.setattr(storage(), "save", write)
    with pytest.raises(ConnectionError):
        await exporting.export_access_records(
            reader, compound_id=scene.compound_id, narrowed=RecordFilter(), form="csv"
        )
    assert written == []
