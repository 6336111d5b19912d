"""Alipay's notifications as they go out (异步通知): a form, signed RSA2, answered with `success`."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

import httpx
from cryptography.hazmat.primitives import hashes

from miniprogram_stub.platform.clock import beijing_time
from miniprogram_stub.platform.courier import Letter
from miniprogram_stub.platform.credentials import AlipayKeys
from miniprogram_stub.platform.money import fen, yuan
from miniprogram_stub.platform.notices import Notice
from miniprogram_stub.platform.rsa_signing import rsa_sign

_STALE: Final = timedelta(hours=26)


class AlipayNotices:
    """Eight deliveries in 25 hours: at once, then after 4 m, 10 m, 10 m, 1 h, 2 h, 6 h and 15 h."""

    gaps: Final = (240, 600, 600, 3600, 7200, 21600, 54000)
    patience_seconds: Final = 15.0

    def __init__(self, keys: AlipayKeys) -> None:
        self._keys = keys

    def letter(self, notice: Notice, fault: str) -> Letter:
        """What to post; the signature covers what a fault made of it, unless it is the fault itself."""
        sent_at = time.time() - (_STALE.total_seconds() if fault == "stale" else 0)
        fields = {**notice.fields, "notify_id": notice.notice_id, "notify_time": beijing_time(sent_at)}
        _misstate(fields, fault)
        covered = "&".join(f"{name}={value}" for name, value in sorted(fields.items()))
        if fault == "bad_signature":
            covered += "&"
        digest = hashes.SHA1() if fault == "sha1_signature" else hashes.SHA256()  # noqa: S303 - the fault
        sign = rsa_sign(self._keys.private, covered.encode(), digest)
        body = urlencode({**fields, "sign_type": "RSA2", "sign": sign}).encode()
        return Letter({"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, body)

    def accepted(self, answer: httpx.Response) -> bool:
        """Seven bytes, and nothing around them."""
        return answer.status_code == 200 and answer.content == b"success"


def _misstate(fields: dict[str, str], fault: str) -> None:
    if fault == "wrong_amount":
        less = yuan((fen(fields["total_amount"]) or 0) + 1)
        fields |= {
            name: less for name in ("total_amount", "receipt_amount", "buyer_pay_amount") if name in fields
        }
    elif fault == "wrong_app":
        fields |= dict.fromkeys(("app_id", "auth_app_id"), "2021000000000000")
    elif fault == "wrong_seller":
        fields["seller_id"] = "2088000000000000"
