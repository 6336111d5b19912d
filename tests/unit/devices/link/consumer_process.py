"""A consumer to be killed: writes down what it is given, then lives on or ends on the spot.

Arguments: the broker's address, the file, and `die` for one that ends between commit and acknowledgement.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from domains.devices.link import Consumer, Link, Message

CLIENT_ID = "test-killed"


async def consume(url: str, file: Path, *, dies: bool) -> None:
    """Each payload once in the file, however often it comes."""

    async def commit(batch: list[Message]) -> None:
        known, told = file.read_text().split(), [message.payload.decode() for message in batch]
        with file.open("a") as lines:
            lines.writelines(line + "\n" for line in told if line not in known)
            lines.flush()
            os.fsync(lines.fileno())
        for line in told:
            print("again" if line in known else "new", line, flush=True)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)

    async with Link(url, CLIENT_ID, Consumer({"evt": commit}, durable=True)) as link:
        await link.online.wait()
        print("online", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(consume(sys.argv[1], Path(sys.argv[2]), dies="die" in sys.argv))
