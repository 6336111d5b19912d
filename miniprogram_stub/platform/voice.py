"""阿里云语音服务 (Dyvmsapi 2017-05-25): SingleCallByTts, a call that reads a text aloud."""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
import time
from collections.abc import Mapping
from functools import partial
from typing import Final

from miniprogram_stub.platform.inbox import Message, show
from miniprogram_stub.platform.phone_lines import line_state
from miniprogram_stub.platform.rpc_gateway import Action, Service
from miniprogram_stub.platform.rpc_parameters import filled, given_number, given_variables
from miniprogram_stub.platform.rpc_refusal import RpcRefusedError
from miniprogram_stub.platform.sms import MOBILE, require_below
from miniprogram_stub.platform.sms_console import SmsConsole

_LANDLINE: Final = re.compile(r"(0[0-9]{2,3}[0-9]{7,8})")
_LONGEST_OUT_ID: Final = 15  # bytes
_VARIABLES_BELOW: Final = 250  # characters, all variables together


def voice_service(console: SmsConsole) -> Service:
    """SingleCallByTts; its templates stand in the SMS console under codes that begin with TTS_."""
    call = Action(("CalledNumber", "TtsCode"), partial(call_by_tts, console))
    return Service("voice", "dyvmsapi.aliyuncs.com", "/voice/", {"SingleCallByTts": call})


def call_by_tts(
    console: SmsConsole, rows: sqlite3.Connection, params: Mapping[str, str]
) -> dict[str, object]:
    """Place the call; answers its CallId, also when nobody can pick up."""
    phone, code, out_id = _called(params["CalledNumber"]), params["TtsCode"], params.get("OutId", "")
    play_times = given_number(params, "PlayTimes", 1, 3, "3")
    given_number(params, "Volume", 0, 100, "100")
    given_number(params, "Speed", -500, 500, "0")
    if len(out_id.encode()) > _LONGEST_OUT_ID:
        raise RpcRefusedError("isv.INVALID_PARAMETERS", "参数异常：OutId")
    template = console.template(code) if code.startswith("TTS_") else None
    if template is None:
        raise RpcRefusedError("isv.TTS_TEMPLATE_ILLEGAL", "TTS模板不合法")
    values = _variables(params.get("TtsParam", ""))
    text = filled(template.text, values)
    _require_quota(rows, console, phone)
    call_id = f"{secrets.randbelow(10**12):012d}^{secrets.randbelow(10**12):012d}"
    rows.execute(
        "INSERT INTO voice_calls VALUES (?, ?, ?, ?, ?, ?, ?)",
        (call_id, phone, code, text, out_id, play_times, time.time()),
    )
    if line_state(rows, phone) == "on":
        content = json.dumps(values, ensure_ascii=False)
        show(
            rows,
            Message(
                channel="voice", phone=phone, template=code, text=text, content=content, platform_id=call_id
            ),
        )
    return {"CallId": call_id}


def _called(number: str) -> str:
    match = MOBILE.fullmatch(number) or _LANDLINE.fullmatch(number)
    if match is None:
        raise RpcRefusedError("isv.MOBILE_NUMBER_ILLEGAL", "号码格式非法")
    return match[1]


def _variables(text: str) -> dict[str, str]:
    values = given_variables(text)
    if sum(map(len, values.values())) >= _VARIABLES_BELOW:
        raise RpcRefusedError("isv.PARAM_LENGTH_LIMIT", "参数长度受限")
    if any("://" in value for value in values.values()):
        raise RpcRefusedError("isv.PARAM_NOT_SUPPORT_URL", "变量不支持URL参数")
    return values


def _require_quota(rows: sqlite3.Connection, console: SmsConsole, phone: str) -> None:
    """Every call counts, answered or not."""
    setup = console.current()
    for seconds, allowed in setup.limits["voice"].items() if setup else ():
        (placed,) = rows.execute(
            "SELECT count(*) FROM voice_calls WHERE phone = ? AND called_at > ?",
            (phone, time.time() - seconds),
        ).fetchone()
        require_below(placed, allowed, seconds)
