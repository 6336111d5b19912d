"""Decisions of the ledger, without any state of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Nature = Literal["asset", "liability", "income", "expense", "equity"]

ACCOUNTS: Mapping[str, tuple[Nature, str, str]] = {
    "receivable": ("asset", "应收账款", "Receivable"),
    "prepayment": ("liability", "预收账款", "Prepayments"),
    "deposit": ("liability", "押金", "Deposits"),
    "deposit_due": ("liability", "待收押金", "Deposits billed"),
    "income": ("income", "收费收入", "Fee income"),
    "late_fee_income": ("income", "滞纳金收入", "Late fees"),
    "waiver": ("expense", "减免", "Waivers"),
    "write_off": ("expense", "坏账损失", "Written off"),
    "opening": ("equity", "期初余额", "Opening balances"),
    "clearing": ("asset", "渠道待清算款", "Clearing"),
    "drawer": ("asset", "收银备用金", "Cash drawers"),
    "refund_due": ("liability", "应付退款", "Refunds payable"),
    "suspense": ("liability", "待处理款", "Suspense"),
}
"""Codes of accounts: nature, name in Chinese and in English. Debit is above zero in every one of them."""

FLOORED = frozenset({"prepayment", "deposit", "refund_due"})
"""Money that is somebody else's: the database keeps the balance and refuses to let it fall below zero."""

KINDS: Mapping[str, tuple[str, str]] = {
    "bills": ("出账", "Bills issued"),
    "late_fee": ("计滞纳金", "Late fee"),
    "waiver": ("减免", "Waiver"),
    "adjustment": ("调整", "Adjustment"),
    "void": ("作废", "Void"),
    "deduction": ("预存抵扣", "Paid from prepayment"),
    "deposit": ("押金收退", "Deposit received or returned"),
    "opening": ("期初余额", "Opening balance"),
    "pay_alipay": ("支付宝支付", "Paid by Alipay"),
    "pay_wechat": ("微信支付", "Paid by WeChat Pay"),
    "pay_cash": ("现金缴费", "Paid in cash"),
    "pay_pos": ("刷卡缴费", "Paid by card"),
    "pay_transfer": ("转账缴费", "Paid by bank transfer"),
    "refund_hold": ("待退款", "Set aside for a refund"),
    "refund": ("退款", "Refund"),
    "suspense": ("待处理款处理", "Suspense settled"),
    "write_off": ("坏账核销", "Written off"),
    "reversal": ("冲销", "Reversal"),
}
"""Kinds of journals, for people to read."""
