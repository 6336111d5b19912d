"""Arrears, reminders, books and papers in the journey."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.journeys.client import Client
from tests.journeys.metering import PNG
from tests.journeys.office import Office, mutate, refused
from tests.journeys.steps import Steps

ARREARS = """
query Arrears($compound: ID!) {
  arrears(compound: $compound, filter: { ageAtLeast: 10 }, first: 50) { totalCount nodes { houseNumber principalFen
    lateFeeFen totalFen ageDays house promise { promisedOn state } remindedOn people { capacity name } } }
  arrearsSummary(compound: $compound) { buildingName houses principalFen }
  dunningSteps(compound: $compound) { days form } }
"""
LETTERS = """
query Letters($id: ID!) { dunningLetters(compound: $id, isPrinted: false, first: 100) {
  nodes { id houseNumber number owedFen isOwed } } }
"""
PROMISES = (
    "query Promises($id: ID!) { promises(compound: $id, state: OPEN) { nodes { id houseNumber amountFen } } }"
)
BOOKS = """
query Books($compound: ID!, $month: Date!) { books(compound: $compound, month: $month) { billedFen collectedFen
  monthRate spentFen incomes { name billedFen collectedFen } expenses { category amountFen note voucher { address } } } }
"""
OPEN = """
query Open($compound: ID!) { openBooks(compound: $compound) { month revision sha256 note
  books { billedFen collectedFen spentFen spentOn { category amountFen } } }
  publishedMonths(compound: $compound) { month revision } }
"""
EXPENSES = "query Spent($id: ID!) { expenses(compound: $id) { nodes { id amountFen isPublished voucher { address } } } }"
PAYMENTS = "query Paid { viewer { bills(states: [PAID]) { nodes { id payments { payment } } } } }"
VERIFY = "query Verify($code: String!) { verifyDocument(code: $code) { kind number amountFen isTakenBack compoundName } }"
DOCUMENT = "document { kind number amountFen path address }"


def play(steps: Steps, office: Office) -> None:
    """The steps in order; each asserts what it claims."""
    _reminding(steps, office)
    _promising(steps, office)
    _publishing(steps, office)
    _papers(steps, office)


def _arrears(office: Office) -> dict[str, Any]:
    found = office.clerk.ask(ARREARS, compound=office.compound)
    return {each["houseNumber"]: each for each in found["arrears"]["nodes"]}


def _reminding(steps: Steps, office: Office) -> None:
    clerk, manager = office.clerk, office.manager
    with steps.step("又一期账单,逾期成为欠费 another run; what is not paid is in arrears"):
        office.bill_run("垃圾费")
        owing = _arrears(office)["1号楼1单元101"]
        assert (owing["principalFen"], owing["ageDays"]) == (5000, 30), owing
        assert owing["totalFen"] == owing["principalFen"] + owing["lateFeeFen"] > 5000, owing
    with steps.step("按步骤催缴:收件箱提醒,同一天不重复 the step's reminder is in the inbox, once a day"):
        given = [{"days": 3, "form": "MESSAGE"}, {"days": 20, "form": "LETTER"}]
        mutate(clerk, "setDunningSteps", compound=office.compound, steps=given)
        office.work("billing.remind")
        told = office.told(office.owner, "bill.overdue")
        assert "1" in told["title"] and "1号楼1单元101" in told["title"], told
        assert refused(clerk, "remindNow", house=office.house) == ["REMINDED_TODAY"]
        assert _arrears(office)["1号楼1单元101"]["remindedOn"] == str(office.today)
    with steps.step("催缴函与欠费表 letters are printed, the list is taken along"):
        letters = clerk.ask(LETTERS, id=office.compound)["dunningLetters"]["nodes"]
        letter = letters[0]
        assert letter["isOwed"] and letter["owedFen"] > 5000, letter
        printed = mutate(
            clerk, "printDunningLetter", f"letter {{ printedAt }} {DOCUMENT}", letter=letter["id"]
        )
        assert printed["letter"]["printedAt"] and _pdf(office, clerk, printed["document"])
        listed = mutate(
            manager, "exportArrears", "file { address rows }", compound=office.compound, format="CSV"
        )
        assert "1号楼1单元101" in office.download(manager, listed["file"]["address"]).decode("utf-8-sig")


def _promising(steps: Steps, office: Office) -> None:
    clerk = office.clerk
    with steps.step("缴费承诺记下、撤回 a promise is noted, and taken back"):
        by = {
            "house": office.house,
            "promisedOn": str(office.today + timedelta(days=5)),
            "note": "发工资后缴",
        }
        mutate(clerk, "recordPromise", "promise { id state }", **by)
        assert refused(clerk, "recordPromise", **by) == ["PROMISE_OPEN"]
        assert _arrears(office)["1号楼1单元101"]["promise"]["state"] == "OPEN"
        (promise,) = clerk.ask(PROMISES, id=office.compound)["promises"]["nodes"]
        mutate(clerk, "withdrawPromise", promise=promise["id"])
        assert _arrears(office)["1号楼1单元101"]["promise"] is None


def _publishing(steps: Steps, office: Office) -> None:
    clerk, manager, month = office.clerk, office.manager, office.issued_on.replace(day=1)
    with steps.step("登记支出,附凭证 expenses with a voucher"):
        first = _spend(office, "LIFT", 88_000, "电梯维保费")
        wrong = _spend(office, "OTHER", 100, "记错了")
        mutate(clerk, "removeExpense", expense=wrong)
        (row,) = clerk.ask(EXPENSES, id=office.compound)["expenses"]["nodes"]
        assert office.download(clerk, row["voucher"]["address"]) == PNG
    with steps.step("公示上月账目,业主读到 the month is published, and residents read it"):
        books = clerk.ask(BOOKS, compound=office.compound, month=str(month))["books"]
        assert books["spentFen"] == 88_000 and books["billedFen"] > 0, books
        assert office.owner.answer(OPEN, compound=office.compound).get("errors")
        assert refused(manager, "publishAccounts", compound=office.compound, month=str(office.month)) == [
            "MONTH_NOT_OVER"
        ]
        mutate(
            manager,
            "publishAccounts",
            "accounts { revision }",
            compound=office.compound,
            month=str(month),
            note="如有疑问请到服务中心",
        )
        assert office.told(office.owner, "accounts.published")
        seen = office.owner.ask(OPEN, compound=office.compound)["openBooks"]
        assert seen["books"]["billedFen"] == books["billedFen"] and len(seen["sha256"]) == 64, seen
    with steps.step("公示后的支出只能更正,再公示为新版 what is published is corrected, and published anew"):
        assert refused(clerk, "removeExpense", expense=first) == ["EXPENSE_PUBLISHED"]
        mutate(
            clerk,
            "correctExpense",
            "expense { amountFen corrects }",
            expense=first,
            amountFen=8_000,
            note="多记",
        )
        anew = refused(manager, "publishAccounts", compound=office.compound, month=str(month))
        assert anew == ["PUBLICATION_UNCHANGED"], anew


def _spend(office: Office, category: str, fen: int, note: str) -> str:
    query = "mutation Add($input: AddExpenseInput!) { addExpense(input: $input) { expense { id } errors { code message } } }"
    given: dict[str, object] = {
        "compound": office.compound, "spentOn": str(office.issued_on), "category": category, "amountFen": fen,
        "note": note, "voucher": None,
    }  # fmt: skip
    done = office.clerk.upload(query, {"input": given}, "variables.input.voucher", "凭证.png", PNG)[
        "addExpense"
    ]
    assert done["errors"] == [], done
    return str(done["expense"]["id"])


def _papers(steps: Steps, office: Office) -> None:
    owner = office.owner
    with steps.step("收据、账单、对账单 PDF,二维码可验真伪 papers as PDF, and anybody checks them"):
        (paid,) = owner.ask(PAYMENTS)["viewer"]["bills"]["nodes"]
        receipt = mutate(owner, "issueReceipt", DOCUMENT, payment=paid["payments"][0]["payment"])["document"]
        _pdf(office, owner, receipt)
        code = receipt["path"].rpartition("/")[2]
        shown = owner.ask(VERIFY, code=code)["verifyDocument"]
        assert (shown["number"], shown["amountFen"]) == (receipt["number"], receipt["amountFen"]), shown
        page = office.download(Client(owner.url), receipt["path"]).decode()
        assert receipt["number"] in page
        _pdf(office, owner, mutate(owner, "issueBillDocument", DOCUMENT, bill=paid["id"])["document"])
        span = {"from": str(office.last_month), "until": str(office.today)}
        _pdf(
            office,
            office.clerk,
            mutate(office.clerk, "issueStatement", DOCUMENT, house=office.house, **span)["document"],
        )


def _pdf(office: Office, client: Client, document: Any) -> bytes:
    data = office.download(client, document["address"])
    assert data.startswith(b"%PDF"), data[:40]
    return data
