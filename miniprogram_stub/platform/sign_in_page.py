"""The page on which a person signs in to another site with the platform's account (网页授权页面)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, Literal

from miniprogram_stub.platform.sheet import sheet

Platform = Literal["wechat", "alipay"]
BRANDS: Final = {
    "wechat": ("微信登录（替身）", "#067a42"),
    "alipay": ("支付宝登录（替身）", "#0958d9"),
}
_SOMEBODY: Final = """<label class="choice"><input type="radio" name="person" value="{value}"{checked}>
<span>{name}<br><small>{phone}</small></span></label>"""
_FORM: Final = """<p>“{site}”申请使用您的{brand}账号登录</p>{wrong}<form method="post">
<fieldset><legend>您是</legend>{people}</fieldset>
<label>另一个人的姓名<input name="name" value="{name}" maxlength="64" autocomplete="off"></label>
<label>手机号<input name="phone" value="{phone}" maxlength="11" inputmode="numeric" autocomplete="off"></label>
<label class="choice"><input type="checkbox" name="with_phone" value="1"{with_phone}>同时提供手机号</label>
<button name="answer" value="allow">同意登录</button>
<button name="answer" value="cancel" formnovalidate>取消</button></form>"""


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person and their number."""

    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class Given:
    """What was filled in; `person` is empty for somebody who is not among the choices."""

    person: str = ""
    name: str = ""
    phone: str = ""
    with_phone: bool = True


def sign_in_page(
    platform: Platform, site: str, people: Sequence[Somebody], given: Given | None = None, wrong: str = ""
) -> str:
    """Who to be, and whether to give the number; `wrong` says what to change, with what was filled in kept."""
    title, colour = BRANDS[platform]
    chosen = given or Given(person=people[0].name if people else "")
    another = Somebody("", "在下面填写")
    choices = "".join(_choice(each, each.name == chosen.person) for each in (*people, another))
    body = _FORM.format(
        site=escape(site), brand=title.partition("登录")[0], people=choices, name=escape(chosen.name),
        phone=escape(chosen.phone), with_phone=" checked" if chosen.with_phone else "",
        wrong=f'<p class="wrong" role="alert">{escape(wrong)}</p>' if wrong else "",
    )  # fmt: skip
    return sheet(title, colour, body)


def refusal_page(platform: Platform, text: str) -> str:
    """Why nobody signs in here, and no way on: an address that was not registered is not led to."""
    return sheet(*BRANDS[platform], f'<p role="alert">{escape(text)}</p><p>可以关闭此页面。</p>')


def _choice(who: Somebody, is_chosen: bool) -> str:
    return _SOMEBODY.format(
        value=escape(who.name), name=escape(who.name) or "另一个人", phone=escape(who.phone),
        checked=" checked" if is_chosen else "",
    )  # fmt: skip
