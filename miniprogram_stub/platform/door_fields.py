"""What requests of the front door carry (前门的请求体), and the sentence that says what is wrong with one."""

from __future__ import annotations

import json
import re
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}")


class UnusableError(Exception):
    """A request of the front door that makes no sense; the text says what to change."""


async def explain(_request: Request, error: Exception) -> Response:
    """HTTP 400 with the reason."""
    return JSONResponse({"error": str(error)}, 400)


async def given_fields(request: Request) -> dict[str, object]:
    """The JSON object of the body."""
    try:
        fields = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise UnusableError("请求体须为 JSON 对象") from error
    if not isinstance(fields, dict):
        raise UnusableError("请求体须为 JSON 对象")
    return fields


def given_text(fields: dict[str, object], name: str, longest: int = 64) -> str:
    """A field of 1 to `longest` visible characters."""
    text = fields.get(name)
    if not isinstance(text, str) or not 1 <= len(text) <= longest or not text.isprintable():
        raise UnusableError(f"{name} 须为 1 至 {longest} 个可见字符")
    return text


def given_person(fields: dict[str, object]) -> str:
    """Whose phone it is."""
    return given_text(fields, "person")


def given_phone(fields: dict[str, object]) -> str:
    """A mainland mobile number."""
    phone = fields.get("phone")
    if not isinstance(phone, str) or not _MOBILE.fullmatch(phone):
        raise UnusableError("phone 须为 11 位中国大陆手机号")
    return phone


def given_times(fields: dict[str, object], most: int | None = None, name: str = "times") -> int:
    """`times`, 1 unless given."""
    times = fields.get(name, 1)
    if type(times) is not int or times < 1 or (most is not None and times > most):
        raise UnusableError(f"{name} 须为正整数" + (f"，不超过 {most}" if most else ""))
    return times


def given_choice(fields: dict[str, object], name: str, choices: tuple[str, ...]) -> str:
    """One of the choices, the first unless given."""
    chosen = fields.get(name, choices[0])
    if not isinstance(chosen, str) or chosen not in choices:
        raise UnusableError(f"{name} 须为 {'、'.join(choices)} 之一")
    return chosen
