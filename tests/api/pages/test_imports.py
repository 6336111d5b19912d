"""Bringing a register in through the browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from io import BytesIO

import httpx
import pytest
from openpyxl import Workbook
from starlette.applications import Starlette

from domains.estate import permissions as estate
from domains.estate.models import House
from domains.residents.models import RegisterImport
from tests.api.pages.test_registrations import staff_of
from tests.api.pages.visitors import HTMX, Visitor, seen, visiting
from tests.factories import residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
PAGE = "/staff/import"
HEADER = ["楼栋", "单元", "房号", "建筑面积", "业主", "手机"]


@pytest.fixture
async def scene() -> Scene:
    """A compound that no other test uses."""
    return await residents.scene()


@pytest.fixture
async def clerk(app: Starlette, scene: Scene) -> AsyncIterator[Visitor]:
    """Staff who may import, signed in."""
    async with visiting(app) as opened:
        await opened.sign_in(await staff_of(scene, estate.IMPORT, estate.READ))
        await opened.get(PAGE)
        yield opened


def workbook(*rows: list[str | float], header: Sequence[str] = HEADER) -> bytes:
    """A register of one sheet."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "房屋"
    for row in (header, *rows):
        sheet.append(list(row))
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


GOOD = workbook(
    ["5号楼", "1单元", "301", 88.8, "孙一", "13900001111"],
    ["5号楼", "1单元", "302", 90, "孙二", "13900002222"],
)


async def upload(clerk: Visitor, data: bytes, name: str = "台账.xlsx", **headers: str) -> httpx.Response:
    """Choose a file and send it."""
    return await clerk.http.post(
        PAGE, data={"form_token": clerk.token}, files={"file": (name, data)},
        headers={"accept": "text/html", **HTMX, **headers}, timeout=60,
    )  # fmt: skip


def form_on(page: str) -> dict[str, str]:
    """The fields of the report's form, with what is chosen in them."""
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))
    for name, options in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'value="([^"]+)" selected', options)
        fields[name] = chosen[1] if chosen else "ignore"
    return fields


async def houses(scene: Scene) -> int:
    """Houses of the compound."""
    return await House.filter(compound_id=scene.compound_id).count()


async def test_a_register_is_looked_at_and_then_applied(clerk: Visitor, scene: Scene) -> None:
    before = await houses(scene)
    shown = await upload(clerk, GOOD)
    text = seen(shown)
    assert "可以导入" in text and "新增房屋" in text and "应用" in text
    assert await houses(scene) == before
    done = await clerk.post(f"{PAGE}/apply", {**form_on(shown.text), "do": "apply"}, **HTMX)
    assert "已导入" in seen(done)
    assert await houses(scene) == before + 2
    again = await clerk.post(f"{PAGE}/apply", {**form_on(shown.text), "do": "apply"}, **HTMX)
    assert "不能再次应用" in seen(again)
    assert await houses(scene) == before + 2


async def test_a_column_is_corrected_and_stays_corrected(clerk: Visitor, scene: Scene) -> None:
    data = workbook(["6号楼", "1单元", "101", 75, "周一"], header=["楼栋", "单元", "房号", "大小", "业主"])
    shown = await upload(clerk, data)
    assert "处需要更正" in seen(shown) and 'value="apply"' not in shown.text
    fields = form_on(shown.text)
    (column,) = [name for name in fields if name.startswith("column:0:D:")]
    read = await clerk.post(f"{PAGE}/apply", {**fields, column: "area", "do": "read"}, **HTMX)
    assert "可以导入" in seen(read)
    assert (await RegisterImport.get(compound_id=scene.compound_id)).state == "refused"
    done = await clerk.post(f"{PAGE}/apply", {**form_on(read.text), "do": "apply"}, **HTMX)
    assert "已导入" in seen(done)
    assert await House.filter(compound_id=scene.compound_id, built_area_m2=75).count() == 1


async def test_what_is_wrong_is_said_row_by_row_and_nothing_is_imported(clerk: Visitor, scene: Scene) -> None:
    before = await houses(scene)
    data = workbook(["5号楼", "1单元", "301", "<b>很大</b>", "孙一", "13900001111"])
    shown = await upload(clerk, data)
    assert "处需要更正" in seen(shown) and "&lt;b&gt;很大&lt;/b&gt;" in shown.text
    assert 'value="apply"' not in shown.text
    assert await houses(scene) == before


@pytest.mark.parametrize("data", [b"", b"not a workbook", b"PK\x03\x04" + b"\0" * 400])
async def test_a_file_that_is_none_is_refused_in_words(clerk: Visitor, scene: Scene, data: bytes) -> None:
    refused = await upload(clerk, data)
    assert refused.status_code == 200
    assert "alert-danger" in refused.text
    assert 'value="apply"' not in refused.text


async def test_no_file_is_asked_for(clerk: Visitor) -> None:
    assert "请先选择台账文件" in seen(await clerk.post(PAGE, {}, **HTMX))


async def test_a_file_that_is_too_large_is_not_read(clerk: Visitor, scene: Scene) -> None:
    refused = await upload(clerk, b"x" * 11_500_000)
    assert "太大" in seen(refused)
    assert await RegisterImport.filter(compound_id=scene.compound_id).count() == 0


async def test_a_file_name_with_markup_is_text(clerk: Visitor) -> None:
    shown = await upload(clerk, GOOD, name="<svg onload=alert(1)>.xlsx")
    assert "<svg onload" not in shown.text and "&lt;svg onload" in shown.text


async def test_without_a_script_the_whole_page_answers(clerk: Visitor) -> None:
    shown = await clerk.http.post(
        PAGE,
        data={"form_token": clerk.token},
        files={"file": ("台账.xlsx", GOOD)},
        headers={"accept": "text/html"},
    )
    assert "<html" in shown.text and "可以导入" in seen(shown)


async def test_an_import_of_another_compound_is_not_there(
    app: Starlette, clerk: Visitor, scene: Scene
) -> None:
    fields = form_on((await upload(clerk, GOOD)).text)
    async with visiting(app) as other:
        await other.sign_in(await staff_of(await residents.scene(), estate.IMPORT))
        await other.get(PAGE)
        del fields["form_token"]
        refused = await other.post(f"{PAGE}/apply", {**fields, "do": "apply"}, **HTMX)
    assert "没有找到这次导入" in seen(refused)
    assert (await RegisterImport.get(compound_id=scene.compound_id)).state == "staged"


async def test_tampered_corrections_are_refused_in_words(clerk: Visitor) -> None:
    fields = form_on((await upload(clerk, GOOD)).text)
    for extra in (
        {"fixed": "::"},
        {"column:9:Z:": "room"},
        {"column:0:A:building": "nonsense"},
        {"import": "x"},
    ):
        refused = await clerk.post(f"{PAGE}/apply", {**fields, **extra, "do": "apply"}, **HTMX)
        assert refused.status_code == 200


async def test_the_template_is_there_for_all(visitor: Visitor) -> None:
    template = await visitor.http.get("/files/register-template.xlsx")
    assert template.status_code == 200 and template.content[:2] == b"PK"
    assert "filename*=UTF-8''" in template.headers["content-disposition"]
