"""`python -m miniprogram_stub.platform --port P --home DIR` (port 0 takes a free one, `--speed-up N` shortens waits)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from miniprogram_stub.platform.server import serve

_SPEED_UP: Final = 240.0  # the first repetition of a notification after a second
_MOST: Final = 1_000_000.0


def main() -> None:
    """Run the stand-ins until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(
        prog="miniprogram_stub.platform", description="微信、支付宝与短信平台替身"
    )
    parser.add_argument("--port", type=int, required=True, help="127.0.0.1 上的端口，0 表示任选一个空闲端口")
    parser.add_argument("--home", type=Path, required=True, help="存放账本与密钥的目录，不存在时自动创建")
    parser.add_argument(
        "--speed-up",
        type=_factor,
        default=_SPEED_UP,
        help=f"支付通知重发与退款到账的等待时间除以几，默认 {_SPEED_UP:g}",
    )
    arguments = parser.parse_args()
    serve(arguments.home, arguments.port, arguments.speed_up)


def _factor(text: str) -> float:
    factor = float(text)
    if not 1 <= factor <= _MOST:
        raise argparse.ArgumentTypeError(f"须在 1 到 {_MOST:g} 之间")
    return factor


if __name__ == "__main__":
    main()
