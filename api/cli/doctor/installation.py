"""The program on this machine: Python, packages, servers' binaries, disk, folders, port, time zones."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from api.cli.doctor.findings import Finding, doubtful, fine, wrong
from api.processes import CannotStart, listen
from api.servers.errors import ServersError
from api.servers.programs import postgres_programs, valkey_program
from api.settings import REPOSITORY, Settings

LEAST_PYTHON = (3, 11)
LOCK = REPOSITORY / "locks" / "runtime.txt"
GIB = 1 << 30
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)\s*(;?)", re.MULTILINE)
_PROGRAM_S = 20


def of_program() -> Iterator[Finding]:
    """What does not depend on settings."""
    yield python_version(sys.version_info[:2])
    yield packages(LOCK)
    yield time_zones()


def of_place(settings: Settings) -> Iterator[Finding]:
    """Where it runs and what it needs there."""
    yield from programs(settings)
    yield disk(settings.home)
    yield folder(settings.home)
    yield port(settings)


def python_version(found: tuple[int, int]) -> Finding:
    """Python must be new enough."""
    text = ".".join(map(str, found))
    if found < LEAST_PYTHON:
        return wrong(
            "Python", f"版本 {text} 太旧", "请安装 Python 3.11 或更新的版本,删除 .venv 后重新运行 make demo"
        )
    return fine("Python", text)


def packages(lock: Path) -> Finding:
    """What is installed must be what the lock names; a package under a condition may be absent."""
    differing = []
    for name, pinned, conditional in _PINNED.findall(lock.read_text(encoding="utf-8")):
        try:
            installed = version(name)
        except PackageNotFoundError:
            installed = pinned if conditional else "未安装"
        if installed != pinned:
            differing.append(f"{name} {installed}(应为 {pinned})")
    if differing:
        advice = "请删除 .venv/runtime.stamp 后运行 make demo,会按锁定的版本重新安装"
        return wrong("依赖包", "、".join(differing[:8]), advice)
    return fine("依赖包", "与 locks/runtime.txt 一致")


def time_zones() -> Finding:
    """Business dates need Asia/Shanghai."""
    try:
        ZoneInfo("Asia/Shanghai")
    except (ZoneInfoNotFoundError, OSError):
        return wrong("时区数据", "找不到 Asia/Shanghai", "请重新安装依赖包 tzdata")
    return fine("时区数据", "Asia/Shanghai 可用")


def programs(settings: Settings) -> Iterator[Finding]:
    """The binaries of the private servers, where the settings name no others."""
    if settings.database_url is None:
        yield _program("PostgreSQL 程序", lambda: postgres_programs() / "postgres")
    if settings.redis_url is None:
        yield _program("Valkey 程序", valkey_program)


def _program(check: str, find: Callable[[], Path]) -> Finding:
    try:
        path = find()
        done = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=_PROGRAM_S, check=True
        )
    except ServersError as error:
        return wrong(check, str(error), "请按上面的说明处理")
    except (OSError, subprocess.SubprocessError):
        machine = f"{platform.system()} {platform.machine()}"
        return wrong(
            check,
            f"{path} 不能在 {machine} 上运行",
            "请重新安装依赖,或设置 DATABASE_URL、REDIS_URL 使用已有的服务",
        )
    return fine(check, done.stdout.strip().splitlines()[0])


def disk(home: Path) -> Finding:
    """Room for the database."""
    existing = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    text = f"{existing} 所在磁盘剩余 {free / GIB:.1f} GiB"
    if free < GIB:
        return wrong("磁盘空间", text, "请清理磁盘,数据库写满后会停止服务")
    if free < 5 * GIB:
        return doubtful("磁盘空间", text, "请尽快清理或扩容")
    return fine("磁盘空间", text)


def folder(home: Path) -> Finding:
    """The folder must be ours, and its secrets nobody else's."""
    if not home.exists():
        return fine("数据目录", f"{home} 将在首次启动时建立")
    if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        return wrong(
            "数据目录",
            f"当前用户不能读写 {home}",
            f"请改用该目录的所有者运行,或执行 chown -R $(id -u) {home}",
        )
    for private in (home / "keys", home / "secrets"):
        if private.exists() and private.stat().st_mode & 0o077:
            return wrong("数据目录", f"{private} 对其他用户开放", f"请执行 chmod -R go= {private}")
    return fine("数据目录", str(home))


def port(settings: Settings) -> Finding:
    """The port is free, or we are what serves on it."""
    try:
        listen(settings).close()
    except CannotStart as error:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        try:
            with urlopen(f"http://{host}:{settings.port}/health", timeout=2) as answer:  # http, our own
                if answer.read() == b'{"status":"ok"}':
                    return fine("端口", f"{settings.port} 上正在运行邻里")
        except (OSError, URLError, ValueError):
            pass
        return wrong("端口", str(error), "可用 ss -ltnp 找出占用端口的程序")
    return fine("端口", f"{settings.port} 可用")
