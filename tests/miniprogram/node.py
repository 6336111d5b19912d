"""The client's own tools: installed by its lock into its folder, once for all who run side by side."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

from api.settings import REPOSITORY

CLIENT = REPOSITORY / "miniprogram_stub" / "client"
CACHE = REPOSITORY / ".linli" / "node" / "cache"
STAMP = CLIENT / "node_modules" / ".linli-stamp"


def installed() -> bool:
    """Whether the tools of this very lock file are there."""
    return STAMP.is_file() and STAMP.read_text() == _digest()


def install() -> None:
    """Installs the tools by the lock file, unless they are there."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE.parent / "client.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if installed():
            return
        command = [
            "npm",
            "install",
            "--ignore-scripts",
            "--prefer-offline",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]
        subprocess.run([*command, "--cache", str(CACHE), "--logs-max=0"], cwd=CLIENT, check=True)
        STAMP.write_text(_digest())


def run(script: str, *arguments: str) -> None:
    """A script of package.json's folder scripts/; AssertionError with what it said where it failed."""
    node = shutil.which("node")
    assert node is not None, "Node is missing"
    done = subprocess.run(
        [node, f"scripts/{script}.mjs", *arguments], cwd=CLIENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _digest() -> str:
    parts = [(CLIENT / name).read_bytes() for name in ("package.json", "package-lock.json")]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below, by its path."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


if __name__ == "__main__":
    install()
