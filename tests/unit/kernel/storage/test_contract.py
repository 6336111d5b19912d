"""What every store promises, asked of both."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from domains.kernel import clock
from domains.kernel.errors import DomainError, Invalid, NotFound
from domains.kernel.storage import Storage, StoredFile
from tests.unit.kernel.storage.stores import MIB, Depot, read_all, stream

LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)


async def save(storage: Storage, *chunks: bytes, limit_bytes: int = 50 * MIB) -> StoredFile:
    return await storage.save(
        "repairs/pictures", stream(*chunks), content_type="image/jpeg", limit_bytes=limit_bytes
    )


async def refusal(call: Awaitable[object]) -> str:
    with pytest.raises(DomainError) as refused:
        await call
    return refused.value.code


@pytest.mark.parametrize("size", [0, 1, 70_000, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 12 * MIB])
async def test_what_was_saved_is_read_back(depot: Depot, size: int) -> None:
    content = bytes(range(251)) * (size // 251 + 1)
    chunks = [content[at : min(at + 65_536, size)] for at in range(0, size, 65_536)]
    stored = await save(depot.storage, *chunks)
    assert stored.size == size
    assert stored.sha256 == hashlib.sha256(content[:size]).hexdigest()
    assert stored.content_type == "image/jpeg"
    assert await read_all(await depot.storage.open(stored.key)) == content[:size]
    assert (depot.visible(), depot.partial()) == ([stored.key], 0)


async def test_a_key_tells_the_month_and_cannot_be_guessed(depot: Depot) -> None:
    with clock.use(clock.FixedClock(datetime(2026, 3, 31, 23, 0, tzinfo=UTC))):
        keys = {(await save(depot.storage, b"x")).key for _ in range(3)}
    assert len(keys) == 3
    for key in keys:
        folder, _, name = key.rpartition("/")
        assert folder == "repairs/pictures/2026/03"
        assert len(bytes.fromhex(name.removesuffix(".jpg"))) == 16


async def test_stat_knows_size_type_and_time(depot: Depot) -> None:
    stored = await save(depot.storage, b"1234567")
    found = await depot.storage.stat(stored.key)
    assert (found.key, found.size, found.content_type) == (stored.key, 7, "image/jpeg")
    assert abs(datetime.now(UTC) - found.stored_at) < timedelta(minutes=1)


async def test_a_part_is_read_like_a_slice(depot: Depot) -> None:
    key = (await save(depot.storage, b"0123456789")).key
    for start, end in ((0, 3), (3, None), (9, 10), (5, 99), (0, None)):
        assert await read_all(await depot.storage.open(key, start, end)) == b"0123456789"[start:end]


async def test_a_part_outside_the_file_is_refused(depot: Depot) -> None:
    full, empty = await save(depot.storage, b"0123456789"), await save(depot.storage)
    for start, end in ((-1, None), (4, 4), (5, 2), (10, None), (10, 20)):
        for stored in (full, empty):
            assert await refusal(depot.storage.open(stored.key, start, end)) == "FILE_RANGE_INVALID"
    assert await refusal(depot.storage.open(empty.key, 0, 5)) == "FILE_RANGE_INVALID"


async def test_a_reader_may_stop_early(depot: Depot) -> None:
    key = (await save(depot.storage, *[b"x" * MIB] * 3)).key
    async with aclosing(await depot.storage.open(key)) as content:
        await anext(content)
    await (await depot.storage.open(key)).aclose()
    assert len(await read_all(await depot.storage.open(key))) == 3 * MIB


async def test_delete_is_idempotent_and_final(depot: Depot) -> None:
    kept, gone = await save(depot.storage, b"kept"), await save(depot.storage, b"gone")
    await depot.storage.delete(gone.key)
    await depot.storage.delete(gone.key)
    assert depot.visible() == [kept.key]
    for read in (depot.storage.open, depot.storage.stat):
        with pytest.raises(NotFound) as refused:
            await read(gone.key)
        assert refused.value.code == "FILE_NOT_FOUND"


@pytest.mark.parametrize("limit_bytes", [0, 99, 6 * MIB])
async def test_over_the_limit_leaves_nothing(depot: Depot, limit_bytes: int) -> None:
    chunks = [b"x" * 100, *[b"y" * MIB] * 8]
    with pytest.raises(Invalid) as refused:
        await save(depot.storage, *chunks, limit_bytes=limit_bytes)
    assert (refused.value.code, refused.value.field) == ("FILE_TOO_LARGE", "file")
    assert (depot.visible(), depot.partial()) == ([], 0)


async def test_the_limit_itself_is_accepted_and_named(depot: Depot) -> None:
    assert (await save(depot.storage, b"x" * 100, limit_bytes=100)).size == 100
    with pytest.raises(Invalid, match="FILE_TOO_LARGE") as refused:
        await save(depot.storage, b"x" * (10 * MIB + 1), limit_bytes=10 * MIB)
    assert refused.value.message == "文件超过 10 MB，请压缩后再上传"


async def test_an_upload_that_breaks_off_leaves_nothing(depot: Depot) -> None:
    async def breaking_off() -> AsyncIterator[bytes]:
        for _ in range(6):
            yield b"x" * MIB
        raise ConnectionResetError("the phone left the lift")

    with pytest.raises(ConnectionResetError):
        await depot.storage.save("p", breaking_off(), content_type="video/mp4", limit_bytes=50 * MIB)
    assert (depot.visible(), depot.partial()) == ([], 0)


async def test_a_cancelled_save_leaves_nothing(depot: Depot) -> None:
    reached = asyncio.Event()

    async def stalling() -> AsyncIterator[bytes]:
        for _ in range(6):
            yield b"x" * MIB
        reached.set()
        await asyncio.Event().wait()

    saving = asyncio.create_task(
        depot.storage.save("p", stalling(), content_type="video/mp4", limit_bytes=50 * MIB)
    )
    await reached.wait()
    assert (depot.visible(), depot.partial()) == ([], 1)
    saving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await saving
    assert (depot.visible(), depot.partial()) == ([], 0)


async def test_saves_at_once_never_mix(depot: Depot) -> None:
    contents = [bytes([number]) * 100_000 for number in range(20)]
    halves = [(content[:50_000], content[50_000:]) for content in contents]
    stored = await asyncio.gather(*(save(depot.storage, *half) for half in halves))
    assert len({each.key for each in stored}) == 20
    read = [await read_all(await depot.storage.open(each.key)) for each in stored]
    assert read == contents


HOSTILE_PREFIXES = [
    "", "/etc", "..", "a/../b", "a//b", "a/", ".partial", "a/.partial", "a\0b", "a\\b", "A", "图片", "a b",
    "a\n", "a%2f..", "-a", "x" * 65, "/".join("a" * 7),
]  # fmt: skip


async def test_a_hostile_prefix_is_refused(depot: Depot) -> None:
    for prefix in HOSTILE_PREFIXES:
        saving = depot.storage.save(prefix, stream(b"x"), content_type="image/png", limit_bytes=9)
        assert await refusal(saving) == "FILE_PREFIX_INVALID", prefix
    assert (depot.visible(), depot.partial()) == ([], 0)


TAIL = "2026/01/" + "0" * 32
HOSTILE_KEYS = [
    "", "/etc/passwd", "../../etc/passwd", f"../{TAIL}.jpg", f"a/../{TAIL}.jpg", f"/a/{TAIL}.jpg",
    f"a/{TAIL}.jpg\0", f"a\0/{TAIL}.jpg", f"a/{TAIL}.jpg\n", f"a/{TAIL}", f"a/{TAIL}.html", f"a/{TAIL}.svg",
    f".partial/{TAIL}.jpg", ".partial/" + "0" * 32, f"a\\{TAIL}.jpg", f"a/{TAIL}.jpg/..", f"a/{TAIL}.JPG",
    "a/２０２６/01/" + "0" * 32 + ".jpg", "a" * 100_000,
]  # fmt: skip


async def test_a_hostile_key_is_refused(depot: Depot) -> None:
    calls: list[Callable[[str], Awaitable[object]]]
    calls = [depot.storage.open, depot.storage.stat, depot.storage.delete]
    for key, call in itertools.product(HOSTILE_KEYS, calls):
        assert await refusal(call(key)) == "FILE_KEY_INVALID", key


async def test_a_type_that_is_never_stored_is_refused(depot: Depot) -> None:
    for content_type in ("image/svg+xml", "text/html", "", "image/jpeg; q=1", "../x"):
        saving = depot.storage.save("p", stream(b"x"), content_type=content_type, limit_bytes=9)
        assert await refusal(saving) == "FILE_TYPE_REFUSED", content_type
    assert (depot.visible(), depot.partial()) == ([], 0)


async def test_a_sweep_of_an_empty_store_finds_nothing(depot: Depot) -> None:
    assert await depot.storage.sweep_partial(timedelta(0)) == 0


DYING = """
import asyncio
{opening}

async def chunks():
    for _ in range(6):
        yield b"x" * (1 << 20)
    print("half", flush=True)
    await asyncio.Event().wait()

asyncio.run(storage.save("p", chunks(), content_type="video/mp4", limit_bytes=1 << 30))
"""


async def test_a_killed_save_leaves_no_file_and_is_swept(depot: Depot) -> None:
    kept = await save(depot.storage, b"kept")
    code = DYING.format(opening=depot.opening)
    dying = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    assert dying.stdout is not None
    assert await asyncio.wait_for(dying.stdout.readline(), 30) == b"half\n"
    dying.send_signal(signal.SIGKILL)
    assert await dying.wait() == -signal.SIGKILL
    assert (depot.visible(), depot.partial()) == ([kept.key], 1)

    with clock.use(clock.FixedClock(LONG_AGO)):
        assert await depot.storage.sweep_partial(timedelta(hours=1)) == 0
    swept = await depot.storage.sweep_partial(timedelta(0))
    assert (depot.visible(), depot.partial()) == ([kept.key], 0)
    assert swept == 1
    assert await read_all(await depot.storage.open(kept.key)) == b"kept"
