"""The only reader of the environment. Every default works with nothing else installed.

Embedded: what is not set is started privately below `.linli/`, with keys made on first start.
Production: everything is set, and a stand-in, a default secret or an open IDE refuses to start.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

REPOSITORY = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """What an operator may set, as `LINLI_…` (and `DATABASE_URL`, `REDIS_URL`, `PORT`)."""

    model_config = SettingsConfigDict(env_prefix="LINLI_", frozen=True, extra="ignore", populate_by_name=True)

    profile: Literal["embedded", "production"] = "embedded"
    home: Path = REPOSITORY / ".linli"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, validation_alias="PORT", ge=0, le=65535)
    public_url: str = ""
    trusted_proxies: str = Field(default="127.0.0.1", description="addresses whose X-Forwarded-For counts")
    log_format: Literal["json", "console"] = "json"

    database_url: SecretStr | None = Field(default=None, validation_alias="DATABASE_URL")
    database_owner_url: SecretStr | None = Field(default=None, validation_alias="DATABASE_OWNER_URL")
    redis_url: SecretStr | None = Field(default=None, validation_alias="REDIS_URL")
    pool_size: int = Field(default=10, ge=2, le=100)

    token_key_pem: SecretStr | None = None
    """ES256 private key, PEM."""
    data_keys: SecretStr | None = None
    """`version:hex,version:hex`: SM4 keys of 16 bytes; the highest version encrypts."""
    index_key: SecretStr | None = None
    """Hex, 32 bytes: the HMAC-SM3 key of the blind indexes."""
    file_link_key: SecretStr | None = None
    """Hex, 32 bytes: signs the addresses of files."""

    wechat_url: str = "https://api.weixin.qq.com"
    wechat_app_id: str = ""
    wechat_secret: SecretStr | None = None
    alipay_url: str = "https://openapi.alipay.com/gateway.do"
    alipay_app_id: str = ""
    alipay_app_key_pem: SecretStr | None = None
    alipay_public_key_pem: str = ""
    alipay_aes_key: SecretStr | None = None
    sms_url: str = "https://dysmsapi.aliyuncs.com/"
    sms_access_key_id: str = ""
    sms_access_key_secret: SecretStr | None = None
    sms_sign_name: str = "邻里"
    sms_code_template: str = "SMS_480000001"

    s3_endpoint: str = ""
    s3_region: str = "cn-east-1"
    s3_bucket: str = ""
    s3_access_key: str = ""
    s3_secret_key: SecretStr | None = None

    ide: bool = True
    introspection: bool = True
    trusted_documents_only: bool = False
    trusted_documents: Path | None = None
    """JSON file of the documents clients may send: SHA-256 → text."""
    platform_stand_ins: bool = True
    """Start the local stand-ins of WeChat, Alipay and SMS where no real platform is set."""

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.resolve()

    @model_validator(mode="after")
    def _production_is_strict(self) -> Self:
        if self.profile == "production" and (problems := production_problems(self)):
            raise ValueError("生产环境配置不完整:" + ";".join(problems))
        return self

    @property
    def url(self) -> str:
        """The address people reach this installation under."""
        return self.public_url or f"http://{self.host}:{self.port}"


_REQUIRED = (
    "database_url", "database_owner_url", "redis_url", "token_key_pem", "data_keys", "index_key", "file_link_key",
    "wechat_app_id", "wechat_secret", "alipay_app_id", "alipay_app_key_pem", "alipay_public_key_pem",
    "sms_access_key_id", "sms_access_key_secret", "public_url",
)  # fmt: skip


def production_problems(settings: Settings) -> list[str]:
    """What keeps these settings from production, in words for the operator; empty when nothing does."""
    problems = [f"{env_name(name)} 未设置" for name in _REQUIRED if not getattr(settings, name)]
    for name in ("ide", "introspection", "platform_stand_ins"):
        if getattr(settings, name):
            problems.append(f"{env_name(name)} 必须为 false")
    for name in ("wechat_url", "alipay_url", "sms_url", "public_url"):
        if not str(getattr(settings, name)).startswith("https://"):
            problems.append(f"{env_name(name)} 必须是 https 地址")
    if settings.database_url and settings.database_url == settings.database_owner_url:
        problems.append("DATABASE_URL 与 DATABASE_OWNER_URL 必须是两个数据库角色")
    return problems


def env_name(field: str) -> str:
    """The environment variable of a setting."""
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"LINLI_{field.upper()}"
