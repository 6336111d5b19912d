"""How Alibaba Cloud's RPC interfaces refuse (错误码)."""

from __future__ import annotations


class RpcRefusedError(Exception):
    """A refusal of Alibaba Cloud's; business refusals (isv.*, isp.*) come with HTTP 200."""

    def __init__(self, code: str, message: str, status: int = 200) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.status = status
