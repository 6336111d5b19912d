"""What a compound spends: who enters it, what can be taken out, and what only taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from domains.billing import permissions
from domains.billing.models import Expense
from domains.billing.queries import expenses as queries
from domains.billing.service import expenses
from domains.billing.service.publishing import publish_accounts
from domains.kernel import clock, database
from domains.kernel.actor import Actor
from domains.kernel.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Unauthenticated
from domains.kernel.files import audience_of, links, storage
from domains.residents.service.photos import Upload
from tests.factories import residents
from tests.factories.books import on
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
SPENT_ON = date(2026, 1, 15)
PDF, PNG = b"%PDF-1.7\n" + b"x" * 200, b"\x89PNG\r\n\x1a\n" + b"x" * 200


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


@pytest.fixture
def clerk(scene: Scene) -> Actor:
    return scene.staff(permissions.BOOKS_WRITE, permissions.BOOKS_PUBLISH)


def upload(content: bytes, declared: str = "application/pdf") -> Upload:
    async def chunks() -> AsyncIterator[bytes]:
        yield content

    return Upload(chunks(), declared)


async def add(
    actor: Actor,
    compound_id: UUID,
    fen: int = 12_000,
    *,
    voucher: Upload | None = None,
    spent_on: date = SPENT_ON,
    category: str = "cleaning",
    note: str = "1月保洁",
) -> UUID:
    return await expenses.add_expense(
        actor,
        compound_id=compound_id,
        amount_fen=fen,
        voucher=voucher,
        spent_on=spent_on,
        category=category,
        note=note,
    )


async def listed(actor: Actor, compound_id: UUID, **more: object) -> list[queries.Expense]:
    given: dict[str, object] = {"month": None, "category": None, "after": None, "limit": 100, **more}
    return await queries.expenses(actor, compound_id, **given)  # type: ignore[arg-type]  # as given


async def content(actor: Actor, address: str) -> bytes:
    key = links().open(address.rsplit("/", 1)[1], clock.now(), audience_of(actor)).key
    return b"".join([chunk async for chunk in await storage().open(key)])


async def test_an_expense_is_entered_with_its_voucher(scene: Scene, clerk: Actor) -> None:
    id = await add(clerk, scene.compound_id, voucher=upload(PDF))
    (shown,) = await listed(clerk, scene.compound_id)
    assert (shown.id, shown.amount_fen, shown.category, shown.note, shown.is_published) == (
        id, 12_000, "cleaning", "1月保洁", False)  # fmt: skip
    assert shown.voucher is not None
    assert await content(clerk, shown.voucher.address) == PDF
    assert [row["subject_id"] for row in await residents.audited("expense.add", scene.compound_id)] == [id]


async def test_a_list_is_narrowed_and_paged(scene: Scene, clerk: Actor) -> None:
    days = [date(2026, 1, 5), date(2026, 2, 5), date(2026, 2, 6)]
    ids = [
        await add(clerk, scene.compound_id, spent_on=day, category="lift" if day.month == 2 else "tax")
        for day in days
    ]
    assert [each.id for each in await listed(clerk, scene.compound_id)] == ids[::-1]
    assert [each.id for each in await listed(clerk, scene.compound_id, month=days[1])] == ids[:0:-1]
    assert [each.id for each in await listed(clerk, scene.compound_id, category="tax")] == ids[:1]
    assert [each.id for each in await listed(clerk, scene.compound_id, after=(days[2], ids[2]))] == ids[1::-1]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"spent_on": date(2999, 1, 1)}, "EXPENSE_DATE"),
        ({"spent_on": date(202, 1, 1)}, "EXPENSE_DATE"),
        ({"category": "parties"}, "EXPENSE_CATEGORY"),
        ({"fen": 0}, "EXPENSE_AMOUNT"),
        ({"fen": -1}, "EXPENSE_AMOUNT"),
        ({"fen": 2**53}, "AMOUNT_OUT_OF_RANGE"),
        ({"note": " "}, "TEXT_EMPTY"),
        ({"note": "字" * 201}, "TEXT_TOO_LONG"),
    ],
)
async def test_what_cannot_be_is_refused(
    scene: Scene, clerk: Actor, more: dict[str, object], code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await add(clerk, scene.compound_id, **more)  # type: ignore[arg-type]  # bad input is the point
    assert refused.value.code == code
    assert await listed(clerk, scene.compound_id) == []


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (upload(b"GIF89a" + b"x" * 50, "image/gif"), "FILE_TYPE_REFUSED"),
        (upload(b"<html>", "application/pdf"), "FILE_TYPE_REFUSED"),
        (upload(PDF + b"x" * 5 * 1024 * 1024), "FILE_TOO_LARGE"),
    ],
)
async def test_other_files_are_no_vouchers(scene: Scene, clerk: Actor, file: Upload, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        await add(clerk, scene.compound_id, voucher=file)
    assert refused.value.code == code
    assert await listed(clerk, scene.compound_id) == []


async def test_a_refused_expense_leaves_no_file_behind(scene: Scene, clerk: Actor, settings: object) -> None:
    stored: list[str] = []
    store = storage()
    save = store.save

    async def noting(*args: object, **more: object) -> object:
        made = await save(*args, **more)  # type: ignore[arg-type]  # passed on
        stored.append(made.key)
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "save", noting)
        with pytest.raises(Invalid):
            await add(clerk, scene.compound_id, category="parties", voucher=upload(PNG, "image/png"))
    (key,) = stored
    with pytest.raises(NotFound):
        await store.stat(key)


async def test_an_expense_is_removed_with_its_file_before_its_month_is_published(
    scene: Scene, clerk: Actor
) -> None:
    id = await add(clerk, scene.compound_id, voucher=upload(PNG, "image/png"))
    key = (await Expense.get(id=id)).voucher_key
    assert key is not None
    await expenses.remove_expense(clerk, expense_id=id)
    assert await listed(clerk, scene.compound_id) == []
    with pytest.raises(NotFound):
        await storage().stat(key)
    with pytest.raises(NotFound):
        await expenses.remove_expense(clerk, expense_id=id)


async def test_what_is_published_is_taken_back_and_not_removed(scene: Scene, clerk: Actor) -> None:
    id = await add(clerk, scene.compound_id, 12_000)
    with pytest.raises(Conflict) as early:
        await expenses.correct_expense(clerk, expense_id=id, amount_fen=1, note="多记", voucher=None)
    assert early.value.code == "EXPENSE_NOT_PUBLISHED"
    await publish_accounts(clerk, compound_id=scene.compound_id, month=SPENT_ON)
    with pytest.raises(Conflict) as refused:
        await expenses.remove_expense(clerk, expense_id=id)
    assert refused.value.code == "EXPENSE_PUBLISHED"
    with on(date(2026, 3, 3)):
        back = await expenses.correct_expense(
            clerk, expense_id=id, amount_fen=10_000, note="多记", voucher=None
        )
    shown = {each.id: each for each in await listed(clerk, scene.compound_id)}
    assert (shown[back].amount_fen, shown[back].spent_on, shown[back].corrects_id) == (
        -10_000,
        date(2026, 3, 3),
        id,
    )
    assert (shown[id].is_published, shown[back].is_published, shown[back].category) == (
        True,
        False,
        "cleaning",
    )
    for expense_id, fen in ((id, 2_001), (back, 1)):
        with pytest.raises(Conflict) as over:
            await expenses.correct_expense(
                clerk, expense_id=expense_id, amount_fen=fen, note="多记", voucher=None
            )
        assert over.value.code == ("EXPENSE_CORRECTED" if expense_id == id else "EXPENSE_NOT_PUBLISHED")
    await expenses.correct_expense(clerk, expense_id=id, amount_fen=2_000, note="多记", voucher=None)


async def test_what_is_entered_after_its_month_was_published_can_still_be_removed(
    scene: Scene, clerk: Actor
) -> None:
    await add(clerk, scene.compound_id)
    await publish_accounts(clerk, compound_id=scene.compound_id, month=SPENT_ON)
    late = await add(clerk, scene.compound_id, note="补记")
    await expenses.remove_expense(clerk, expense_id=late)
    assert len(await listed(clerk, scene.compound_id)) == 1


@pytest.mark.parametrize("kind", residents.CALLERS)
async def test_staff_with_the_permission_over_the_whole_compound_enter_and_read(
    scene: Scene, kind: str
) -> None:
    actor = await residents.caller(scene, kind, permissions.BOOKS_WRITE)
    known = await add(scene.staff(permissions.BOOKS_WRITE), scene.compound_id)
    before = await counted(scene.compound_id)
    if kind == "staff":
        await add(actor, scene.compound_id)
        assert len(await listed(actor, scene.compound_id)) == 2
        return
    for attempt in (
        add(actor, scene.compound_id),
        expenses.remove_expense(actor, expense_id=known),
        expenses.correct_expense(actor, expense_id=known, amount_fen=1, note="多记", voucher=None),
        listed(actor, scene.compound_id),
    ):
        with pytest.raises((Forbidden, Unauthenticated)):
            await attempt
    assert await counted(scene.compound_id) == before
    assert await queries.by_id(actor, [known]) == {}


async def test_staff_of_one_building_neither_read_nor_enter(scene: Scene) -> None:
    narrow = residents.staff(
        permissions.BOOKS_WRITE, compound_id=scene.compound_id, building_id=scene.building_id
    )
    with pytest.raises(Forbidden):
        await add(narrow, scene.compound_id)
    with pytest.raises(Forbidden):
        await listed(narrow, scene.compound_id)


async def counted(compound_id: UUID) -> tuple[object, ...]:
    statement = """SELECT (SELECT count(*) FROM expense WHERE compound_id = $1 AND removed_at IS NULL),
        (SELECT count(*) FROM audit_entry WHERE compound_id = $1 AND outcome = 'done')"""
    row = await database.fetchrow(statement, compound_id)
    assert row is not None
    return tuple(row.values())


async def test_an_unknown_expense_is_not_found(clerk: Actor) -> None:
    with pytest.raises(NotFound):
        await expenses.remove_expense(clerk, expense_id=uuid4())


async def test_a_page_reads_the_index_and_costs_one_statement(scene: Scene, clerk: Actor) -> None:
    await database.execute(
        """INSERT INTO expense (id, compound_id, spent_on, category, amount_fen, note, entered_by, entered_at)
        SELECT make_uuid7(), $1, $2::date + n % 700, 'tax', 1 + n, '', $3, now() FROM generate_series(1, 20000) n""",
        scene.compound_id, SPENT_ON - timedelta(days=700), uuid4(),
    )  # fmt: skip
    await database.execute("ANALYZE expense")
    async with database.counted() as cost:
        assert len(await listed(clerk, scene.compound_id, limit=21)) == 21
    assert cost.count == 1
    rows = await database.fetch(
        "EXPLAIN " + queries.PAGE, scene.compound_id, None, None, None, None, None, 21
    )
    assert any("expense_month" in row[0] for row in rows), rows
