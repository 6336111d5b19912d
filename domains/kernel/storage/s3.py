"""Files in an S3-compatible object store (对象存储): Aliyun OSS, Tencent COS, MinIO, AWS.

Imported only where it is chosen: aiobotocore costs tens of megabytes of memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from datetime import timedelta
from io import BytesIO
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from aiohttp import ClientError as ConnectionFailed
from botocore.exceptions import BotoCoreError, ClientError

from domains.kernel import clock
from domains.kernel.errors import DomainError
from domains.kernel.storage.errors import file_not_found, range_invalid, store_unavailable
from domains.kernel.storage.headers import content_disposition
from domains.kernel.storage.keys import check_key, new_key
from domains.kernel.storage.port import (
    READ_CHUNK_BYTES,
    FileStat,
    Intake,
    StoredFile,
    check_range,
)

_Client = Any  # aiobotocore makes its clients at run time and describes them nowhere
_Target = dict[str, str]
_Parts = AsyncIterator[bytearray]

_PART_BYTES = 5 * 1024 * 1024
"""The least that S3 takes as a part; 10,000 parts make 50 GB."""


class S3Storage:
    """A `Storage` in a bucket that belongs to this product alone."""

    def __init__(
        self,
        *,
        endpoint: str | None,
        region: str,
        bucket: str,
        access_key: str,
        secret_key: str,
        path_style: bool = False,
    ) -> None:
        self._bucket = bucket
        self._stack = AsyncExitStack()
        self._connecting = asyncio.Lock()
        self._connected: _Client = None
        self._options = {
            "endpoint_url": endpoint,
            "region_name": region,
            "aws_access_key_id": access_key,
            "aws_secret_access_key": secret_key,
            "config": _config(path_style),
        }

    async def save(
        self,
        prefix: str,
        chunks: AsyncIterator[bytes],
        *,
        content_type: str,
        limit_bytes: int,
        key: str | None = None,
    ) -> StoredFile:
        """See `Storage.save`."""
        key = key or new_key(prefix, content_type, clock.now())
        intake = Intake(limit_bytes)
        parts = _parts(chunks, intake)
        with _translated():
            await self._store(key, content_type, await anext(parts), parts)
        return intake.stored(key, content_type)

    async def _store(self, key: str, content_type: str, first: bytearray, rest: _Parts) -> None:
        client, target = await self._client(), self._target(key)
        async with AsyncExitStack() as undo:
            # A request whose answer was lost may have been carried out all the same.
            undo.push_async_callback(_quietly, client.delete_object, target)
            if len(first) < _PART_BYTES:
                await client.put_object(**target, Body=BytesIO(first), ContentType=content_type)
            else:
                begun = await client.create_multipart_upload(**target, ContentType=content_type)
                upload = {**target, "UploadId": begun["UploadId"]}
                undo.push_async_callback(_quietly, client.abort_multipart_upload, upload)
                await _send_parts(client, upload, first, rest)
            undo.pop_all()

    async def open(self, key: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        """See `Storage.open`."""
        check_key(key)
        check_range(start, end)
        content = self._read(key, start, end)
        # Up to its first, empty chunk: what is missing is refused here, before headers are sent.
        await anext(content)
        return content

    async def _read(self, key: str, start: int, end: int | None) -> AsyncGenerator[bytes, None]:
        wanted = self._target(key)
        if start or end is not None:
            wanted["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
        with _translated():
            answer = await (await self._client()).get_object(**wanted)
            async with answer["Body"] as body:
                yield b""
                async for chunk in body.iter_chunks(READ_CHUNK_BYTES):
                    yield chunk

    async def stat(self, key: str) -> FileStat:
        """See `Storage.stat`."""
        content_type = check_key(key)
        with _translated():
            found = await (await self._client()).head_object(**self._target(key))
        return FileStat(key, found["ContentLength"], content_type, found["LastModified"])

    async def delete(self, key: str) -> None:
        """See `Storage.delete`."""
        check_key(key)
        with _translated():
            await (await self._client()).delete_object(**self._target(key))

    async def sweep_partial(self, older_than: timedelta) -> int:
        """See `Storage.sweep_partial`; the age counts from the beginning of the upload."""
        client, before, swept = await self._client(), clock.now() - older_than, 0
        with _translated():
            async for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket):
                for upload in page.get("Uploads", ()):
                    if upload["Initiated"] < before:
                        target = self._target(upload["Key"])
                        swept += await _abort(client, {**target, "UploadId": upload["UploadId"]})
        return swept

    async def presigned(self, key: str, *, lifetime: timedelta, download_name: str | None = None) -> str:
        """An address at the object store itself, to redirect to instead of streaming.

        Whoever has it can read the file until it ends: it knows no audience. Raises `FILE_KEY_INVALID`.
        """
        content_type = check_key(key)
        answer = {
            "ResponseContentType": content_type,
            "ResponseContentDisposition": content_disposition(content_type, download_name),
            "ResponseCacheControl": "private",
        }
        address: str = await (await self._client()).generate_presigned_url(
            "get_object", Params={**self._target(key), **answer}, ExpiresIn=int(lifetime.total_seconds())
        )
        return address

    async def aclose(self) -> None:
        """See `Storage.aclose`."""
        await self._stack.aclose()

    def _target(self, key: str) -> _Target:
        return {"Bucket": self._bucket, "Key": key}

    async def _client(self) -> _Client:
        async with self._connecting:
            if self._connected is None:
                created = get_session().create_client("s3", **self._options)
                self._connected = await self._stack.enter_async_context(created)
        return self._connected


def _config(path_style: bool) -> AioConfig:
    return AioConfig(
        signature_version="s3v4",
        s3={"addressing_style": "path" if path_style else "virtual"},
        retries={"mode": "standard", "total_max_attempts": 3},
        connect_timeout=5,
        read_timeout=30,
        # The checksums that AWS clients add by default are not understood by every compatible store.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ClientError as refused:
        raise _refusal(refused.response.get("Error", {}).get("Code", "")) from refused
    except (BotoCoreError, ConnectionFailed) as failed:
        raise store_unavailable() from failed


def _refusal(code: str) -> DomainError:
    if code in ("NoSuchKey", "404"):
        return file_not_found()
    return range_invalid() if code in ("InvalidRange", "416") else store_unavailable()


async def _parts(chunks: AsyncIterator[bytes], intake: Intake) -> _Parts:
    """The stream in full parts and one shorter last part, which may be empty."""
    part = bytearray()
    async for chunk in chunks:
        intake.take(chunk)
        part += chunk
        if len(part) >= _PART_BYTES:
            yield part
            part = bytearray()
    yield part


async def _send_parts(client: _Client, upload: _Target, first: bytearray, rest: _Parts) -> None:
    sent = [await _send_part(client, upload, 1, first)]
    async for part in rest:
        if part:
            sent.append(await _send_part(client, upload, len(sent) + 1, part))
    await client.complete_multipart_upload(**upload, MultipartUpload={"Parts": sent})


async def _send_part(client: _Client, upload: _Target, number: int, part: bytearray) -> dict[str, object]:
    answer = await client.upload_part(**upload, PartNumber=number, Body=BytesIO(part))
    return {"PartNumber": number, "ETag": answer["ETag"]}


async def _quietly(call: Callable[..., Awaitable[object]], target: _Target) -> None:
    """Undo what can be undone; what cannot is left to the sweep, and the first error is told."""
    with suppress(BotoCoreError, ClientError, ConnectionFailed):
        await asyncio.shield(call(**target))


async def _abort(client: _Client, upload: _Target) -> int:
    """Abort an upload; 0 when somebody else was faster."""
    try:
        await client.abort_multipart_upload(**upload)
    except client.exceptions.NoSuchUpload:
        return 0
    return 1
