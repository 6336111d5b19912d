"""alipay.system.oauth.token (换取授权访问令牌)."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from miniprogram_stub.platform.alipay_refusal import GatewayRefusalError
from miniprogram_stub.platform.clock import BEIJING
from miniprogram_stub.platform.codes import CodeUnknownError, CodeUsedError, redeem_code
from miniprogram_stub.platform.people import person_called
from miniprogram_stub.platform.tokens import find_token, issue_token, kill_token

_ACCESS_SECONDS: Final = 1296000
_REFRESH_SECONDS: Final = 2592000


def exchange_token(rows: sqlite3.Connection, params: Mapping[str, str]) -> dict[str, object]:
    """Tokens and ids of the person behind the code; as on the real gateway, success carries no `code`."""
    match params.get("grant_type"):
        case "authorization_code":
            name = _by_code(rows, params)
        case "refresh_token":
            name = _by_refresh_token(rows, params)
        case None | "":
            raise GatewayRefusalError("40001", "isv.missing-grant-type", "缺少grant_type参数")
        case _:
            raise GatewayRefusalError("40002", "isv.grant-type-invalid", "grant_type参数不正确")
    person = person_called(rows, name)
    return {
        "access_token": "authbseB" + secrets.token_hex(16),
        "auth_start": f"{datetime.now(BEIJING):%Y-%m-%d %H:%M:%S}",
        "expires_in": _ACCESS_SECONDS,
        "open_id": person.alipay_open_id,
        "re_expires_in": _REFRESH_SECONDS,
        "refresh_token": issue_token(rows, "alipay_refresh", _REFRESH_SECONDS, person=name).token,
        "user_id": person.alipay_user_id,
    }


def _by_code(rows: sqlite3.Connection, params: Mapping[str, str]) -> str:
    code = params.get("code")
    if not code:
        raise GatewayRefusalError("40001", "isv.missing-code", "缺少code参数")
    try:
        return redeem_code(rows, "alipay_login", code).person
    except CodeUnknownError as error:
        raise GatewayRefusalError("40002", "isv.code-invalid", "授权码code无效") from error
    except CodeUsedError as error:
        raise GatewayRefusalError("40002", "isv.code-is-used", "授权码code已被使用") from error


def _by_refresh_token(rows: sqlite3.Connection, params: Mapping[str, str]) -> str:
    text = params.get("refresh_token")
    if not text:
        raise GatewayRefusalError("40001", "isv.missing-refresh-token", "缺少refresh_token参数")
    token = find_token(rows, "alipay_refresh", text)
    if token is None or token.dead_at is not None:
        raise GatewayRefusalError("40002", "isv.refresh-token-invalid", "刷新令牌refresh_token无效")
    if token.seconds_left <= 0:
        raise GatewayRefusalError("40002", "isv.refresh-token-time-out", "刷新令牌refresh_token过期")
    kill_token(rows, text)
    return token.person
