"""The two stores as a test sees them: from the front, and from behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from domains.kernel.storage import LocalStorage, Storage
from domains.kernel.storage.s3 import S3Storage

MIB = 1024 * 1024
Client = Any  # botocore makes its clients at run time and has no types


class Depot(Protocol):
    """A store under test, what lies in it, and the code that opens it in another process."""

    @property
    def storage(self) -> Storage: ...

    @property
    def opening(self) -> str: ...

    def visible(self) -> list[str]: ...

    def partial(self) -> int: ...


@dataclass
class LocalDepot:
    storage: LocalStorage
    root: Path

    @property
    def opening(self) -> str:
        return (
            "from pathlib import Path; from domains.kernel.storage import LocalStorage; "
            f"storage = LocalStorage(Path({str(self.root)!r}))"
        )

    def visible(self) -> list[str]:
        files = (path for path in self.root.rglob("*") if path.is_file())
        return [str(path.relative_to(self.root)) for path in files if ".partial" not in path.parts]

    def partial(self) -> int:
        return len(list((self.root / ".partial").glob("*")))


@dataclass
class S3Depot:
    storage: S3Storage
    bucket: str
    endpoint: str
    client: Client

    @property
    def opening(self) -> str:
        return (
            "from domains.kernel.storage.s3 import S3Storage; "
            f"storage = S3Storage(endpoint={self.endpoint!r}, region='us-east-1', bucket={self.bucket!r}, "
            "access_key='test', secret_key='test', path_style=True)"
        )

    def visible(self) -> list[str]:
        listed = self.client.list_objects_v2(Bucket=self.bucket)
        return [found["Key"] for found in listed.get("Contents", ())]

    def partial(self) -> int:
        return len(self.client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", ()))


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def read_all(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])
