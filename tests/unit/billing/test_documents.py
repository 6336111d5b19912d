"""Papers are issued once: whose they are, what they say, and that their numbers have no gaps."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from datetime import date
from uuid import UUID, uuid4

import asyncpg
import pytest
from pypdf import PdfReader

from domains.billing import permissions
from domains.billing.documents import issuing
from domains.billing.documents.issuing import Document
from domains.billing.documents.verifying import verify_document
from domains.billing.models import Bill, DocumentIssue, DunningLetter, DunningSent, DunningStep
from domains.kernel import clock, database
from domains.kernel.actor import ANONYMOUS, Actor
from domains.kernel.errors import Conflict, DomainError, Invalid, NotFound
from domains.kernel.files import audience_of, links, storage
from payments.service import payables
from tests.factories import bills, ledger, residents
from tests.factories.books import on
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
JANUARY, TODAY = date(2026, 1, 1), date(2026, 3, 10)


@pytest.fixture
async def scene() -> Scene:
    made = await residents.scene()
    # The people were here before the bills.
    await database.execute(
        "UPDATE occupancy SET since_on = '2020-01-01' WHERE compound_id = $1", made.compound_id
    )
    return made


@pytest.fixture
async def owner(scene: Scene) -> Actor:
    return await residents.resident(scene.owner.account_id)


async def paid_bill(scene: Scene, fen: int = 123_005) -> tuple[UUID, UUID]:
    """A bill of two items, the first two thirds of it, and the journal that paid so much of it."""
    first, second = [
        await bills.item(scene.compound_id, "property", name=f"物业费{uuid4().hex[:12]}") for _ in range(2)
    ]
    with on(JANUARY):
        bill = await bills.bill(
            scene.house_id, {first: 100_000, second: 50_000}, month=JANUARY, due_on=date(2026, 1, 15)
        )
        return bill, await bills.pay(bill, fen, date(2026, 1, 20))


async def pdf(actor: Actor, made: Document) -> bytes:
    key = links().open(made.address.rsplit("/", 1)[1], clock.now(), audience_of(actor)).key
    return b"".join([chunk async for chunk in await storage().open(key)])


async def words(actor: Actor, made: Document) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(await pdf(actor, made))).pages)


async def test_a_receipt_says_what_was_paid_line_by_line(scene: Scene, owner: Actor) -> None:
    _, journal_id = await paid_bill(scene)
    made = await issuing.issue_receipt(owner, journal_id=journal_id)
    text = await words(owner, made)
    for said in (
        "收据",
        made.number,
        "1号楼1单元101",
        "张建国",
        "820.03",
        "410.02",
        "¥1,230.05",
        "壹仟贰佰叁拾元零伍分",
        made.path,
    ):
        assert said in text, said
    assert (made.kind, made.amount_fen) == ("receipt", 123_005)


async def test_the_same_receipt_is_the_same_number_and_file_whoever_asks(scene: Scene, owner: Actor) -> None:
    _, journal_id = await paid_bill(scene)
    first = await issuing.issue_receipt(owner, journal_id=journal_id)
    body = await pdf(owner, first)
    clerk = scene.staff(permissions.BILLS_READ)
    again = await issuing.issue_receipt(clerk, journal_id=journal_id)
    assert (again.id, again.number, await pdf(clerk, again)) == (first.id, first.number, body)
    row = await DocumentIssue.get(id=first.id)
    await storage().delete(row.file_key)
    assert await pdf(owner, await issuing.issue_receipt(owner, journal_id=journal_id)) == body


async def test_numbers_have_no_gaps_when_many_ask_at_once_and_some_fail(scene: Scene, owner: Actor) -> None:
    journals = []
    for fen in (1, 2, 3):
        with on(JANUARY):
            bill = await bills.bill(scene.house_id, 10_000, month=JANUARY)
            journals.append(await bills.pay(bill, fen, JANUARY))
    asked = [issuing._receipt(owner, journal_id=each) for each in (*journals, *journals, uuid4())]
    ended = await asyncio.gather(*asked, return_exceptions=True)
    assert len({each for each in ended if isinstance(each, UUID)}) == 3
    assert sum(isinstance(each, NotFound) for each in ended) == 1
    rows = [each.number for each in await DocumentIssue.filter(compound_id=scene.compound_id)]
    year = clock.today().year
    assert sorted(rows) == [f"SJ{year}{count:06}" for count in (1, 2, 3)]


async def test_there_is_no_receipt_of_a_payment_that_was_returned(scene: Scene, owner: Actor) -> None:
    _, journal_id = await paid_bill(scene)
    made = await issuing.issue_receipt(owner, journal_id=journal_id)
    assert not (await verify_document(ANONYMOUS, made.path.rsplit("/", 1)[1])).is_taken_back
    async with database.transaction():
        reversal = await payables.take_back(ledger.posting(scene.compound_id, "reversal"), journal_id)
    with pytest.raises(Conflict) as refused:
        await issuing.issue_receipt(owner, journal_id=journal_id)
    assert refused.value.code == "RECEIPT_TAKEN_BACK"
    with pytest.raises(NotFound):
        await issuing.issue_receipt(owner, journal_id=reversal)
    assert (await verify_document(ANONYMOUS, made.path.rsplit("/", 1)[1])).is_taken_back


async def test_a_statement_runs_from_what_was_open_to_what_is(scene: Scene, owner: Actor) -> None:
    bill, _ = await paid_bill(scene, 100_000)
    with on(date(2026, 2, 5)):
        await bills.pay(bill, 20_000, date(2026, 2, 5))
    made = await issuing.issue_statement(
        owner, house_id=scene.house_id, from_on=date(2026, 2, 1), until_on=TODAY
    )
    text = await words(owner, made)
    for said in (
        "对账单",
        "2026-02-01 至 2026-03-10",
        "期初欠费",
        "500.00",
        "200.00",
        "期末欠费：¥300.00",
        "叁佰元整",
    ):
        assert said in text, said
    assert "1,000.00" not in text
    again = await issuing.issue_statement(
        owner, house_id=scene.house_id, from_on=date(2026, 2, 1), until_on=TODAY
    )
    assert again.number == made.number
    longer = await issuing.issue_statement(owner, house_id=scene.house_id, from_on=JANUARY, until_on=TODAY)
    assert longer.number != made.number
    assert "1,000.00" in await words(owner, longer)


async def test_a_bill_on_paper_says_what_is_left_with_its_late_fee(scene: Scene, owner: Actor) -> None:
    bill, _ = await paid_bill(scene, 50_000)
    rule = await bills.late_fee_rule(scene.compound_id)
    await Bill.filter(id=bill).update(late_fee_rule_id=rule)
    with on(date(2026, 1, 25)):
        made = await issuing.issue_bill(owner, bill_id=bill)
        text = await words(owner, made)
    # Five days at 1,500.00 and five at 1,000.00, a tenth of a percent a day.
    for said in (
        "缴费通知单",
        "1,000.00",
        "-500.00",
        "滞纳金（计至 2026-01-25）",
        "12.50",
        "应缴合计：¥1,012.50",
    ):
        assert said in text, said


async def test_a_void_bill_is_not_printed(scene: Scene, owner: Actor) -> None:
    bill, _ = await paid_bill(scene)
    await Bill.filter(id=bill).update(state="void")
    with pytest.raises(Conflict) as refused:
        await issuing.issue_bill(owner, bill_id=bill)
    assert refused.value.code == "BILL_VOID"


async def letter(scene: Scene) -> UUID:
    bill, _ = await paid_bill(scene, 50_000)
    step = await DunningStep.create(compound_id=scene.compound_id, days=30, form="letter")
    made = await DunningLetter.create(
        compound_id=scene.compound_id,
        house_id=scene.house_id,
        number="CJ2026000009",
        made_on=TODAY,
        owed_fen=101_250,
    )
    await DunningSent.create(
        bill_id=bill, step_id=step.id, letter_id=made.id, sent_on=TODAY, principal_fen=100_000
    )
    return made.id


async def test_a_letter_says_what_was_owed_on_its_day(scene: Scene) -> None:
    clerk = scene.staff(permissions.BILLS_READ)
    made = await issuing.issue_letter(clerk, letter_id=await letter(scene))
    text = await words(clerk, made)
    for said in (
        "催缴函",
        "CJ2026000009",
        "尊敬的张建国",
        "1,000.00",
        "12.50",
        "欠费合计：¥1,012.50",
        "2026-03-10",
    ):
        assert said in text, said
    assert made.number == "CJ2026000009"


Attempt = Callable[[Actor], Awaitable[Document]]


@pytest.mark.parametrize("kind", residents.CALLERS)
async def test_whoever_may_see_a_bill_has_it_on_paper_and_nobody_else(scene: Scene, kind: str) -> None:
    actor = await residents.caller(scene, kind, permissions.BILLS_READ)
    bill, journal_id = await paid_bill(scene)
    letter_id = await letter_of(scene, bill)
    attempts: list[Attempt] = [
        lambda actor: issuing.issue_receipt(actor, journal_id=journal_id),
        lambda actor: issuing.issue_bill(actor, bill_id=bill),
        lambda actor: issuing.issue_letter(actor, letter_id=letter_id),
    ]
    if kind != "tenant":
        # A tenant has a statement too: of what tenants pay.
        attempts.append(
            lambda actor: issuing.issue_statement(
                actor, house_id=scene.house_id, from_on=JANUARY, until_on=TODAY
            )
        )
    for attempt in attempts:
        if kind in ("owner", "family", "staff"):
            assert (await attempt(actor)).address
            continue
        with pytest.raises(DomainError):
            await attempt(actor)
    issued = await DocumentIssue.filter(compound_id=scene.compound_id).count()
    assert issued == (4 if kind in ("owner", "family", "staff") else 0)


async def letter_of(scene: Scene, bill: UUID) -> UUID:
    step = await DunningStep.create(compound_id=scene.compound_id, days=30, form="letter")
    made = await DunningLetter.create(
        compound_id=scene.compound_id, house_id=scene.house_id, number="CJ1", made_on=TODAY, owed_fen=26_995
    )
    await DunningSent.create(
        bill_id=bill, step_id=step.id, letter_id=made.id, sent_on=TODAY, principal_fen=26_995
    )
    return made.id


async def test_a_tenants_statement_has_nothing_of_the_owners_bills(scene: Scene) -> None:
    await paid_bill(scene)
    with on(JANUARY):
        await bills.bill(scene.house_id, 4_200, month=JANUARY, payer="tenant")
    tenant = await residents.resident(scene.tenant.account_id)
    made = await issuing.issue_statement(tenant, house_id=scene.house_id, from_on=JANUARY, until_on=TODAY)
    assert made.amount_fen == 4_200
    assert "1,500.00" not in await words(tenant, made)


@pytest.mark.parametrize(
    ("since", "until", "code"),
    [(TODAY, JANUARY, "PERIOD_REVERSED"), (date(2020, 1, 1), TODAY, "STATEMENT_TOO_LONG")],
)
async def test_a_span_is_in_order_and_bounded(
    scene: Scene, owner: Actor, since: date, until: date, code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await issuing.issue_statement(owner, house_id=scene.house_id, from_on=since, until_on=until)
    assert refused.value.code == code


async def test_a_paper_is_verified_by_its_code_and_tells_of_nobody(scene: Scene, owner: Actor) -> None:
    _, journal_id = await paid_bill(scene)
    made = await issuing.issue_receipt(owner, journal_id=journal_id)
    shown = await verify_document(ANONYMOUS, made.path.rsplit("/", 1)[1])
    assert (shown.kind, shown.number, shown.amount_fen, shown.issued_on) == (
        "receipt", made.number, 123_005, made.issued_on)  # fmt: skip
    assert "张建国" not in str(shown)
    for code in ("", "A" * 26, "a" * 26, "A" * 5000, "'; --", made.path):
        with pytest.raises(NotFound):
            await verify_document(ANONYMOUS, code)


async def test_what_was_issued_is_kept_by_the_database(scene: Scene, owner: Actor) -> None:
    _, journal_id = await paid_bill(scene)
    made = await issuing.issue_receipt(owner, journal_id=journal_id)
    with pytest.raises(asyncpg.PostgresError):
        await database.execute("UPDATE document_issue SET amount_fen = 1 WHERE id = $1", made.id)
