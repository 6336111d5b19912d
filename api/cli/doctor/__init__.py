"""`linli doctor`: what is wrong with this installation, and what to do about it (体检)."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer

from api.cli.doctor.findings import Finding


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For machines: a JSON array of findings.")] = False,
) -> None:
    """Say what is wrong with this installation and what to do; exits 1 when something is."""
    from api.cli.doctor.rounds import examine

    findings = asyncio.run(examine())
    if as_json:
        print(json.dumps([asdict(each) for each in findings], ensure_ascii=False, indent=2))
    else:
        print("\n".join(_line(each) for each in findings))
        print(_verdict(findings))
    raise typer.Exit(1 if any(each.state == "problem" for each in findings) else 0)


_MARKS = {"ok": "✓", "warning": "!", "problem": "✗"}


def _line(found: Finding) -> str:
    advice = f"\n    → {found.advice}" if found.advice else ""
    return f"{_MARKS[found.state]} {found.check}: {found.message}{advice}"


def _verdict(findings: list[Finding]) -> str:
    problems = sum(each.state == "problem" for each in findings)
    warnings = sum(each.state == "warning" for each in findings)
    if not problems and not warnings:
        return "一切正常"
    return f"{problems} 处问题,{warnings} 处提醒"
