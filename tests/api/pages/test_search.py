"""Finding houses and residents."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette

from api.pages.staff.search import meaning
from domains.estate import permissions as estate
from domains.kernel import database
from domains.residents import permissions
from domains.residents.models import Person
from tests.api.pages.test_registrations import staff_of
from tests.api.pages.visitors import HTMX, Visitor, seen, visiting
from tests.factories import residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("张建", {"name": "张建"}),
        ("13900000001", {"phone": "13900000001"}),
        ("+86 139-0000-0001", {"phone": "+8613900000001"}),
        ("0001", {"phoneTail": "0001"}),
        ("11010519491231002X", {"documentNumber": "11010519491231002X"}),
        ("E12345678", {"documentNumber": "E12345678"}),
        ("3号楼1单元101", {"house": "3号楼1单元101"}),
        ("101", {"house": "101"}),
        ("  ", {}),
    ],
)
def test_what_is_typed_says_what_is_looked_for(typed: str, expected: dict[str, str]) -> None:
    assert meaning(typed) == expected


async def searcher(app_visitor: Visitor, scene: Scene, *granted: str) -> Visitor:
    """Signed in, with the search page open."""
    await app_visitor.sign_in(await staff_of(scene, *granted))
    await app_visitor.get("/staff/search")
    return app_visitor


async def test_houses_and_residents_are_found_masked_and_audited(visitor: Visitor) -> None:
    scene = await residents.scene()
    await searcher(visitor, scene, estate.READ, permissions.READ)
    found = await visitor.post("/staff/search", {"q": "101"}, **HTMX)
    text = seen(found)
    for expected in ("1号楼1单元101", "张建国", "张小妹", "赵租客", "89.5", "租户"):
        assert expected in text
    assert "钱邻居" not in text and scene.owner.phone not in text and "****" in text
    assert "<html" not in found.text
    (row,) = await residents.audited("resident.list", scene.compound_id)
    assert '"house"' in row["details"] and "101" not in row["details"]


async def test_by_the_tail_of_a_phone(visitor: Visitor) -> None:
    scene = await residents.scene()
    await searcher(visitor, scene, estate.READ, permissions.READ)
    found = seen(await visitor.post("/staff/search", {"q": scene.neighbour.phone}, **HTMX))
    assert "钱邻居" in found and "张建国" not in found


async def test_who_may_see_houses_only_sees_no_residents(visitor: Visitor) -> None:
    scene = await residents.scene()
    await searcher(visitor, scene, estate.READ)
    found = seen(await visitor.post("/staff/search", {"q": "101"}, **HTMX))
    assert "1号楼1单元101" in found and "张建国" not in found and "姓名" not in found
    part = await visitor.post("/staff/search", {"q": "101", "part": "residents"}, **HTMX)
    assert "张建国" not in seen(part)
    assert await residents.audited("resident.list", scene.compound_id) == []


async def test_another_compound_is_not_searched(app: Starlette, visitor: Visitor) -> None:
    scene, elsewhere = await residents.scene(), await residents.scene()
    await searcher(visitor, scene, estate.READ, permissions.READ)
    found = await visitor.post("/staff/search", {"q": elsewhere.owner.phone}, **HTMX)
    assert "没有找到住户" in seen(found)
    async with visiting(app) as other:
        await other.sign_in(await staff_of(elsewhere, estate.READ))
        await other.get("/staff/search")
        chosen = other.token
        from schema.relay import encode

        moved = {"compound": encode("Compound", scene.compound_id), "next": "/staff/search"}
        assert (await other.post("/staff/compound", moved, token=chosen)).status_code == 303
        assert other.cookie("compound") is None


async def test_names_with_markup_are_text(visitor: Visitor) -> None:
    scene = await residents.scene()
    await Person.filter(pk=scene.owner.person_id).update(name="<img src=x onerror=alert(1)>")
    await searcher(visitor, scene, permissions.READ)
    found = await visitor.post("/staff/search", {"q": "101"}, **HTMX)
    assert "<img src=x" not in found.text and "&lt;img src=x onerror=alert(1)&gt;" in found.text


@pytest.mark.parametrize("typed", ["x" * 3000, "\x00", "%_\\", "1" * 18, "\u202e", "' OR 1=1 --"])
async def test_strange_input_is_answered_in_words(visitor: Visitor, typed: str) -> None:
    await searcher(visitor, await residents.scene(), estate.READ, permissions.READ)
    for after in ("", "bad cursor"):
        answer = await visitor.post("/staff/search", {"q": typed, "after": after}, **HTMX)
        assert answer.status_code == 200


async def test_a_search_costs_the_same_however_much_it_finds(visitor: Visitor) -> None:
    scene = await residents.scene()
    await searcher(visitor, scene, estate.READ, permissions.READ)
    async with database.counted() as few:
        await visitor.post("/staff/search", {"q": scene.owner.phone}, **HTMX)
    async with database.counted() as many:
        await visitor.post("/staff/search", {"q": ""}, **HTMX)
    assert many.count <= few.count
