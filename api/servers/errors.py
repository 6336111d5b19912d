"""Why a private server (私有服务) is not there: each message is plain Chinese and says what to do."""

from __future__ import annotations

from pathlib import Path


class ServersError(Exception):
    """私有服务无法启动。"""


class ProgramMissing(ServersError):
    """The wheel brought no program for this platform, and the system has none either."""


class NoAccount(ServersError):
    """Running as root, and no other user id can reach the programs and the data folder."""

    def __init__(self, root: Path) -> None:
        super().__init__(
            f"当前以 root 身份运行，而数据库服务不能以 root 运行，其他用户身份又无法进入 {root}。"
            "请改用该目录所属的普通用户运行（不要加 sudo），"
            "或把项目移到其他用户也能进入的目录（例如 /opt 或 /srv）。"
        )


class ForeignFolder(ServersError):
    """The folder belongs to another user, commonly after a run with sudo."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"没有 {folder} 的写入权限。请用创建它的用户运行，或删除该目录后重试。")


class StillLocked(ServersError):
    """Another process holds the lock for longer than a start or a stop may take."""

    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__(
            f"另一个进程正在启动或停止 {path} 的服务，等待 {seconds:.0f} 秒后仍未结束。"
            f"请稍后重试；若一直如此，请用 fuser {path} 找到并结束该进程。"
        )


class NotReady(ServersError):
    """The server ended or did not answer in time; the message carries the end of its log."""

    def __init__(self, name: str, log: Path, tail: str) -> None:
        super().__init__(f"{name} 没有启动成功，请根据日志 {log} 的最后几行处理：\n{tail}")


class PasswordLost(ServersError):
    """The data was made with a password that is no longer in the folder of secrets."""

    def __init__(self, data: Path, secret: Path) -> None:
        super().__init__(
            f"{secret} 里的密码与 {data} 里的数据不符。请恢复原来的密码文件；"
            f"若数据可以丢弃，请停止服务后删除 {data}，下次启动会重新建立。"
        )
