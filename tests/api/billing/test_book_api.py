"""Accounts, expenses and papers over the API, and the page that a paper's code leads to."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from datetime import date
from uuid import UUID

import httpx
import orjson
import pytest
from pypdf import PdfReader

from api.app import build_app
from api.settings import Settings
from domains.estate.models import Compound
from schema.relay import encode
from tests.api.identity.clients import Api, codes
from tests.factories import bills, identity, residents
from tests.factories.books import on
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")
JANUARY = date(2026, 1, 1)

BOOKS = """month openBeforeFen openAfterFen billedFen collectedFen incomeFen waivedFen carriedInFen monthRate wholeRate
    incomes { feeItem name billedFen collectedFen } deposits { billedFen collectedFen } lateFees { billedFen collectedFen }
    expenses { spentOn category amountFen note voucher { contentType address } } spentOn { category amountFen }
    spentFen balanceBeforeFen balanceAfterFen months { month billedFen collectedFen spentFen }"""
PREVIEW = f"query($c: ID!, $m: Date!) {{ books(compound: $c, month: $m) {{ {BOOKS} }} }}"
OPEN = f"""query($c: ID!, $m: Date) {{
    openBooks(compound: $c, month: $m) {{ month revision note sha256 books {{ {BOOKS} }} }}
    publishedMonths(compound: $c) {{ month revision }} }}"""
OWN = """query($c: ID, $m: Date) { viewer { books(compound: $c, month: $m) { compound months { month }
    accounts { month books { collectedFen } } } } }"""
PUBLISH = """mutation($i: PublishAccountsInput!) { publishAccounts(input: $i) {
    accounts { revision books { balanceAfterFen } } errors { code field } } }"""
ADD = """mutation($i: AddExpenseInput!) { addExpense(input: $i) {
    expense { id amountFen category isPublished voucher { contentType } } errors { code field } } }"""
RECEIPT = """mutation($i: IssueReceiptInput!) { issueReceipt(input: $i) {
    document { kind number amountFen issuedOn path address } errors { code } } }"""
PAYMENTS = "query($id: ID!) { node(id: $id) { ... on Bill { payments { payment principalFen } } } }"
VERIFY = "query($c: String!) { verifyDocument(code: $c) { kind number amountFen isTakenBack compoundName } }"


@pytest.fixture
async def http(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(build_app(settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://linli") as client:
        yield client


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def paid(scene: Scene) -> UUID:
    with on(JANUARY):
        bill = await bills.bill(
            scene.house_id, 30_000, month=JANUARY, due_on=JANUARY, covers_until=date(2099, 1, 1)
        )
        await bills.pay(bill, 10_005, JANUARY)
    return bill


async def clerk(scene: Scene, *permissions: str) -> str:
    compound = await Compound.get(pk=scene.compound_id).select_related("company")
    return await identity.token(await identity.staff(compound.company.name, permissions))


async def test_accounts_are_entered_previewed_published_and_read_by_residents(api: Api, scene: Scene) -> None:
    await paid(scene)
    token, owner = (
        await clerk(scene, "books.write", "books.publish"),
        await identity.token(scene.owner.account_id),
    )
    compound = encode("Compound", scene.compound_id)
    spent = {
        "compound": compound,
        "spentOn": "2026-01-09",
        "category": "LIFT",
        "amountFen": 4_000,
        "note": "电梯年检",
    }
    added = (await api.ask(ADD, {"i": spent}, token))["data"]["addExpense"]
    assert (added["errors"], added["expense"]["category"]) == ([], "LIFT")
    preview = (await api.ask(PREVIEW, {"c": compound, "m": "2026-01-31"}, token))["data"]["books"]
    assert (preview["openAfterFen"], preview["monthRate"], preview["balanceAfterFen"]) == (
        19_995,
        3335,
        6_005,
    )
    assert preview["spentOn"] == [{"category": "LIFT", "amountFen": 4_000}]
    assert "ACCOUNTS_NOT_PUBLISHED" in codes(await api.ask(OPEN, {"c": compound}, owner))
    made = (await api.ask(PUBLISH, {"i": {"compound": compound, "month": "2026-01-01"}}, token))["data"][
        "publishAccounts"
    ]
    assert made["accounts"] == {"revision": 1, "books": {"balanceAfterFen": 6_005}}
    shown = (await api.ask(OPEN, {"c": compound}, owner))["data"]
    assert shown["openBooks"]["books"] == preview
    assert shown["publishedMonths"] == [{"month": "2026-01-01", "revision": 1}]
    mine = (await api.ask(OWN, {"c": None, "m": None}, owner))["data"]["viewer"]["books"]
    assert (mine["compound"], mine["months"]) == (compound, [{"month": "2026-01-01"}])
    assert mine["accounts"] == {"month": "2026-01-01", "books": {"collectedFen": preview["collectedFen"]}}
    before = (await api.ask(OWN, {"c": compound, "m": "2025-12-01"}, owner))["data"]["viewer"]["books"]
    assert before["accounts"] is None
    again = await api.ask(PUBLISH, {"i": {"compound": compound, "month": "2026-01-01"}}, token)
    assert again["data"]["publishAccounts"]["errors"] == [
        {"code": "PUBLICATION_UNCHANGED", "field": ["month"]}
    ]


async def test_the_accounts_of_ones_own_compound_and_of_no_other(api: Api, scene: Scene) -> None:
    other = encode("Compound", scene.other_compound_id)
    for who in ("owner", "family", "tenant", "neighbour"):
        token = await identity.token(getattr(scene, who).account_id)
        mine = (await api.ask(OWN, {}, token))["data"]["viewer"]["books"]
        assert mine == {"compound": encode("Compound", scene.compound_id), "months": [], "accounts": None}
        assert "FORBIDDEN" in codes(await api.ask(OWN, {"c": other}, token))
    houseless = await identity.token(await identity.resident())
    assert (await api.ask(OWN, {}, houseless))["data"]["viewer"]["books"] is None
    assert "FORBIDDEN" in codes(await api.ask(OWN, {"c": other}, houseless))
    assert "FORBIDDEN" in codes(await api.ask(OWN, {}, await clerk(scene, "books.write", "books.publish")))


async def test_a_voucher_is_uploaded_and_opens_for_residents_once_published(
    api: Api, http: httpx.AsyncClient, scene: Scene
) -> None:
    token, owner = (
        await clerk(scene, "books.write", "books.publish"),
        await identity.token(scene.owner.account_id),
    )
    compound = encode("Compound", scene.compound_id)
    spent = {"compound": compound, "spentOn": "2026-01-09", "category": "LIFT", "amountFen": 4_000, "note": "年检",
             "voucher": None}  # fmt: skip
    body = b"%PDF-1.7\n" + b"x" * 100
    form = {
        "operations": orjson.dumps({"query": ADD, "variables": {"i": spent}}).decode(),
        "map": '{"0": ["variables.i.voucher"]}',
    }
    sent = await http.post(
        "/graphql", data=form, files={"0": ("v.pdf", body, "application/pdf")},
        headers={"authorization": f"Bearer {token}", "x-requested-with": "test", "accept": "application/json"},
    )  # fmt: skip
    assert sent.json()["data"]["addExpense"]["expense"]["voucher"] == {"contentType": "application/pdf"}
    await api.ask(PUBLISH, {"i": {"compound": compound, "month": "2026-01-01"}}, token)
    shown = (await api.ask(OPEN, {"c": compound}, owner))["data"]["openBooks"]["books"]["expenses"]
    (address,) = [each["voucher"]["address"] for each in shown]
    assert (await http.get(address, headers={"authorization": f"Bearer {owner}"})).content == body
    other = await identity.token(scene.family.account_id)
    assert (await http.get(address, headers={"authorization": f"Bearer {other}"})).status_code in (
        400,
        403,
        404,
    )


async def test_a_receipt_is_had_fetched_and_checked_by_anybody(
    api: Api, http: httpx.AsyncClient, scene: Scene
) -> None:
    bill, owner = await paid(scene), await identity.token(scene.owner.account_id)
    found = (await api.ask(PAYMENTS, {"id": encode("Bill", bill)}, owner))["data"]["node"]["payments"]
    (payment,) = found
    made = (await api.ask(RECEIPT, {"i": {"payment": payment["payment"]}}, owner))["data"]["issueReceipt"][
        "document"
    ]
    assert (made["kind"], made["amountFen"]) == ("RECEIPT", 10_005)
    fetched = await http.get(made["address"], headers={"authorization": f"Bearer {owner}"})
    assert fetched.headers["content-type"] == "application/pdf"
    assert made["number"] in PdfReader(io.BytesIO(fetched.content)).pages[0].extract_text()
    neighbour = await identity.token(scene.neighbour.account_id)
    refused = await api.ask(RECEIPT, {"i": {"payment": payment["payment"]}}, neighbour)
    assert refused["data"]["issueReceipt"]["errors"] == [{"code": "PAYMENT_NOT_FOUND"}]
    shown = (await api.ask(VERIFY, {"c": made["path"].rsplit("/", 1)[1]}))["data"]["verifyDocument"]
    assert (shown["number"], shown["amountFen"], shown["isTakenBack"]) == (made["number"], 10_005, False)
    page = await http.get(made["path"], headers={"accept": "text/html"})
    assert page.status_code == 200
    assert "noindex" in page.headers["x-robots-tag"]
    for words in (made["number"], "¥100.05", made["issuedOn"], "这份单据是真的", "收据"):
        assert words in page.text, words
    assert "张建国" not in page.text


@pytest.mark.parametrize("code", ["A" * 26, "x", "A" * 3000])
async def test_a_code_of_no_paper_leads_to_a_page_that_says_so(http: httpx.AsyncClient, code: str) -> None:
    page = await http.get(f"/documents/{code}", headers={"accept": "text/html"})
    assert page.status_code == 404
    assert "没有这份单据" in page.text


async def test_strangers_and_staff_elsewhere_read_no_accounts(api: Api, scene: Scene) -> None:
    compound, month = encode("Compound", scene.compound_id), "2026-01-01"
    stranger = await identity.token(await identity.resident())
    elsewhere = await identity.token(
        await identity.staff(await identity.places(), ("books.write", "books.publish"))
    )
    for token in (stranger, elsewhere):
        assert codes(await api.ask(OPEN, {"c": compound}, token))[0] == "FORBIDDEN"
        assert codes(await api.ask(PREVIEW, {"c": compound, "m": month}, token)) == ["FORBIDDEN"]
    assert codes(await api.ask(OPEN, {"c": compound}))[0] == "UNAUTHENTICATED"
