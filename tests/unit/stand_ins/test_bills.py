"""账单: both platforms' bill files are drawn from their books, and say what those say."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zipfile
from datetime import datetime
from decimal import Decimal
from typing import Final

import httpx
import pytest

from tests.unit.stand_ins.merchant import (
    alipay,
    paid_by_alipay,
    paid_by_wechat,
    refused,
    until,
    wechat,
    wechat_call,
    wechat_refund,
)
from tests.unit.stand_ins.stand import Json, Stand

DOWNLOAD: Final = "alipay.data.dataservice.bill.downloadurl.query"
BILLS: Final = "/v3/bill/tradebill"


def at(text: str) -> float:
    return datetime.fromisoformat(f"{text}+08:00").timestamp()


def paid_at(stand: Stand, trade: Json, when: str) -> None:
    statement = "UPDATE trades SET paid_at = ?, created_at = ? WHERE out_trade_no = ?"
    stand.books(statement, at(when), at(when) - 60, trade["out_trade_no"])


def refunded_at(stand: Stand, number: str, when: str) -> None:
    statement = "UPDATE refunds SET requested_at = ?, settled_at = ? WHERE out_refund_no = ?"
    stand.books(statement, at(when), at(when), number)


def alipay_refund(stand: Stand, trade: Json, amount: str, number: str, when: str) -> None:
    content = {
        "trade_no": trade["trade_no"],
        "refund_amount": amount,
        "out_request_no": number,
        "refund_reason": "退费",
    }
    assert alipay(stand, "alipay.trade.refund", content)["fund_change"] == "Y"
    refunded_at(stand, number, when)


def archive(stand: Stand, day: str) -> dict[str, list[str]]:
    """Each file's lines by its name, both in GBK."""
    node = alipay(stand, DOWNLOAD, {"bill_type": "trade", "bill_date": day})
    answer = httpx.get(node["bill_download_url"], trust_env=False)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as files:
        assert all(info.flag_bits & 0x800 == 0 for info in files.infolist())
        return {
            name.encode("cp437").decode("gbk"): files.read(name)
            .decode("gbk")
            .removesuffix("\r\n")
            .split("\r\n")
            for name in files.namelist()
        }


def money(text: str) -> int:
    return int(Decimal(text) * 100)


def test_alipays_bill_says_what_its_books_say(paying: Stand) -> None:
    first = paid_by_alipay(paying, subject='停车费,"车位" 12')
    second = paid_by_alipay(paying, total_amount="0.01")
    other = paid_by_alipay(paying)
    alipay_refund(paying, first, "8.80", "jan1", "2026-01-05 12:00:00")
    alipay_refund(paying, first, "80.00", "jan2", "2026-01-06 12:00:00")
    paid_at(paying, first, "2026-01-05 00:00:00")
    paid_at(paying, second, "2026-01-05 23:59:59")
    paid_at(paying, other, "2026-01-06 00:00:00")
    files = archive(paying, "2026-01-05")
    account = paying.credentials["alipay"]["seller_id"] + "0156"
    assert list(files) == [f"{account}_20260105_业务明细.csv", f"{account}_20260105_业务明细(汇总).csv"]
    lines = files[f"{account}_20260105_业务明细.csv"]
    assert lines[:4] == [
        "#支付宝业务明细查询",
        f"#账号：[{account}]",
        "#起始日期：[2026年01月05日 00:00:00]   终止日期：[2026年01月06日 00:00:00]",
        f"#{'-' * 41}业务明细列表{'-' * 40}",
    ]
    assert lines[-4].startswith("#---") and "业务明细列表结束" in lines[-4]
    assert lines[-3] == "#交易合计：2笔，商家实收共88.81元，商家优惠共0.00元"
    assert lines[-2] == "#退款合计：1笔，商家实收退款共-8.80元，商家优惠退款共0.00元"
    assert lines[-1].startswith("#导出时间：[")
    header, *rows = csv.reader(lines[4:-4])
    assert (len(header), header[0], header[24]) == (25, "支付宝交易号", "备注")
    assert {len(row) for row in rows} == {25}
    assert [(row[0], row[1], row[2], row[12]) for row in rows] == [
        (f"{first['trade_no']}\t", f"{first['out_trade_no']}\t", "交易\t", "88.80"),
        (f"{second['trade_no']}\t", f"{second['out_trade_no']}\t", "交易\t", "0.01"),
        (f"{first['trade_no']}\t", f"{first['out_trade_no']}\t", "退款\t", "-8.80"),
    ]
    assert [row[22] for row in rows] == ["-0.53", "0.00", "0.00"]
    assert (rows[0][3], rows[0][5]) == ('停车费,"车位" 12', "2026-01-05 00:00:00")
    assert (rows[2][5], rows[2][21], rows[2][24]) == ("2026-01-05 12:00:00", "jan1\t", "退费")
    total = next(csv.reader([files[f"{account}_20260105_业务明细(汇总).csv"][-3]]))
    assert (total[0], total[2], total[3], total[5], total[9]) == ("合计\t", "2", "1", "80.01", "-0.53")


def test_alipays_address_lives_half_a_minute(paying: Stand) -> None:
    paid_at(paying, paid_by_alipay(paying), "2026-02-01 12:00:00")
    node = alipay(paying, DOWNLOAD, {"bill_type": "trade", "bill_date": "2026-02-01"})
    ((left,),) = paying.books(
        "SELECT max(expires_at) - unixepoch() FROM bill_files WHERE platform = 'alipay'"
    )
    assert left <= 31
    assert paying.http.get(node["bill_download_url"]).status_code == 200
    paying.books("UPDATE bill_files SET expires_at = 0")
    assert paying.http.get(node["bill_download_url"]).status_code == 403


@pytest.mark.parametrize(
    ("content", "sub_code"),
    [
        ({"bill_type": "trade", "bill_date": "2016-01-01"}, "isp.bill_not_exist"),
        ({"bill_type": "signcustomer", "bill_date": "2026-01-05"}, "ACQ.INVALID_PARAMETER"),
        ({"bill_type": "trade", "bill_date": "20260105"}, "ACQ.INVALID_PARAMETER"),
        ({"bill_type": "trade"}, "ACQ.INVALID_PARAMETER"),
    ],
)
def test_bills_that_alipay_does_not_draw(paying: Stand, content: Json, sub_code: str) -> None:
    assert refused(alipay(paying, DOWNLOAD, content)) == ("40004", sub_code)


def test_a_day_must_be_over_or_let_be_ready(paying: Stand) -> None:
    paid_at(paying, paid_by_alipay(paying), "2099-01-05 12:00:00")
    paid_at(paying, paid_by_wechat(paying), "2099-01-05 12:00:00")
    content = {"bill_type": "trade", "bill_date": "2099-01-05"}
    assert refused(alipay(paying, DOWNLOAD, content)) == ("40004", "isp.bill_not_exist")
    target = f"{BILLS}?bill_date=2099-01-05&bill_type=ALL"
    assert wechat(paying, "GET", target, None, 400)["code"] == "STATEMENT_CREATING"
    assert paying.http.post("/open/bills", json={"date": "2099-01-05"}).status_code == 204
    assert alipay(paying, DOWNLOAD, content)["code"] == "10000"
    assert wechat(paying, "GET", target)["hash_type"] == "SHA1"
    assert paying.http.post("/open/bills", json={"date": "tomorrow"}).status_code == 400


def downloaded(stand: Stand, drawn: Json) -> bytes:
    target = drawn["download_url"].removeprefix(str(stand.http.base_url).rstrip("/"))
    answer = wechat_call(stand, "GET", target)
    assert answer.status_code == 200
    return answer.content


def test_wechats_bill_says_what_its_books_say(paying: Stand) -> None:
    first, other = paid_by_wechat(paying, description="停车费,车位"), paid_by_wechat(paying)
    refund = wechat_refund(paying, first, 880)
    until(lambda: paying.trades()[first["out_trade_no"]]["refunded_fen"] == 880, "the refund")
    paid_at(paying, first, "2026-03-05 00:00:00")
    paid_at(paying, other, "2026-03-06 00:00:00")
    # Accepted on the 5th and done on the 6th: it is of the 5th.
    statement = "UPDATE refunds SET requested_at = ?, settled_at = ? WHERE refund_no = ?"
    paying.books(statement, at("2026-03-05 23:59:59"), at("2026-03-06 09:00:00"), refund["refund_id"])
    drawn = wechat(paying, "GET", f"{BILLS}?bill_date=2026-03-05&bill_type=ALL")
    content = downloaded(paying, drawn)
    assert hashlib.sha1(content).hexdigest() == drawn["hash_value"]
    lines = content.decode("utf-8-sig").removesuffix("\r\n").split("\r\n")
    header, *rows, titles, total = (line.split(",") for line in lines)
    assert (len(header), header[0], header[26], len(titles)) == (27, "交易时间", "费率备注", 7)
    assert all(len(row) == 27 and all(cell.startswith("`") for cell in row) for row in rows)
    paid, back = ([cell[1:] for cell in row] for row in rows)
    assert (paid[5], paid[6], paid[9]) == (first["transaction_id"], first["out_trade_no"], "SUCCESS")
    assert (paid[0], paid[12], paid[24], paid[22]) == ("2026-03-05 00:00:00", "88.80", "88.80", "0.53000")
    assert (paid[14], paid[20], paid[23]) == ("0", "停车费 车位", "0.60%")
    assert (back[9], back[14], back[15]) == ("REFUND", refund["refund_id"], refund["out_refund_no"])
    assert (back[0], back[12], back[16], back[19]) == ("2026-03-05 23:59:59", "0.00", "8.80", "SUCCESS")
    assert (back[22], back[25]) == ("-0.05000", "8.80")
    assert total == ["`2", "`88.80", "`8.80", "`0.00", "`0.48000", "`88.80", "`8.80"]
    packed = wechat(paying, "GET", f"{BILLS}?bill_date=2026-03-05&bill_type=ALL&tar_type=GZIP")
    assert gzip.decompress(downloaded(paying, packed)) == content
    assert packed["hash_value"] == drawn["hash_value"]
    only = wechat(paying, "GET", f"{BILLS}?bill_date=2026-03-05&bill_type=REFUND")
    assert downloaded(paying, only).decode().count("`REFUND") == 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("bill_date=2016-01-01", "NO_STATEMENT_EXIST"),
        ("bill_date=20260305", "PARAM_ERROR"),
        ("bill_type=ALL", "PARAM_ERROR"),
        ("bill_date=2026-03-05&bill_type=NONE", "PARAM_ERROR"),
        ("bill_date=2026-03-05&tar_type=ZIP", "PARAM_ERROR"),
    ],
)
def test_bills_that_wechat_does_not_draw(paying: Stand, query: str, code: str) -> None:
    assert wechat(paying, "GET", f"{BILLS}?{query}", None, 400)["code"] == code


def test_a_bills_address_needs_a_signature_and_lives_five_minutes(paying: Stand) -> None:
    paid_at(paying, paid_by_wechat(paying), "2026-04-05 12:00:00")
    drawn = wechat(paying, "GET", f"{BILLS}?bill_date=2026-04-05")
    assert paying.http.get(drawn["download_url"]).status_code == 401
    assert downloaded(paying, drawn)
    paying.books("UPDATE bill_files SET expires_at = 0")
    target = drawn["download_url"].removeprefix(str(paying.http.base_url).rstrip("/"))
    assert wechat(paying, "GET", target, None, 404)["code"] == "RESOURCE_NOT_EXISTS"


def test_sums_of_many_days_equal_the_books(paying: Stand) -> None:
    """Each payment and each refund is in exactly one bill."""
    trades = [paid_by_alipay(paying, total_amount=f"{turn}.{turn:02d}") for turn in range(1, 9)]
    for turn, trade in enumerate(trades):
        alipay_refund(paying, trade, "0.99", f"july{turn}", f"2026-07-0{1 + turn % 2} 09:00:00")
        paid_at(paying, trade, f"2026-07-0{1 + turn % 3} 08:00:00")
    received = back = 0
    for day in ("2026-07-01", "2026-07-02", "2026-07-03"):
        lines = next(iter(archive(paying, day).values()))
        for row in csv.reader(line for line in lines if not line.startswith(("#", "支付宝交易号"))):
            received += max(money(row[12]), 0)
            back += min(money(row[12]), 0)
    books = [paying.trades()[trade["out_trade_no"]] for trade in trades]
    assert received == sum(book["paid_fen"] for book in books) == 3636
    assert -back == sum(book["refunded_fen"] for book in books) == 8 * 99
