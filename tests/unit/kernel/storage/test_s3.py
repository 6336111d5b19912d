"""What only an object store can get wrong."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import quote

import httpx
import pytest

from domains.kernel.errors import Invalid, Unavailable
from domains.kernel.storage.s3 import S3Storage
from tests.unit.kernel.storage.stores import MIB, S3Depot, read_all, stream


async def test_an_upload_that_the_store_loses_is_unavailable_and_leaves_nothing(s3_depot: S3Depot) -> None:
    async def losing() -> AsyncIterator[bytes]:
        yield b"x" * 6 * MIB
        (upload,) = s3_depot.client.list_multipart_uploads(Bucket=s3_depot.bucket)["Uploads"]
        s3_depot.client.abort_multipart_upload(
            Bucket=s3_depot.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
        )
        yield b"x" * 6 * MIB

    with pytest.raises(Unavailable) as refused:
        await s3_depot.storage.save("p", losing(), content_type="video/mp4", limit_bytes=50 * MIB)
    assert refused.value.code == "FILE_STORE_UNAVAILABLE"
    assert (s3_depot.visible(), s3_depot.partial()) == ([], 0)


async def test_a_store_that_does_not_answer_is_unavailable() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        storage = S3Storage(
            endpoint=f"http://127.0.0.1:{bound.getsockname()[1]}",
            region="cn-east-1",
            bucket="linli",
            access_key="a",
            secret_key="s",
            path_style=True,
        )
        with pytest.raises(Unavailable, match="FILE_STORE_UNAVAILABLE"):
            await storage.stat("p/2026/01/" + "0" * 32 + ".jpg")
        await storage.aclose()


async def test_a_bucket_that_is_missing_is_unavailable(s3_depot: S3Depot) -> None:
    s3_depot.client.delete_bucket(Bucket=s3_depot.bucket)
    with pytest.raises(Unavailable, match="FILE_STORE_UNAVAILABLE"):
        await s3_depot.storage.save("p", stream(b"x"), content_type="image/png", limit_bytes=9)


async def test_the_redirect_serves_the_file_with_our_headers(s3_depot: S3Depot) -> None:
    stored = await s3_depot.storage.save("exports", stream(b"a,b\n"), content_type="text/csv", limit_bytes=99)
    address = await s3_depot.storage.presigned(
        stored.key, lifetime=timedelta(minutes=1), download_name="九月账单.csv"
    )
    async with httpx.AsyncClient(trust_env=False) as browser:
        answer = await browser.get(address)
    assert (answer.status_code, answer.content) == (200, b"a,b\n")
    assert quote("九月账单.csv") in answer.headers["content-disposition"]
    assert answer.headers["content-disposition"].startswith("attachment")
    with pytest.raises(Invalid, match="FILE_KEY_INVALID"):
        await s3_depot.storage.presigned("../other", lifetime=timedelta(minutes=1))


async def test_one_client_serves_saves_at_once(s3_depot: S3Depot) -> None:
    contents = [bytes([number]) * 6 * MIB for number in range(3)]
    stored = await asyncio.gather(
        *(
            s3_depot.storage.save("p", stream(content), content_type="video/mp4", limit_bytes=50 * MIB)
            for content in contents
        )
    )
    assert [await read_all(await s3_depot.storage.open(each.key)) for each in stored] == contents


async def test_the_local_store_loads_no_object_store_client() -> None:
    code = "import sys, domains.kernel.storage; print([m for m in sys.modules if 'boto' in m])"
    asking = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    answer, _ = await asking.communicate()
    assert answer == b"[]\n"
