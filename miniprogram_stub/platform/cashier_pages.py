"""Pages of the cashier (收银台页面), for a phone and without a script."""

from __future__ import annotations

from html import escape
from typing import Final

from miniprogram_stub.platform.clock import beijing_time
from miniprogram_stub.platform.money import yuan
from miniprogram_stub.platform.trades import Trade

_BRANDS: Final = {
    "alipay": ("支付宝收银台（替身）", "#0958d9"),
    "wechatpay": ("微信支付收银台（替身）", "#067a42"),
}
_PAGE: Final = """<!doctype html><html lang="zh-CN">
<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="referrer" content="no-referrer"><title>{title}</title>
<style>
body{{font:16px/1.6 sans-serif;margin:0 auto;padding:1rem;max-width:26rem;background:#f2f3f5;color:#1f2329}}
h1{{font-size:1rem;font-weight:400;margin:.5rem 0;color:#4e5969;text-align:center}}
main{{background:#fff;border-radius:.75rem;padding:1rem;overflow-wrap:anywhere}}
.amount{{font-size:2.25rem;text-align:center;margin:.5rem 0}}
dl{{display:grid;grid-template-columns:5rem 1fr;gap:.25rem .5rem;margin:1rem 0}}dt{{color:#4e5969}}dd{{margin:0}}
label{{display:block;margin:1rem 0}}
input{{font:inherit;width:100%;box-sizing:border-box;padding:.5rem;border:1px solid #86909c;border-radius:.5rem}}
button{{font:inherit;width:100%;padding:.75rem;border-radius:.5rem;border:1px solid #86909c;background:#fff}}
button[value=pay]{{background:{colour};border-color:{colour};color:#fff;margin-bottom:.75rem}}
</style>
<h1>{title}</h1><main>{body}</main></html>"""
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
    return _PAGE.format(title="收银台（替身）", colour="#0958d9", body=f"<p>{escape(text)}</p>{shown}")


def _page(platform: str, body: str) -> str:
    title, colour = _BRANDS[platform]
    return _PAGE.format(title=title, colour=colour, body=body)
