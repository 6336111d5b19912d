"""支付宝账单: alipay.data.dataservice.bill.downloadurl.query and the zip of two GBK files behind it."""

from __future__ import annotations

import csv
import io
import sqlite3
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from miniprogram_stub.platform.alipay_content import content_of, failed, invalid
from miniprogram_stub.platform.alipay_states import masked_account
from miniprogram_stub.platform.alipay_trades import OK, Method, Node
from miniprogram_stub.platform.bill_files import (
    bill_day,
    is_ready,
    keep_file,
    kept_file,
    payments_on,
    refunds_done_on,
)
from miniprogram_stub.platform.books import Books
from miniprogram_stub.platform.clock import BEIJING, beijing_time
from miniprogram_stub.platform.faults import Faults
from miniprogram_stub.platform.happenings import timely
from miniprogram_stub.platform.money import fee_fen, yuan
from miniprogram_stub.platform.people import person_called
from miniprogram_stub.platform.refunds import Refund
from miniprogram_stub.platform.trades import Trade, trade

_ADDRESS_SECONDS: Final = 30
_ACCOUNT_SUFFIX: Final = "0156"
_COLUMNS: Final = (
    "支付宝交易号", "商户订单号", "业务类型", "商品名称", "创建时间", "完成时间", "门店编号", "门店名称", "操作员",
    "终端号", "对方账户", "订单金额（元）", "商家实收（元）", "支付宝红包（元）", "集分宝（元）", "支付宝优惠（元）",
    "商家优惠（元）", "券核销金额（元）", "券名称", "商家红包消费金额（元）", "卡消费金额（元）",
    "退款批次号/请求号", "服务费（元）", "分润（元）", "备注",
)  # fmt: skip
_SUMMARY_COLUMNS: Final = (
    "门店编号", "门店名称", "交易订单总笔数", "退款订单总笔数", "订单金额（元）", "商家实收（元）",
    "支付宝优惠（元）", "商家优惠（元）", "卡消费金额（元）", "服务费（元）", "分润（元）", "实收净额（元）",
)  # fmt: skip
_LINE: Final = "-" * 41
_SUMMARY_END: Final = f"#{'-' * 40}业务汇总列表结束{'-' * 37}"


@dataclass(frozen=True, slots=True)
class _Day:
    """What happened on one day: payments, and refunds with what they belong to."""

    account: str
    day: date
    payments: Sequence[Trade]
    refunds: Sequence[tuple[Trade, Refund]]

    @property
    def received_fen(self) -> int:
        return sum(one.amount_fen for one in self.payments)

    @property
    def refunded_fen(self) -> int:
        return sum(refund.amount_fen for _, refund in self.refunds)

    @property
    def fees_fen(self) -> int:
        """Fees are kept when money goes back."""
        return sum(fee_fen(one.amount_fen) for one in self.payments)


class _GbkInfo(zipfile.ZipInfo):
    """A file whose name stands in the archive as GBK without the UTF-8 flag, as Alipay's archives have it."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802 - zipfile asks by this name
        return self.filename.encode("gbk"), self.flag_bits


class AlipayBills:
    """The bills of one merchant."""

    def __init__(self, seller_id: str, address: str, books: Books, faults: Faults) -> None:
        self._account = seller_id + _ACCOUNT_SUFFIX
        self._address = address
        self._books = books
        self._faults = faults

    def methods(self) -> dict[str, Method]:
        """The one method."""
        return {"alipay.data.dataservice.bill.downloadurl.query": timely(self.address_of)}

    def routes(self) -> list[Route]:
        """Where the archives are fetched."""
        return [Route("/alipay/bill/{token}", self._download)]

    def address_of(self, rows: sqlite3.Connection, params: Mapping[str, str]) -> Node:
        """Draw the day's bill; its address lives 30 seconds."""
        content = content_of(params)
        if content.text("bill_type", 20, required=True) != "trade":
            raise invalid("bill_type")
        day = bill_day(content.text("bill_date", 15, required=True))
        if day is None:
            raise invalid("bill_date")
        found = self._day(rows, day)
        if not (found.payments or found.refunds) or not is_ready(rows, day):
            raise failed("isp.bill_not_exist")
        token = keep_file(
            rows, "alipay", f"{self._account}_{day:%Y%m%d}.csv.zip", _archive(rows, found), _ADDRESS_SECONDS
        )
        return {**OK, "bill_download_url": f"{self._address}/alipay/bill/{token}"}

    def _day(self, rows: sqlite3.Connection, day: date) -> _Day:
        refunds = [(trade(rows, one.trade), one) for one in refunds_done_on(rows, "alipay", day)]
        return _Day(self._account, day, payments_on(rows, "alipay", day), refunds)

    async def _download(self, request: Request) -> Response:
        async def answer() -> Response:
            found = await self._books.transact(kept_file, "alipay", request.path_params["token"])
            if found is None:
                return PlainTextResponse("the address has expired", 403)
            disposition = f'attachment; filename="{found[0]}"'
            headers = {"Content-Disposition": disposition}
            return Response(found[1], media_type="application/zip", headers=headers)

        busy = partial(PlainTextResponse, "Service Unavailable", 503)
        return await self._faults.meet("alipay", "bill", answer, busy)


def _archive(rows: sqlite3.Connection, day: _Day) -> bytes:
    archive, stem = io.BytesIO(), f"{day.account}_{day.day:%Y%m%d}_业务明细"
    stamp = datetime.now(BEIJING).timetuple()[:6]
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        for name, text in ((f"{stem}.csv", _details(rows, day)), (f"{stem}(汇总).csv", _summary(day))):
            info = _GbkInfo(name, stamp)
            info.compress_type = zipfile.ZIP_DEFLATED
            files.writestr(info, text.encode("gbk", "replace"))
    return archive.getvalue()


def _details(rows: sqlite3.Connection, day: _Day) -> str:
    count, back = len(day.payments), len(day.refunds)
    lines = [
        *_head(day, "明细查询", "明细"),
        _row(_COLUMNS),
        *(_row(_payment_row(rows, one)) for one in day.payments),
        *(_row(_refund_row(rows, *one)) for one in day.refunds),
        f"#{_LINE}业务明细列表结束{'-' * 36}",
        f"#交易合计：{count}笔，商家实收共{yuan(day.received_fen)}元，商家优惠共0.00元",
        f"#退款合计：{back}笔，商家实收退款共{yuan(-day.refunded_fen)}元，商家优惠退款共0.00元",
        _exported(),
    ]
    return "\r\n".join(lines) + "\r\n"


def _summary(day: _Day) -> str:
    net = day.received_fen - day.refunded_fen
    figures = (
        str(len(day.payments)), str(len(day.refunds)), yuan(net), yuan(net), "0.00", "0.00", "0.00",
        yuan(-day.fees_fen), "0.00", yuan(net - day.fees_fen),
    )  # fmt: skip
    lines = [
        *_head(day, "汇总查询", "汇总"),
        _row(_SUMMARY_COLUMNS),
        _row(("\t", "\t", *figures)),
        _row(("合计\t", "\t", *figures)),
        _SUMMARY_END,
        _exported(),
    ]
    return "\r\n".join(lines) + "\r\n"


def _head(day: _Day, title: str, name: str) -> tuple[str, ...]:
    until = day.day + timedelta(days=1)
    return (
        f"#支付宝业务{title}",
        f"#账号：[{day.account}]",
        f"#起始日期：[{day.day:%Y年%m月%d日} 00:00:00]   终止日期：[{until:%Y年%m月%d日} 00:00:00]",
        f"#{_LINE}业务{name}列表{'-' * 40}",
    )


def _exported() -> str:
    return f"#导出时间：[{datetime.fromtimestamp(time.time(), BEIJING):%Y年%m月%d日 %H:%M:%S}]"


def _payment_row(rows: sqlite3.Connection, one: Trade) -> tuple[str, ...]:
    return _detail(
        rows,
        one,
        "交易",
        done_at=one.paid_at or 0,
        amount_fen=one.amount_fen,
        batch="",
        fee=-fee_fen(one.amount_fen),
    )


def _refund_row(rows: sqlite3.Connection, one: Trade, refund: Refund) -> tuple[str, ...]:
    return _detail(
        rows,
        one,
        "退款",
        done_at=refund.settled_at or 0,
        amount_fen=-refund.amount_fen,
        batch=refund.out_refund_no,
        fee=0,
        remark=refund.reason,
    )


def _detail(
    rows: sqlite3.Connection,
    one: Trade,
    business: str,
    *,
    done_at: float,
    amount_fen: int,
    batch: str,
    fee: int,
    remark: str = "",
) -> tuple[str, ...]:
    amount, none, tab = yuan(amount_fen), "0.00", "\t"
    account = masked_account(person_called(rows, one.payer or "").alipay_user_id)
    return (
        f"{one.trade_no}\t", f"{one.out_trade_no}\t", f"{business}\t", one.subject,
        beijing_time(one.created_at), beijing_time(done_at), tab, tab, tab, tab,
        f"{_masked_name(one.payer or '')}({account})\t", amount, amount, none, none, none, none, none, "",
        f"{none}\t", none, f"{batch}\t", yuan(fee), none, remark,
    )  # fmt: skip


def _masked_name(name: str) -> str:
    return f"*{name[1:]}" if len(name) > 1 else "*"


def _row(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()
