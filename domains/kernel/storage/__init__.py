"""The file store (文件存储): the port, the local folder, content checks, addresses and headers.

The object store is in `domains.kernel.storage.s3` and is imported only where it is chosen.
"""

from domains.kernel.storage.content import Kind, allowed, inspect_upload, sniff
from domains.kernel.storage.headers import ByteRange, byte_range, response_headers
from domains.kernel.storage.keys import new_key
from domains.kernel.storage.links import Grant, Signer
from domains.kernel.storage.local import LocalStorage
from domains.kernel.storage.port import FileStat, Storage, StoredFile

__all__ = [
    "ByteRange",
    "FileStat",
    "Grant",
    "Kind",
    "LocalStorage",
    "Signer",
    "Storage",
    "StoredFile",
    "allowed",
    "byte_range",
    "inspect_upload",
    "new_key",
    "response_headers",
    "sniff",
]
