"""Opening an Excel file that a stranger sent (上传的 Excel): what is refused before anything is parsed.

The parts are read with expat itself: defusedxml's pure-Python builder takes three times as long. What it
protects from is refused here in the same way, by refusing every document type declaration.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable
from typing import NoReturn
from xml.parsers import expat

from domains.residents.register.problems import RegisterUnreadable

MAX_BYTES = 10 * 1024 * 1024
MAX_ENTRIES = 1_000
MAX_UNPACKED_BYTES = 80 * 1024 * 1024
MAX_RATIO = 200
_RATIO_MATTERS_FROM = 1024 * 1024
_CHUNK = 256 * 1024

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MESSAGES = {
    "REGISTER_EMPTY": "文件是空的，请重新选择 Excel 文件后上传",
    "REGISTER_TOO_LARGE": "文件太大，请拆成几个不超过 10 MB、5 万行、200 列的文件分别导入",
    "REGISTER_ENCRYPTED": "文件设有密码，请在 Excel 中取消密码后另存再上传",
    "REGISTER_OLD_EXCEL": "这是旧版 Excel（.xls）文件，请在 Excel 或 WPS 中另存为 .xlsx 后再上传",
    "REGISTER_NOT_EXCEL": "这不是 Excel 文件，请上传 .xlsx 格式的文件；CSV 请先在 Excel 中另存为 .xlsx",
    "REGISTER_DAMAGED": "文件已损坏，读不出来，请在 Excel 中打开并另存为新的 .xlsx 文件后再上传",
    "REGISTER_UNSAFE": "文件内容不安全，已拒绝读取，请把数据复制到新建的 Excel 文件里再上传",
}

Handlers = tuple[Callable[[str, dict[str, str]], None], Callable[[str], None], Callable[[str], None]]


def refuse(code: str) -> NoReturn:
    """Refuse the whole file with the message of `code`."""
    raise RegisterUnreadable(code, _MESSAGES[code], "file")


class Package:
    """The parts of one .xlsx file, bounded in number and size. Raises RegisterUnreadable."""

    def __init__(self, data: bytes) -> None:
        _check_signature(data)
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, UnicodeError, OverflowError):
            refuse("REGISTER_DAMAGED")
        _check_sizes(self._archive.infolist())
        self._names = {name.lower(): name for name in self._archive.namelist()}

    def has(self, part: str) -> bool:
        """Whether the file holds this part; part names ignore case (ECMA-376 part 2)."""
        return part.lower() in self._names

    def parse(self, part: str, handlers: Handlers) -> None:
        """Feed one XML part to start(tag, attributes), end(tag), text(data); tags without namespace."""
        parser = _parser(handlers)
        try:
            with self._archive.open(self._names[part.lower()]) as stream:
                while chunk := stream.read(_CHUNK):
                    parser.Parse(chunk, False)
                parser.Parse(b"", True)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, KeyError):
            refuse("REGISTER_DAMAGED")
        except (expat.ExpatError, NotImplementedError, RuntimeError, UnicodeError, ValueError, OverflowError):
            refuse("REGISTER_DAMAGED")


def _check_signature(data: bytes) -> None:
    if not data:
        refuse("REGISTER_EMPTY")
    if len(data) > MAX_BYTES:
        refuse("REGISTER_TOO_LARGE")
    if data.startswith(_OLE):
        refuse("REGISTER_ENCRYPTED" if _ENCRYPTED in data else "REGISTER_OLD_EXCEL")
    if not data.startswith(b"PK"):
        refuse("REGISTER_NOT_EXCEL")


def _check_sizes(entries: list[zipfile.ZipInfo]) -> None:
    """Declared sizes can be trusted: zipfile never unpacks more of an entry than it declares."""
    if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        refuse("REGISTER_TOO_LARGE")
    if any(entry.flag_bits & 0x1 for entry in entries):
        refuse("REGISTER_ENCRYPTED")
    if any(_is_bomb(entry) for entry in entries):
        refuse("REGISTER_UNSAFE")


def _is_bomb(entry: zipfile.ZipInfo) -> bool:
    large = entry.file_size > _RATIO_MATTERS_FROM
    return large and entry.file_size > MAX_RATIO * max(entry.compress_size, 1)


def _parser(handlers: Handlers) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    start, end, text = handlers

    def first(tag: str, attributes: dict[str, str]) -> None:
        # Hardly a file prefixes its tags; the others are spared a call per element.
        prefixed = ":" in tag
        parser.StartElementHandler = (lambda tag, given: start(_local(tag), given)) if prefixed else start
        parser.EndElementHandler = (lambda tag: end(_local(tag))) if prefixed else end
        start(_local(tag), attributes)

    parser.StartElementHandler = first
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def _local(tag: str) -> str:
    return tag.rpartition(":")[2]


def _refuse_doctype(*_declaration: object) -> None:
    refuse("REGISTER_UNSAFE")
