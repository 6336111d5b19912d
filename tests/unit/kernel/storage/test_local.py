"""What only a folder can get wrong."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import tracemalloc
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from domains.kernel import clock
from domains.kernel.errors import Unavailable
from domains.kernel.storage import LocalStorage, StoredFile
from tests.unit.kernel.storage.stores import MIB, LocalDepot, stream


async def save_picture(storage: LocalStorage) -> StoredFile:
    return await storage.save("p", stream(*[b"x" * 4096] * 20), content_type="image/png", limit_bytes=MIB)


async def test_fifty_megabytes_pass_through_a_few(local_depot: LocalDepot) -> None:
    async def film() -> AsyncIterator[bytes]:
        for number in range(800):
            yield bytes([number % 256]) * 65_536

    tracemalloc.start()
    try:
        stored = await local_depot.storage.save("p", film(), content_type="video/mp4", limit_bytes=50 * MIB)
        async for _ in await local_depot.storage.open(stored.key):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert stored.size == 50 * MIB
    assert peak < 2 * MIB


@pytest.mark.parametrize("delay_ms", [0, 0.5, 1, 2, 3, 4, 6, 8, 16, 32])
async def test_a_save_cancelled_at_any_moment_is_whole_or_nothing(
    local_depot: LocalDepot, delay_ms: float
) -> None:
    saving = asyncio.create_task(save_picture(local_depot.storage))
    await asyncio.sleep(delay_ms / 1000)
    saving.cancel()
    (outcome,) = await asyncio.gather(saving, return_exceptions=True)
    await asyncio.sleep(0.05)
    assert local_depot.partial() == 0
    assert local_depot.visible() == ([outcome.key] if isinstance(outcome, StoredFile) else [])


async def test_a_full_disk_is_unavailable_and_leaves_nothing(
    local_depot: LocalDepot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable) as refused:
        await save_picture(local_depot.storage)
    assert refused.value.code == "FILE_STORE_UNAVAILABLE"
    assert (local_depot.visible(), local_depot.partial()) == ([], 0)


@pytest.mark.parametrize("chunk", [b"x" * 1000, b"x" * 300_000])
async def test_a_write_that_fails_is_unavailable_and_leaves_nothing(
    local_depot: LocalDepot, chunk: bytes
) -> None:
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, usual[1]))
    try:
        with pytest.raises(Unavailable, match="FILE_STORE_UNAVAILABLE"):
            await local_depot.storage.save(
                "p", stream(*[chunk] * 200), content_type="image/png", limit_bytes=90 * MIB
            )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert (local_depot.visible(), local_depot.partial()) == ([], 0)


async def test_a_folder_that_cannot_be_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    storage = LocalStorage(tmp_path / "file" / "files")
    with pytest.raises(Unavailable, match="FILE_STORE_UNAVAILABLE"):
        await save_picture(storage)


async def test_files_are_for_the_owner_alone(local_depot: LocalDepot) -> None:
    stored = await save_picture(local_depot.storage)
    assert (local_depot.root / stored.key).stat().st_mode & 0o077 == 0


async def test_a_sweep_spares_what_is_being_written(local_depot: LocalDepot) -> None:
    partial = local_depot.root / ".partial"
    partial.mkdir(parents=True)
    for name, age in (("old", timedelta(hours=2)), ("young", timedelta(minutes=1))):
        touched = (clock.now() - age).timestamp()
        (partial / name).write_bytes(b"half")
        os.utime(partial / name, (touched, touched))
    assert await local_depot.storage.sweep_partial(timedelta(hours=1)) == 1
    assert [path.name for path in partial.iterdir()] == ["young"]
