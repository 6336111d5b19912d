"""The keys: there, of the right form, for our eyes only, and the ones that the data was made with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from api.cli.doctor.findings import Finding, doubtful, fine, wrong
from api.keys import MADE, BadKey, load_keys
from api.settings import Settings, env_name


def examine(settings: Settings) -> Iterator[Finding]:
    """Makes no key: that a key is missing must not be covered up by a new one."""
    files = {name: settings.home / "keys" / file for name, (file, _) in MADE.items()}
    absent = [name for name, path in files.items() if not getattr(settings, name) and not path.exists()]
    yield from _exposed(files.values())
    if absent:
        yield _missing(settings, absent)
        return
    try:
        load_keys(settings)
    except BadKey as error:
        yield wrong("密钥", str(error), "密钥备份的方法见 docs/operators.md")
    else:
        yield fine("密钥", "齐全,格式正确")
    if settings.profile == "embedded" and settings.database_url and not settings.data_keys:
        where = settings.home / "keys"
        yield doubtful(
            "密钥备份", f"数据库在别处,而密钥只在 {where}", "请备份该目录,丢失后加密的手机号和证件号无法找回"
        )


def _missing(settings: Settings, names: list[str]) -> Finding:
    """Nothing before the first start; a loss afterwards."""
    started = (settings.home / "postgres" / "data").exists() or settings.database_url is not None
    shown = "、".join(env_name(name) for name in names)
    if started and len(names) < len(MADE):
        return wrong("密钥", f"缺少 {shown}", f"请从备份恢复 {settings.home / 'keys'},不要让程序生成新的密钥")
    if started:
        return doubtful(
            "密钥", f"缺少 {shown}", "若数据库里已有数据,请先从备份恢复密钥再启动;全新安装可以忽略"
        )
    return fine("密钥", "将在首次启动时生成")


def _exposed(paths: Iterable[Path]) -> Iterator[Finding]:
    for path in paths:
        if path.exists() and path.stat().st_mode & 0o077:
            yield wrong("密钥", f"{path} 对其他用户可读", f"请执行 chmod 600 {path}")
