from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import botocore.session
import pytest
from moto.server import ThreadedMotoServer

from domains.kernel.storage import LocalStorage
from domains.kernel.storage.s3 import S3Storage
from tests.unit.kernel.storage.stores import Client, Depot, LocalDepot, S3Depot


@pytest.fixture(scope="session")
def object_store() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def behind(object_store: str) -> Iterator[Client]:
    client = botocore.session.Session().create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url=object_store,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    yield client
    client.close()


@pytest.fixture
async def s3_depot(object_store: str, behind: Client) -> AsyncIterator[S3Depot]:
    bucket = f"linli-{secrets.token_hex(4)}"
    behind.create_bucket(Bucket=bucket)
    storage = S3Storage(
        endpoint=object_store,
        region="us-east-1",
        bucket=bucket,
        access_key="test",
        secret_key="test",
        path_style=True,
    )
    yield S3Depot(storage, bucket, object_store, behind)
    await storage.aclose()


@pytest.fixture
def local_depot(tmp_path: Path) -> LocalDepot:
    root = tmp_path / "files"
    return LocalDepot(LocalStorage(root), root)


@pytest.fixture(params=["local", "s3"])
def depot(request: pytest.FixtureRequest) -> Depot:
    found: Depot = request.getfixturevalue(f"{request.param}_depot")
    return found
