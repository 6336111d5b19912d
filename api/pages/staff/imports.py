"""Bringing a register in (台账导入): upload, look at how it was understood, correct, apply."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from api.pages.asking import Data
from api.pages.page import Page
from api.pages.staff.place import place_of

IGNORE = "ignore"
Correction = dict[str, str]


async def show(page: Page) -> Response:
    """The form to upload a register."""
    return page.show("staff/import.html", place=await place_of(page), report=None, problems=[])


async def upload(page: Page) -> Response:
    """How the file was understood, what is wrong in it, and what applying it would do."""
    file = page.uploaded("file")
    if file is None:
        return await _report(page, {"import": None, "errors": [{"message": page.texts("请先选择台账文件")}]})
    given = {"compoundId": (await place_of(page)).id, "file": file}
    return await _report(page, (await page.ask("ImportHouses", input=given))["importHouses"])


async def apply(page: Page) -> Response:
    """Apply the register that was uploaded, or only read it again with the columns corrected."""
    made = corrections(page)
    given = {"importId": page.typed("import"), "apply": page.typed("do") == "apply", "corrections": made}
    return await _report(page, (await page.ask("ApplyImport", input=given))["applyImport"], made)


def corrections(page: Page) -> list[Correction]:
    """The columns that the person gave another meaning, now or before.

    A choice is named by the number of its sheet, its column, and what it was recognised as, such as
    `column:0:C:room`. What was corrected before is recognised by now, and is carried as `fixed`.
    """
    found: dict[tuple[str, str], str] = {}
    for name, value in page.form.multi_items():
        kind, _, place = name.partition(":")
        if kind == "fixed":
            letter, _, rest = str(value).partition(":")
            field, _, title = rest.partition(":")
            found[title, letter] = field
        elif kind == "column":
            sheet, _, column = place.partition(":")
            letter, _, recognised = column.partition(":")
            if value != recognised:
                found[str(page.form.get(f"sheet:{sheet}")), letter] = str(value)
    return [{"sheet": title, "letter": letter, "field": field} for (title, letter), field in found.items()]


async def _report(page: Page, payload: Data, made: Sequence[Correction] = ()) -> Response:
    fields = (await page.ask("ImportFields"))["importFields"]
    values = {
        "report": payload["import"], "problems": payload["errors"], "fields": fields, "made": made,
        "ignore": IGNORE,
    }  # fmt: skip
    if page.is_partial:
        return page.show("staff/import_report.html", **values)
    return page.show("staff/import.html", place=await place_of(page), **values)
