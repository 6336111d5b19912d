"""Pages of the cashier (收银台页面), for a phone and without a script."""

from __future__ import annotations

from html import escape
from typing import Final

from miniprogram_stub.platform.clock import beijing_time
from miniprogram_stub.platform.money import yuan
from miniprogram_stub.platform.sheet import sheet
from miniprogram_stub.platform.trades import Trade

_BRANDS: Final = {
    "alipay": ("支付宝收银台（替身）", "#0958d9"),
    "wechatpay": ("微信支付收银台（替身）", "#067a42"),
}
_PERSON: Final = """<label>付款人<input name="person" value="访客" maxlength="64" required></label>"""


def cashier_page(trade: Trade, merchant: str) -> str:
    """What, how much and to whom, with both buttons; whoever may pay says who they are."""
    rows = (
        ("商品", trade.subject),
        ("收款方", merchant),
        ("商户订单号", trade.out_trade_no),
        ("付款人", trade.buyer),
        ("支付截止", beijing_time(trade.expires_at)),
    )
    details = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in rows if text)
    return _page(
        trade.platform,
        f'<p class="amount">¥{yuan(trade.total_fen)}</p><dl>{details}</dl><form method="post">'
        f"{'' if trade.buyer else _PERSON}"
        '<button name="answer" value="pay">支付</button>'
        '<button name="answer" value="cancel" formnovalidate>取消</button></form>',
    )


def result_page(trade: Trade, text: str, back: str = "") -> str:
    """How it ended, and the way back to the merchant where there is one."""
    amount = f'<p class="amount">¥{yuan(trade.amount_fen)}</p>'
    link = f'<p><a href="{escape(back)}">返回商家</a></p>' if back else "<p>可以关闭此页面。</p>"
    return _page(trade.platform, f"{amount}<p>{escape(text)}</p>{link}")


def refusal_page(text: str, code: str = "") -> str:
    """What is wrong; the code is the platform's."""
    shown = f"<p><small>{escape(code)}</small></p>" if code else ""
    return sheet("收银台（替身）", "#0958d9", f"<p>{escape(text)}</p>{shown}")


def _page(platform: str, body: str) -> str:
    title, colour = _BRANDS[platform]
    return sheet(title, colour, body)
