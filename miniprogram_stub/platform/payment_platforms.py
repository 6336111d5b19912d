"""The payment platforms put together (支付宝收单与微信支付): what they share is the courier and the cashier."""

from __future__ import annotations

from starlette.routing import Route

from miniprogram_stub.platform.alipay_bills import AlipayBills
from miniprogram_stub.platform.alipay_gateway import AlipayPayments
from miniprogram_stub.platform.alipay_notices import AlipayNotices
from miniprogram_stub.platform.alipay_refunds import AlipayRefunds
from miniprogram_stub.platform.alipay_trades import AlipayTrades
from miniprogram_stub.platform.books import Books
from miniprogram_stub.platform.cashier import Cashier
from miniprogram_stub.platform.courier import Courier, Notices
from miniprogram_stub.platform.credentials import AlipayKeys, Credentials, WeChatPayKeys
from miniprogram_stub.platform.faults import Faults
from miniprogram_stub.platform.payment_door import PaymentDoor
from miniprogram_stub.platform.trades import Platform
from miniprogram_stub.platform.wechat_pay import WeChatPay
from miniprogram_stub.platform.wechat_pay_bills import WeChatPayBills
from miniprogram_stub.platform.wechat_pay_notices import WeChatPayNotices
from miniprogram_stub.platform.wechat_pay_orders import WeChatPayOrders
from miniprogram_stub.platform.wechat_pay_refunds import WeChatPayRefunds

_WECHAT_REFUND_SECONDS = 240.0  # as a refund to the balance takes; divided by the speed-up like the schedules


class PaymentPlatforms:
    """Everything that has to do with money, on one address."""

    def __init__(
        self,
        credentials: Credentials,
        alipay_keys: AlipayKeys,
        wechat_keys: WeChatPayKeys,
        books: Books,
        faults: Faults,
        *,
        address: str,
        speed_up: float,
    ) -> None:
        merchant, app = credentials.wechatpay, credentials.alipay
        notices: dict[Platform, Notices] = {
            "alipay": AlipayNotices(alipay_keys),
            "wechatpay": WeChatPayNotices(merchant, wechat_keys),
        }
        self.courier = Courier(books, faults, notices, speed_up)
        trades, bills = AlipayTrades(app, address), AlipayBills(app.seller_id, address, books, faults)
        methods = {**trades.methods(), **AlipayRefunds(faults).methods(), **bills.methods()}
        self.alipay = AlipayPayments(trades, methods, self.courier.wake)
        self._wechat = WeChatPay(
            orders=WeChatPayOrders(credentials.wechat.appid, merchant.mchid),
            refunds=WeChatPayRefunds(faults, _WECHAT_REFUND_SECONDS / speed_up),
            bills=WeChatPayBills(address),
            merchant=merchant,
            keys=wechat_keys,
            books=books,
            faults=faults,
            wake=self.courier.wake,
        )
        self._bills = bills
        self._cashier = Cashier(alipay_keys, wechat_keys, books, faults, self.courier.wake)
        self._door = PaymentDoor(wechat_keys, books, self.courier.wake)

    def routes(self) -> list[Route]:
        """All but the gateway, which Alipay's other interfaces share."""
        return [
            *self._wechat.routes(),
            *self._bills.routes(),
            *self._cashier.routes(),
            *self._door.routes(),
        ]
