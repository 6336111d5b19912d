"""Paying in the journey: by Alipay and WeChat Pay at the stand-ins' cashiers, at the desk, and back again."""

from __future__ import annotations

from typing import Any

from tests.journeys.applicant import eventually
from tests.journeys.moving_in import OWNER_PHONE
from tests.journeys.office import Office, key, mutate, refused
from tests.journeys.phone import Phone, phone_of
from tests.journeys.steps import Steps

BILLS = """
query Bills { viewer { bills(states: [OPEN, PARTLY_PAID], first: 50) { nodes { id number state outstandingFen } } } }
"""
BILL = "query Bill($id: ID!) { bill(id: $id) { state outstandingFen } }"
PAYMENT = """
query Payment($id: ID!) { payment(id: $id) { id state amountFen refundedFen number receipt channel
  parts { part paidFen givenBackFen bill { id } } refunds { id state amountFen } } }
"""
OWN = "query Own { viewer { payments { nodes { id state channel } } } }"
ACCOUNT = "query Account($house: ID!) { viewer { account(house: $house) { prepaidFen } } }"
BALANCES = (
    "query Trial($id: ID!) { ledgerBalances(compound: $id) { code channel debitFen creditFen balanceFen } }"
)
JOURNALS = """
query Journals($id: ID!, $on: Date!) { journals(compound: $id, fromOn: $on, untilOn: $on, first: 100) {
  nodes { kind memo reverses entries { code amountFen } } } }
"""
TROUBLE = """
query Trouble($id: ID!) { paymentExceptions(compound: $id) { nodes { id kind amountFen actions refund { id state } } } }
"""
DECIDE = "mutation Own($input: DecideRefundInput!) { decideRefund(input: $input) { errors { code } } }"
BEGUN = "payment { id state amountFen clientParameters { name value } }"
TAKEN = "payment { id state amountFen number receipt }"
REFUND = "refund { id state amountFen }"


def play(steps: Steps, office: Office) -> None:
    """The steps in order; each asserts what it claims."""
    phone = phone_of(office.instance.url, office.instance.platform_url)
    with steps.step("再出两期账单 two more runs, so that there is something to pay"):
        _bill(office, "电梯费", 3_000)
        _bill(office, "秩序维护费", 4_200)
    with steps.step("同一位业主在支付宝小程序登录 the same owner signs in with Alipay"):
        phone.sign_in_with_alipay("hua-guizhen", OWNER_PHONE)
        open_ = _open_bills(phone)
        assert len(open_) >= 4 and _open_bills(office.owner) == open_, open_
    by_alipay = _by_alipay(steps, office, phone, open_[:2])
    _by_wechat(steps, office, open_[2])
    _at_the_desk(steps, office, open_[3])
    _back(steps, office, phone, by_alipay)
    _topping_up(steps, office, phone)
    _balancing(steps, office)


def _bill(office: Office, name: str, fen: int) -> None:
    office.item(
        name,
        category="OTHER",
        method="FIXED",
        timing="ADVANCE",
        cycleMonths=1,
        anchorOn=str(office.last_month),
    )
    start = str(office.last_month)
    mutate(office.clerk, "setFeePrice", feeItem=office.items[name], fromOn=start, priceFen=str(fen))
    office.bill_run(name)


def _open_bills(phone: Phone) -> list[Any]:
    found: list[Any] = phone.ask(BILLS)["viewer"]["bills"]["nodes"]
    return found


def _handed(payment: Any) -> dict[str, str]:
    return {each["name"]: each["value"] for each in payment["clientParameters"]}


def _paid(phone: Phone, payment: str) -> Any:
    """The payment, once the platform's notification has come."""

    def look() -> Any:
        found = phone.ask(PAYMENT, id=payment)["payment"]
        return found if found["state"] == "PAID" else None

    return eventually(look)


def _settled(phone: Phone, bill: str) -> None:
    eventually(lambda: phone.ask(BILL, id=bill)["bill"]["state"] == "PAID" or None)


def _by_alipay(steps: Steps, office: Office, phone: Phone, bills: list[Any]) -> Any:
    ids, owed = [each["id"] for each in bills], sum(each["outstandingFen"] for each in bills)
    with steps.step("两张账单一起用支付宝付,金额由系统定 two bills by Alipay, for what we say they cost"):
        given = {"bills": ids, "channel": "ALIPAY", "idempotencyKey": key()}
        begun = mutate(phone, "payBills", BEGUN, **given)["payment"]
        assert (begun["state"], begun["amountFen"]) == ("OPEN", owed), begun
        assert mutate(phone, "payBills", BEGUN, **given)["payment"] == begun
    with steps.step("支付中的账单柜台不能再收 what is being paid is not taken at the desk as well"):
        charge = {"house": office.house, "bills": ids[:1]}
        again = refused(office.clerk, "recordDeskPayment", charge=charge, method="CASH", idempotencyKey=key())
        assert again == ["BILL_BEING_PAID"], again
    with steps.step(
        "客户端说付了不算,平台通知才算 the client's word is a hint, the platform's word is money"
    ):
        hinted = mutate(phone, "confirmPaymentHint", "payment { state }", payment=begun["id"])
        assert hinted["payment"]["state"] == "OPEN", hinted
        told = phone.platform("/open/alipay/pay", person="hua-guizhen", trade_no=_handed(begun)["tradeNO"])
        assert told["resultCode"] == "9000", told
        paid = _paid(phone, begun["id"])
        assert paid["number"] and [each["bill"]["id"] for each in paid["parts"]], paid
        for id in ids:
            _settled(phone, id)
    with steps.step("收据 PDF 与缴费记录 a receipt, and the payment on the owner's list"):
        made = mutate(phone, "issueReceipt", "document { amountFen address }", payment=paid["receipt"])
        assert made["document"]["amountFen"] == owed, made
        assert office.download(phone, made["document"]["address"]).startswith(b"%PDF")
        own = phone.ask(OWN)["viewer"]["payments"]["nodes"]
        assert {"id": begun["id"], "state": "PAID", "channel": "ALIPAY"} in own, own
    return paid


def _by_wechat(steps: Steps, office: Office, bill: Any) -> None:
    owner = office.owner
    with steps.step("用微信支付付一张 one bill by WeChat Pay"):
        given = {"bills": [bill["id"]], "channel": "WECHAT", "idempotencyKey": key()}
        begun = mutate(owner, "payBills", BEGUN, **given)["payment"]
        handed = _handed(begun)
        number = handed["package"].removeprefix("prepay_id=")
        told = owner.platform("/open/wechat/pay", person="hua-guizhen", prepay_id=number, **handed)
        assert told["errMsg"] == "requestPayment:ok", told
        assert _paid(owner, begun["id"])["channel"] == "WECHAT"
        _settled(owner, bill["id"])


def _at_the_desk(steps: Steps, office: Office, bill: Any) -> None:
    clerk, owed = office.clerk, bill["outstandingFen"]
    charge = {"house": office.house, "bills": [bill["id"]]}
    with steps.step("柜台收现金,金额变了要重来 cash at the desk, for the sum that was shown"):
        given = {"method": "CASH", "idempotencyKey": key()}
        wrong = {**charge, "expectedFen": owed + 1}
        assert refused(clerk, "recordDeskPayment", charge=wrong, method="CASH", idempotencyKey=key()) == [
            "AMOUNT_CHANGED"
        ]
        taken = mutate(clerk, "recordDeskPayment", TAKEN, charge={**charge, "expectedFen": owed}, **given)
        payment = taken["payment"]
        assert (payment["state"], payment["amountFen"]) == ("PAID", owed) and payment["number"], payment
        _settled(office.owner, bill["id"])
    with steps.step("收错了当天作废,账单恢复待缴 voided on its day, and the bill is owed again"):
        mutate(
            clerk, "voidDeskPayment", "payment { state }", payment=payment["id"], reason="收错了户",
            idempotencyKey=key(),
        )  # fmt: skip
        eventually(lambda: office.owner.ask(BILL, id=bill["id"])["bill"]["state"] == "OPEN" or None)
        assert refused(clerk, "issueReceipt", payment=payment["receipt"]) == ["RECEIPT_TAKEN_BACK"]
    with steps.step("刷卡要参考号,一个号只能用一次 a card's slip counts once"):
        by_card = {"charge": charge, "method": "POS"}
        missing = refused(clerk, "recordDeskPayment", **by_card, idempotencyKey=key())
        assert missing == ["REFERENCE_REQUIRED"], missing
        mutate(clerk, "recordDeskPayment", TAKEN, **by_card, reference="000123", idempotencyKey=key())
        _settled(office.owner, bill["id"])


def _back(steps: Steps, office: Office, phone: Phone, paid: Any) -> None:
    clerk, manager = office.clerk, office.manager
    part = paid["parts"][0]
    given = {"payment": paid["id"], "reason": "车位已退租"}
    with steps.step("退款一人申请,自己不能批 a refund is asked for, and not decided by who asked"):
        parts = [{"part": part["part"], "amountFen": part["paidFen"] + 1}]
        too_much = refused(clerk, "requestRefund", **given, parts=parts, idempotencyKey=key())
        assert too_much == ["REFUND_TOO_MUCH"], too_much
        parts = [{"part": part["part"], "amountFen": 100}]
        asked = mutate(clerk, "requestRefund", REFUND, **given, parts=parts, idempotencyKey=key())["refund"]
        own = mutate(manager, "requestRefund", REFUND, **given, parts=parts, idempotencyKey=key())["refund"]
        decision = {"refund": own["id"], "approve": True, "idempotencyKey": key()}
        assert manager.codes(DECIDE, input=decision) == ["REFUND_OWN"]
    with steps.step(
        "平台余额不足退不出,在支付异常里重新退款 refused at Alipay, it is sent again as payment trouble"
    ):
        fault = {"platform": "alipay", "api": "alipay.trade.refund", "kind": "not_enough"}
        phone.http.post(f"{phone.platform_url}/open/faults", json=fault).raise_for_status()
        mutate(manager, "decideRefund", REFUND, refund=asked["id"], approve=True, idempotencyKey=key())
        trouble = eventually(lambda: _trouble(office, asked["id"]))
        assert (trouble["kind"], trouble["amountFen"]) == ("REFUND_ABNORMAL", 100), trouble
        assert trouble["actions"] == ["RETRY", "PREPAY"], trouble
        settled = {"exception": trouble["id"], "action": "RETRY", "note": "已充值", "idempotencyKey": key()}
        mutate(manager, "settlePaymentException", "exception { action }", **settled)
        assert _trouble(office, asked["id"]) is None
    with steps.step("款项回到支付宝,账单恢复待缴 the money is back at Alipay, and the bill is owed again"):

        def look() -> Any:
            found = phone.ask(PAYMENT, id=paid["id"])["payment"]
            return found if found["refundedFen"] == 100 else None

        eventually(look)
        trades = phone.http.get(f"{phone.platform_url}/open/trades").json()["trades"]
        (trade,) = [each for each in trades if each["refunded_fen"]]
        assert (trade["platform"], trade["refunded_fen"]) == ("alipay", 100), trade
        assert phone.ask(BILL, id=part["bill"]["id"])["bill"]["state"] == "PARTLY_PAID"


def _trouble(office: Office, refund: str) -> Any:
    """What is open about a refund; None for nothing."""
    found = office.manager.ask(TROUBLE, id=office.compound)["paymentExceptions"]["nodes"]
    return next((each for each in found if each["refund"] and each["refund"]["id"] == refund), None)


def _topping_up(steps: Steps, office: Office, phone: Phone) -> None:
    with steps.step("预存充值到账 money paid ahead arrives"):
        begun = mutate(
            phone, "topUpAccount", BEGUN, house=office.house, amountFen=20_000, channel="ALIPAY",
            idempotencyKey=key(),
        )["payment"]  # fmt: skip
        phone.platform("/open/alipay/pay", person="hua-guizhen", trade_no=_handed(begun)["tradeNO"])
        paid = _paid(phone, begun["id"])
        assert paid["receipt"] and paid["parts"][0]["paidFen"] == 20_000, paid
        eventually(lambda: phone.ask(ACCOUNT, house=office.house)["viewer"]["account"]["prepaidFen"] or None)


def _balancing(steps: Steps, office: Office) -> None:
    with steps.step("总账平衡,每张凭证也平衡 the books balance, and so does every journal"):
        rows = office.clerk.ask(BALANCES, id=office.compound)["ledgerBalances"]
        assert rows and sum(each["balanceFen"] for each in rows) == 0, rows
        by = {(each["code"], each["channel"]): each["balanceFen"] for each in rows}
        trades = office.owner.http.get(f"{office.owner.platform_url}/open/trades").json()["trades"]
        for platform, channel in (("alipay", "ALIPAY"), ("wechatpay", "WECHAT")):
            theirs = sum(
                each["paid_fen"] - each["refunded_fen"] for each in trades if each["platform"] == platform
            )
            assert by["clearing", channel] == theirs, (channel, by, trades)
        found = office.clerk.ask(JOURNALS, id=office.compound, on=str(office.today))["journals"]["nodes"]
        assert {"支付宝支付", "微信支付", "现金缴费", "冲销", "退款"} <= {each["kind"] for each in found}, (
            found
        )
        assert all(sum(entry["amountFen"] for entry in each["entries"]) == 0 for each in found), found
