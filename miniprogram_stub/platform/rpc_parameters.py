"""Parameters that the RPC interfaces have in common: numbers, and the variables of a text (模板变量)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from miniprogram_stub.platform.rpc_refusal import RpcRefusedError

_VARIABLE: Final = re.compile(r"\$\{(\w+)\}")


def given_variables(text: str) -> dict[str, str]:
    """The variables of a JSON object; none for an empty text."""
    try:
        values = json.loads(text or "{}")
        json.dumps(values, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise RpcRefusedError("isv.INVALID_JSON_PARAM", "参数格式错误，请修改为字符串值") from error
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise RpcRefusedError("isv.INVALID_JSON_PARAM", "参数格式错误，请修改为字符串值")
    return values


def filled(text: str, values: Mapping[str, str]) -> str:
    """A template's text with each `${name}` replaced."""
    try:
        return _VARIABLE.sub(lambda variable: values[variable[1]], text)
    except KeyError as error:
        raise RpcRefusedError("isv.TEMPLATE_MISSING_PARAMETERS", "模板变量缺少对应参数值") from error


def given_number(params: Mapping[str, str], name: str, lowest: int, highest: int, default: str = "") -> int:
    """An integer within its range."""
    text = params.get(name) or default
    if not re.fullmatch(r"-?[0-9]{1,9}", text) or not lowest <= int(text) <= highest:
        raise RpcRefusedError("isv.INVALID_PARAMETERS", f"参数异常：{name}")
    return int(text)
