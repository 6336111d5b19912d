"""`linli import-houses`: a register from a file."""

from __future__ import annotations

import asyncio
from pathlib import Path

import typer

from domains.estate import queries
from domains.kernel.actor import SYSTEM
from domains.residents.service.imports import ImportReport, import_register


async def import_file(code: str, file: Path, *, apply: bool) -> None:
    """Import a register into the compound of this code; exits 1 where it is refused."""
    compound = await queries.compound_by_code(code)
    if compound is None:
        print(f"没有编码为 {code} 的小区")
        raise typer.Exit(1)
    data = await asyncio.to_thread(file.read_bytes)
    report = await import_register(
        SYSTEM, compound_id=compound.id, file_name=file.name, data=data, apply=apply
    )
    _print(report)
    if report.state == "refused":
        raise typer.Exit(1)


def _print(report: ImportReport) -> None:
    for sheet in report.sheets:
        columns = " ".join(f"{c['letter']}={c['title']}" for c in sheet["columns"] if c["title"])
        print(f"{sheet['name']}: {sheet['skipped_reason'] or columns}")
    for error in report.errors:
        print(f"{error['sheet']} 第 {error['row']} 行 {error['message']}")
    print(f"{report.state}  {report.error_count} 处错误  {report.counts}")
