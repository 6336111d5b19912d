"""The refusals of the file store (文件存储), each with its stable code and what to do about it."""

from __future__ import annotations

from domains.kernel.errors import Forbidden, Invalid, NotFound, Unavailable

_MIB = 1024 * 1024


def file_too_large(limit_bytes: int) -> Invalid:
    """`FILE_TOO_LARGE`: more bytes came than the route accepts."""
    shown = f"{limit_bytes / _MIB:.3g} MB" if limit_bytes >= _MIB else f"{limit_bytes / 1024:.3g} KB"
    return Invalid("FILE_TOO_LARGE", f"文件超过 {shown}，请压缩后再上传", field="file")


def file_type_refused() -> Invalid:
    """`FILE_TYPE_REFUSED`: the content is not of a type that is accepted here."""
    return Invalid("FILE_TYPE_REFUSED", "不支持这种文件，或文件内容与类型不符，请换一个文件", field="file")


def prefix_invalid() -> Invalid:
    """`FILE_PREFIX_INVALID`: a folder name that could leave the store or hide in it."""
    return Invalid("FILE_PREFIX_INVALID", "文件的存放位置不正确，请联系管理员")


def key_invalid() -> Invalid:
    """`FILE_KEY_INVALID`: not a key that this store ever gave out."""
    return Invalid("FILE_KEY_INVALID", "文件地址不正确，请返回后重新打开")


def range_invalid() -> Invalid:
    """`FILE_RANGE_INVALID`: the part asked for lies outside the file (HTTP 416)."""
    return Invalid("FILE_RANGE_INVALID", "请求的内容超出文件范围，请重新打开文件")


def file_not_found() -> NotFound:
    """`FILE_NOT_FOUND`: never stored, or deleted since."""
    return NotFound("FILE_NOT_FOUND", "文件不存在或已删除，请返回后刷新")


def store_unavailable() -> Unavailable:
    """`FILE_STORE_UNAVAILABLE`: the disk or the object store did not do its work."""
    return Unavailable("FILE_STORE_UNAVAILABLE", "文件服务暂时不可用，请稍后再试")


def link_expired() -> Forbidden:
    """`FILE_LINK_EXPIRED`: the address was right and its time is over."""
    return Forbidden("FILE_LINK_EXPIRED", "文件链接已过期，请返回后重新打开")


def link_invalid() -> Forbidden:
    """`FILE_LINK_INVALID`: not signed by us, changed on the way, or given to somebody else."""
    return Forbidden("FILE_LINK_INVALID", "文件链接无效，请返回后重新打开")
