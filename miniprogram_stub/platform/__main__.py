"""`python -m miniprogram_stub.platform --port P --home DIR` (port 0 takes a free one)."""

from __future__ import annotations

import argparse
from pathlib import Path

from miniprogram_stub.platform.server import serve


def main() -> None:
    """Run the stand-ins until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(
        prog="miniprogram_stub.platform", description="微信、支付宝与短信平台替身"
    )
    parser.add_argument("--port", type=int, required=True, help="127.0.0.1 上的端口，0 表示任选一个空闲端口")
    parser.add_argument("--home", type=Path, required=True, help="存放账本与密钥的目录，不存在时自动创建")
    arguments = parser.parse_args()
    serve(arguments.home, arguments.port)


if __name__ == "__main__":
    main()
