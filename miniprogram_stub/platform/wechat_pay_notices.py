"""WeChat Pay's callbacks as they go out (支付与退款结果通知): signed, with the resource sealed."""

from __future__ import annotations

import json
import time
from typing import Any, Final

import httpx

from miniprogram_stub.platform.courier import Letter
from miniprogram_stub.platform.credentials import WeChatPayKeys, WeChatPayMerchant
from miniprogram_stub.platform.notices import Notice
from miniprogram_stub.platform.wechat_pay_signing import sealed, signed_headers
from miniprogram_stub.platform.wechat_pay_states import rfc3339

_STALE_SECONDS: Final = 600


class WeChatPayNotices:
    """Sixteen deliveries in 24 hours and 4 minutes."""

    gaps: Final = (15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600)
    patience_seconds: Final = 5.0

    def __init__(self, merchant: WeChatPayMerchant, keys: WeChatPayKeys) -> None:
        self._merchant = merchant
        self._keys = keys

    def letter(self, notice: Notice, fault: str) -> Letter:
        """What to post, sealed and signed now."""
        content = notice.fields
        resource: dict[str, Any] = content["resource"]
        _misstate(resource, fault)
        plaintext = json.dumps(resource, ensure_ascii=False, separators=(",", ":")).encode()
        body = {
            "id": notice.notice_id,
            "create_time": rfc3339(notice.made_at),
            "resource_type": "encrypt-resource",
            "event_type": notice.event,
            "summary": content["summary"],
            "resource": sealed(self._merchant.apiv3_key, content["type"], plaintext),
        }
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        at = time.time() - _STALE_SECONDS if fault == "stale" else None
        headers = signed_headers(self._keys.private, self._merchant.public_key_id, text, fault=fault, at=at)
        return Letter({"Content-Type": "application/json", **headers}, text)

    def accepted(self, answer: httpx.Response) -> bool:
        """Any success."""
        return answer.is_success


def _misstate(resource: dict[str, Any], fault: str) -> None:
    if fault == "wrong_amount":
        for name in ("total", "payer_total", "refund", "payer_refund"):
            if name in resource["amount"]:
                resource["amount"][name] += 1
    elif fault == "wrong_app":
        resource["appid"] = "wx0000000000000000"
    elif fault == "wrong_seller":
        resource["mchid"] = "1600000000"
