"""Fees, meters and bills: items are set, meters read, a run is posted, the bill is read, corrected and paid."""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.journeys import metering, owing, paying
from tests.journeys.applicant import eventually
from tests.journeys.client import Client
from tests.journeys.first_day import PASSWORD
from tests.journeys.instance import Instance
from tests.journeys.office import Office, attempt, key, mutate, open_office, refused
from tests.journeys.steps import Steps

PRICE_FEN = Decimal("198.5")

PREVIEW = """
query Preview($compound: ID!, $month: Date!, $items: [ID!]) {
  previewBillingRun(compound: $compound, month: $month, feeItems: $items) {
    houses totalFen lines items { name lines fen previousFen differenceFen } problems { code count }
    samples { houseNumber feeItemName code } } }
"""
MY_BILLS = """
query Mine { viewer { bills(first: 50) { nodes { id number state isOverdue issuedFen outstandingFen lateFeeFen
  principalOutstandingFen lateFeeExplanation dueOn paidAt
  lines { id feeItemName amountFen explanation } payments { payment principalFen lateFeeFen means }
  corrections { kind effectFen reason } } } } }
"""
BILL = (
    "query Bill($id: ID!) { bill(id: $id) { number state lines { id feeItemName amountFen explanation } } }"
)
BILLS = "query Bills($compound: ID!) { bills(compound: $compound, overdue: true) { totalCount nodes { number } } }"
ACCOUNT = """
query Account($house: ID!) { viewer { account(house: $house) { prepaidFen depositFen
  prepayments { purpose balanceFen } movements { nodes { account amountFen what } } } } }
"""
HOUSE_ACCOUNT = "query Account($house: ID!) { houseAccount(house: $house) { prepaidFen } }"
CORRECTIONS = """
query Waiting($compound: ID!) { corrections(compound: $compound, states: [REQUESTED]) {
  nodes { id kind amountFen isMine bill { id } } } }
"""
CORRECTION = "correction { id state effectFen }"
ITEMS = """
query Items($id: ID!) { feeItems(compound: $id, active: true) { id name
  currentPrice { fromOn priceFen tiers { above } } } }
"""
RULES = "query Rules($id: ID!) { billingRules(compound: $id) { dueDays lateFeeRules { dailyRate } } }"
FORMULA = 'query Try($house: ID!) { formulaPrice(formula: "area × 2 + 100", house: $house) }'
POOLED = "query Pooled($item: ID!) { pooledCosts(feeItem: $item) { nodes { pooledCost totalFen } } }"
ONE_OFFS = (
    "query Charges($id: ID!) { oneOffCharges(compound: $id) { nodes { charge isBilled cancelledAt } } }"
)
AGREED = """
query Agreed($house: ID!) { feeAgreements(house: $house) { agreement percent }
  liabilities(house: $house) { liability payer followsOccupancy } }
"""
VACANT = "query Vacant($id: ID!) { vacancies(compound: $id, state: REQUESTED) { nodes { id houseNumber } } }"
MY_VACANCIES = "query Mine { viewer { vacancies { state reason } } }"
RUNS = "query Runs($id: ID!) { billingRuns(compound: $id) { nodes { state } } }"


def play(instance: Instance, steps: Steps) -> None:
    """The steps in order; each asserts what it claims."""
    manager = Client(instance.url)
    manager.sign_in_staff("manager", PASSWORD)
    with steps.step("经理聘用会计 the manager hires a clerk, who prepares and does not approve"):
        office = open_office(instance, manager)
    _setting_fees(steps, office)
    metering.play(steps, office)
    _who_pays(steps, office)
    _running(steps, office)
    _correcting(steps, office)
    _paying(steps, office)
    owing.play(steps, office)
    paying.play(steps, office)


def _setting_fees(steps: Steps, office: Office) -> None:
    clerk, compound = office.clerk, office.compound
    monthly = {"cycleMonths": 1, "anchorOn": str(office.last_month)}
    with steps.step("会计设置收费项目和标准 fee items with their prices"):
        office.item("物业费", category="PROPERTY", method="BUILT_AREA", timing="ADVANCE", **monthly)
        office.item(
            "水费", category="WATER", method="METERED", meterKind="WATER", timing="ARREARS", **monthly
        )
        office.item(
            "公摊电费", category="SHARED", method="POOLED", pooledBy="BUILT_AREA", timing="ARREARS", **monthly
        )
        office.item("垃圾费", category="WASTE", method="FIXED", timing="ADVANCE", **monthly)
        office.item("装修押金", category="DEPOSIT", method="ONE_OFF", bearsLateFee=False)
        office.item("临时费", category="OTHER", method="FIXED", timing="ADVANCE", **monthly)
        start = str(office.last_month)
        _price(office, "物业费", fromOn=start, priceFen=str(PRICE_FEN))
        tiers = [{"above": "0", "priceFen": "290"}, {"above": "15", "priceFen": "385"}]
        _price(office, "水费", fromOn=start, tiers=tiers)
        _price(office, "垃圾费", fromOn=start, priceFen="5000")
        mutate(clerk, "setAdvanceDiscount", feeItem=office.items["物业费"], months=3, percent="2")
        mutate(clerk, "endFeeItem", feeItem=office.items["临时费"], endsOn=str(office.month))
        found = {each["name"]: each["currentPrice"] for each in clerk.ask(ITEMS, id=compound)["feeItems"]}
        assert Decimal(found["物业费"]["priceFen"]) == PRICE_FEN and "临时费" not in found, found
    with steps.step("缴费期限与滞纳金规则 days until due, and the late fee"):
        mutate(clerk, "setBillingRules", compound=compound, dueDays=10, deductsAutomatically=True)
        mutate(
            clerk, "setLateFeeRule", compound=compound, fromOn=str(office.today - timedelta(days=60)),
            dailyRate="0.0005", capPercent="100",
        )  # fmt: skip
        rules = clerk.ask(RULES, id=compound)["billingRules"]
        assert rules["dueDays"] == 10 and len(rules["lateFeeRules"]) == 1, rules
    with steps.step("错误的公式、越权的收费项目被拒绝 a stranger's item and a wrong price are refused"):
        assert refused(clerk, "setFeePrice", feeItem=office.items["物业费"], fromOn=start, priceFen="-1")
        assert office.owner.codes(ITEMS, id=compound) == ["FORBIDDEN"]
        assert Decimal(clerk.ask(FORMULA, house=office.house)["formulaPrice"]) > 100


def _price(office: Office, name: str, **price: object) -> None:
    mutate(office.clerk, "setFeePrice", feeItem=office.items[name], **price)


def _who_pays(steps: Steps, office: Office) -> None:
    clerk, other = office.clerk, office.id_of("102")
    with steps.step("公摊费用、一次性收费 a cost is shared out, a deposit is charged"):
        given = {"feeItem": office.items["公摊电费"], "periodFrom": str(office.last_month)}
        mutate(clerk, "recordPooledCost", "pooledCost { pooledCost }", totalFen=99_999, **given)
        (cost,) = clerk.ask(POOLED, item=office.items["公摊电费"])["pooledCosts"]["nodes"]
        mutate(clerk, "removePooledCost", pooledCost=cost["pooledCost"])
        mutate(clerk, "recordPooledCost", totalFen=123_456, **given)
    with steps.step("个别约定与缴费责任 agreements, and who pays"):
        mutate(
            clerk, "setFeeAgreement", house=other, feeItem=office.items["物业费"], fromOn=str(office.last_month),
            percent="90", note="顶楼漏水补偿",
        )  # fmt: skip
        mutate(
            clerk,
            "setFeeAgreement",
            house=other,
            feeItem=office.items["垃圾费"],
            fromOn=str(office.month),
            percent="0",
        )
        mutate(
            clerk,
            "setLiability",
            house=other,
            payer="OWNER",
            fromOn=str(office.month),
            feeItem=office.items["垃圾费"],
        )
        said = clerk.ask(AGREED, house=other)
        waste = next(each for each in said["feeAgreements"] if Decimal(each["percent"]) == 0)
        mutate(clerk, "endFeeAgreement", agreement=waste["agreement"], untilOn=str(office.month))
        own = next(each for each in said["liabilities"] if not each["followsOccupancy"])
        mutate(clerk, "endLiability", liability=own["liability"], untilOn=str(office.month))
        assert len(clerk.ask(AGREED, house=other)["feeAgreements"]) == 1
    _vacating(steps, office)


def _vacating(steps: Steps, office: Office) -> None:
    clerk, begins = office.clerk, office.today + timedelta(days=30)
    with steps.step("业主申报空置,前台驳回并写明原因 an owner says the house is empty; staff say why not"):
        span = {"fromOn": str(begins), "untilOn": str(begins + timedelta(days=60))}
        mutate(office.owner, "requestVacancy", house=office.house, **span, note="外派半年")
        (waiting,) = clerk.ask(VACANT, id=office.compound)["vacancies"]["nodes"]
        assert refused(clerk, "decideVacancy", vacancy=waiting["id"], approve=False) == ["REASON_REQUIRED"]
        mutate(clerk, "decideVacancy", vacancy=waiting["id"], approve=False, reason="水表仍有用量")
        (mine,) = office.owner.ask(MY_VACANCIES)["viewer"]["vacancies"]
        assert mine == {"state": "REJECTED", "reason": "水表仍有用量"}
        assert "水表仍有用量" in office.told(office.owner, "vacancy.rejected")["body"]
        made = mutate(
            clerk,
            "recordVacancy",
            "vacancy { id state }",
            house=office.id_of("102"),
            **span,
        )["vacancy"]
        assert made["state"] == "APPROVED"
        mutate(clerk, "endVacancy", vacancy=made["id"], untilOn=str(begins + timedelta(days=10)))


def _running(steps: Steps, office: Office) -> None:
    clerk, items = office.clerk, ("物业费", "水费", "公摊电费")
    ids = [office.items[each] for each in items]
    with steps.step(
        "预览:总额、项目、异常,什么都没写 a preview with totals and problems, and nothing is written"
    ):
        seen = clerk.ask(PREVIEW, compound=office.compound, month=str(office.month), items=ids)[
            "previewBillingRun"
        ]
        fen = {each["name"]: each["fen"] for each in seen["items"]}
        assert fen["公摊电费"] == 123_456 and sum(fen.values()) == seen["totalFen"], seen
        assert {(each["code"], each["count"]) for each in seen["problems"]} == {("READING_HELD", 1)}, seen
        assert clerk.ask(RUNS, id=office.compound)["billingRuns"]["nodes"] == []
    with steps.step(
        "会计发起,不能自己审批,经理审批前数据变了要重来 one begins, another approves what was seen"
    ):
        draft = office.draft(*items)
        assert draft["state"] == "DRAFT" and draft["expectedFen"] == seen["totalFen"], draft
        given = {"run": draft["id"], "expectedFen": draft["expectedFen"]}
        assert clerk.codes(
            "mutation A($input: ApproveBillingRunInput!) { approveBillingRun(input: $input) { errors { code } } }",
            input=given,
        ) == ["FORBIDDEN"]
        changed = given | {"expectedFen": draft["expectedFen"] + 1}
        assert refused(office.manager, "approveBillingRun", **changed) == ["PREVIEW_CHANGED"]
        mutate(clerk, "cancelBillingRun", run=draft["id"])
    with steps.step("出账完成,与预览分毫不差 posted, to the fen as previewed"):
        posted = office.bill_run(*items)
        assert (posted["postedFen"], posted["progress"]) == (seen["totalFen"], 1), posted
        assert posted["lineCount"] == seen["lines"] and posted["exceptionCount"] == 1, posted
        assert [each["code"] for each in posted["exceptions"]["nodes"]] == ["READING_HELD"]
    with steps.step("再出一次,什么也不多 the same again bills nothing more"):
        assert office.draft(*items)["expectedFen"] == 0
    _reading_the_bill(steps, office)


def _reading_the_bill(steps: Steps, office: Office) -> None:
    with steps.step(
        "业主在收件箱得知,读到每一行怎么算的 the owner is told, and reads how each line came about"
    ):
        assert office.told(office.owner, "bill.issued")
        (bill,) = _bills(office)
        lines = {each["feeItemName"]: each for each in bill["lines"]}
        area = Decimal(office.houses["1号楼1单元101"]["builtAreaM2"])
        due = int((area * PRICE_FEN).quantize(Decimal(1), ROUND_HALF_UP))
        assert lines["物业费"]["amountFen"] == due, (lines, area)
        assert lines["水费"]["amountFen"] == 15 * 290 + 3 * 385, lines
        assert all(each["explanation"] for each in bill["lines"]), bill
        assert "1.985" in lines["物业费"]["explanation"], lines
        assert sum(each["amountFen"] for each in bill["lines"]) == bill["issuedFen"]
        assert bill["isOverdue"] and bill["lateFeeFen"] > 0 and "0.05%" in bill["lateFeeExplanation"], bill
    with steps.step("外人读不到 a stranger and another compound's staff read nothing"):
        neighbour = Client(office.instance.url)
        neighbour.sign_in_staff("neighbour", PASSWORD)
        for client in (neighbour, Client(office.instance.url)):
            assert (client.answer(BILL, id=bill["id"])["data"] or {}).get("bill") is None, bill
        assert office.clerk.ask(BILLS, compound=office.compound)["bills"]["totalCount"] > 1


def _bills(office: Office) -> list[Any]:
    found: list[Any] = office.owner.ask(MY_BILLS)["viewer"]["bills"]["nodes"]
    return found


def _correcting(steps: Steps, office: Office) -> None:
    clerk, manager = office.clerk, office.manager
    (bill,) = _bills(office)
    with steps.step("减免由一人申请、另一人审批 a waiver is asked for by one and decided by another"):
        asked = mutate(
            clerk, "requestWaiver", CORRECTION, bill=bill["id"], amountFen=1000, reason="电梯停运三天"
        )
        assert refused(clerk, "requestWaiver", bill=bill["id"], reason="再来一次") == ["CORRECTION_WAITING"]
        (waiting,) = manager.ask(CORRECTIONS, compound=office.compound)["corrections"]["nodes"]
        assert (waiting["amountFen"], waiting["isMine"]) == (1000, False), waiting
        decided = {"correction": asked["correction"]["id"], "decision": "APPROVE"}
        done = mutate(manager, "decideWaiver", CORRECTION, **decided)
        assert done["correction"]["effectFen"] == -1000, done
        after = eventually(lambda: next((each for each in _bills(office) if each["corrections"]), None))
        assert after["principalOutstandingFen"] == bill["principalOutstandingFen"] - 1000, after
        assert "电梯停运三天" in str(after["corrections"])
    with steps.step("自己申请的不能自己批 nobody decides what they asked for"):
        line = bill["lines"][0]["id"]
        own = mutate(manager, "requestAdjustment", CORRECTION, line=line, amountFen=-500, reason="面积更正")
        decided = {"correction": own["correction"]["id"], "decision": "APPROVE"}
        assert refused(manager, "decideCorrection", **decided) == ["CORRECTION_OWN"]
        mutate(manager, "withdrawCorrection", CORRECTION, correction=own["correction"]["id"])
    with steps.step("调整与作废 an adjustment and a void"):
        (other,) = _of_house(office, "1号楼1单元102")
        found = clerk.ask(BILL, id=other["id"])["bill"]
        _approved(office, "requestAdjustment", line=found["lines"][0]["id"], amountFen=300, reason="补收")
        _approved(office, "requestVoid", bill=other["id"], reason="房屋登记有误")
        assert clerk.ask(BILL, id=other["id"])["bill"]["state"] == "VOID"


def _of_house(office: Office, number: str) -> list[Any]:
    """A house's bills; of a whole compound there are more than a page."""
    asked = "query Bills($id: ID!, $number: String) { bills(compound: $id, house: $number) { nodes { id houseNumber } } }"
    found: list[Any] = office.clerk.ask(asked, id=office.compound, number=number)["bills"]["nodes"]
    return [each for each in found if each["houseNumber"] == number]


def _approved(office: Office, name: str, **given: object) -> None:
    asked = mutate(office.clerk, name, CORRECTION, **given)["correction"]["id"]
    done = mutate(
        office.manager, "decideCorrection", CORRECTION, correction=asked, decision="APPROVE", note="属实"
    )
    assert done["correction"]["state"] == "APPROVED", done


def _paying(steps: Steps, office: Office) -> None:
    clerk, owner = office.clerk, office.owner
    with steps.step("期初预存入账,账单自动抵扣 money paid ahead pays the bill, late fee and all"):
        (bill,) = _bills(office)
        owed = bill["outstandingFen"]
        assert owed == bill["principalOutstandingFen"] + bill["lateFeeFen"]
        given = {"house": office.house, "amountFen": owed + 77, "note": "系统切换前的预存"}
        mutate(clerk, "setOpeningBalance", "account { prepaidFen }", idempotencyKey=key(), **given)
        again = refused(clerk, "setOpeningBalance", idempotencyKey=key(), **given)
        assert again == ["OPENING_BALANCE_SET"], again
        paid = eventually(lambda: next((each for each in _bills(office) if each["state"] == "PAID"), None))
        assert (paid["outstandingFen"], paid["isOverdue"]) == (0, False), paid
        (payment,) = paid["payments"]
        assert payment["principalFen"] + payment["lateFeeFen"] == owed, payment
        account = owner.ask(ACCOUNT, house=office.house)["viewer"]["account"]
        assert account["prepaidFen"] == 77 and len(account["movements"]["nodes"]) == 2, account
        assert clerk.ask(HOUSE_ACCOUNT, house=office.house)["houseAccount"]["prepaidFen"] == 77
        assert office.told(owner, "bill.paid")
    with steps.step("业主预缴三个月,享受折扣 the owner pays three months ahead, at a discount"):
        ahead = mutate(
            owner, "payAhead", "bills { issuedFen dueOn lines { periodFrom } }", house=office.house,
            feeItem=office.items["物业费"], months=3, idempotencyKey=key(),
        )["bills"]  # fmt: skip
        area = Decimal(office.houses["1号楼1单元101"]["builtAreaM2"])
        a_month = (area * PRICE_FEN * Decimal("0.98")).quantize(Decimal(1), ROUND_HALF_UP)
        assert sum(each["issuedFen"] for each in ahead) == 3 * a_month, (ahead, a_month)
    _depositing(steps, office)


def _depositing(steps: Steps, office: Office) -> None:
    with steps.step("装修押金当场出账 a deposit is billed on the spot"):
        given = {"feeItem": office.items["装修押金"], "houses": [office.id_of("201"), office.id_of("202")]}
        charged = mutate(
            office.clerk, "addOneOffCharges", "charges { charge }", chargedOn=str(office.today), amountFen=200_000,
            **given,
        )["charges"]  # fmt: skip
        first, second = (each["charge"] for each in charged)
        mutate(office.clerk, "cancelOneOffCharge", charge=second)
        (bill,) = mutate(office.manager, "billOneOff", "bills { issuedFen lateFeeFen }", charge=first)[
            "bills"
        ]
        assert bill["issuedFen"] == 200_000, bill
        assert attempt(office.manager, "billOneOff", charge=second)["errors"][0]["code"] == "ONE_OFF_OVER"
        states = {
            each["charge"]: each["isBilled"]
            for each in office.clerk.ask(ONE_OFFS, id=office.compound)["oneOffCharges"]["nodes"]
        }
        assert states == {first: True, second: False}, states
