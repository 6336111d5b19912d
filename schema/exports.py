"""Tables handed out as files, in the API (导出文件)."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

import strawberry

from schema.errors import Payload


@strawberry.enum(description="What kind of file (文件格式).")
class SheetFormat(Enum):
    CSV = strawberry.enum_value("csv", description="CSV in UTF-8, with the mark by which Excel knows it")
    XLSX = strawberry.enum_value("xlsx", description="Excel")


@strawberry.type(
    description="A file (导出文件) under an address that opens for the caller alone, and not for long."
)
class ExportedFile:
    address: str = strawberry.field(
        description="Path below the API's origin, to fetch with the caller's own credentials."
    )
    content_type: str = strawberry.field(description="Content type of the file.")
    rows: int = strawberry.field(description="How many records are in it.")
    expires_at: datetime = strawberry.field(description="When the address ends.")


@strawberry.type(description="Result of making a file of records.")
class ExportPayload(Payload):
    file: ExportedFile | None = strawberry.field(default=None, description="The file; null when refused.")
