"""The only reader of the environment. Every default works with nothing else installed.

Embedded: what is not set is started privately below `.linli/`, with keys made on first start.
Production: everything is set, and a stand-in, a default secret or an open IDE refuses to start.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

REPOSITORY = Path(__file__).resolve().parent.parent

_DATA_KEYS = re.compile(r"[1-9]\d{0,2}:[0-9a-fA-F]{32}(,[1-9]\d{0,2}:[0-9a-fA-F]{32})*")
_HEX_32 = re.compile(r"[0-9a-fA-F]{64}")
_FORMS = {
    "data_keys": (
        _DATA_KEYS,
        "应为 版本:32位十六进制,多个用逗号分隔,例如 1:后接 openssl rand -hex 16 的输出",
    ),
    "index_key": (_HEX_32, "应为 64 位十六进制,可用 openssl rand -hex 32 生成"),
    "file_link_key": (_HEX_32, "应为 64 位十六进制,可用 openssl rand -hex 32 生成"),
    "wechat_pay_mch_id": (re.compile(r"[0-9]{8,10}"), "应为商户号,8 到 10 位数字"),
    "wechat_pay_serial": (re.compile(r"[0-9a-fA-F]{16,40}"), "应为商户 API 证书的序列号,十六进制"),
    "wechat_pay_api_v3_key": (re.compile(r"[!-~]{32}"), "应为商户平台上设置的 APIv3 密钥,32 个字符"),
}
TemplateIds = Annotated[dict[str, str], NoDecode]
"""Name of a kind of notice → the platform's id of the template, as JSON."""
PublicKeys = Annotated[dict[str, str], NoDecode]
"""WeChat Pay's key by its id (微信支付公钥 ID, or a platform certificate's serial number) → PEM, as JSON."""
KeywordNames = Annotated[dict[str, dict[str, str]], NoDecode]
"""Name of a kind of notice → keyword as docs/notifications.md has it → keyword of the chosen template, as JSON."""

_LEAST_SECRET = 16
_LEAST_PASSWORD = 12
_WELL_KNOWN = ("postgres", "password", "linli", "changeme", "change-me", "secret", "123456", "example")


class Settings(BaseSettings):
    """What an operator may set, as `LINLI_…` (and `DATABASE_URL`, `REDIS_URL`, `PORT`)."""

    model_config = SettingsConfigDict(
        env_prefix="LINLI_", frozen=True, extra="ignore", populate_by_name=True, hide_input_in_errors=True
    )

    profile: Literal["embedded", "production"] = "embedded"
    home: Path = REPOSITORY / ".linli"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, validation_alias="PORT", ge=0, le=65535)
    public_url: str = ""
    trusted_proxies: str = Field(default="127.0.0.1", description="addresses whose X-Forwarded-For counts")
    log_format: Literal["auto", "json", "console"] = "auto"
    """auto: for people when embedded and on a terminal, else JSON."""
    metrics_token: SecretStr | None = None
    """Opens /metrics to callers from outside of the private network."""
    drain_s: float = Field(default=0.0, ge=0, le=300)
    """Seconds between the signal to stop and the last accepted connection; /ready says 503 meanwhile."""

    database_url: SecretStr | None = Field(default=None, validation_alias="DATABASE_URL")
    database_owner_url: SecretStr | None = Field(default=None, validation_alias="DATABASE_OWNER_URL")
    redis_url: SecretStr | None = Field(default=None, validation_alias="REDIS_URL")
    pool_size: int = Field(default=10, ge=2, le=100)

    mqtt_url: SecretStr | None = None
    """The broker of doors and other devices, mqtts://user:password@host:port. Where none is set doors are
    simulated; in production they cannot be reached then."""

    token_key_pem: SecretStr | None = None
    """ES256 private key, PEM."""
    data_keys: SecretStr | None = None
    """`version:hex,version:hex`: SM4 keys of 16 bytes; the highest version encrypts."""
    index_key: SecretStr | None = None
    """Hex, 32 bytes: the HMAC-SM3 key of the blind indexes."""
    file_link_key: SecretStr | None = None
    """Hex, 32 bytes: signs the addresses of files."""
    vapid_key_pem: SecretStr | None = None
    """P-256 private key, PEM: who sends Web Push. With another key every browser must subscribe anew."""
    vapid_subject: str = ""
    """Where push services reach the operator: mailto: or https:. The public address where none is set."""

    wechat_url: str = "https://api.weixin.qq.com"
    wechat_app_id: str = ""
    wechat_secret: SecretStr | None = None
    alipay_url: str = "https://openapi.alipay.com/gateway.do"
    alipay_app_id: str = ""
    alipay_app_key_pem: SecretStr | None = None
    alipay_public_key_pem: str = ""
    alipay_aes_key: SecretStr | None = None
    alipay_seller_id: str = ""
    """The merchant's own number at Alipay (商户 PID); without it no payments are taken there."""
    wechat_pay_url: str = "https://api.mch.weixin.qq.com"
    wechat_pay_mch_id: str = ""
    """The merchant (商户号) that takes payments by WeChat; all of these are set, or none and no payments are taken there."""
    wechat_pay_key_pem: SecretStr | None = None
    """RSA private key of the merchant (商户 API 私钥), PEM."""
    wechat_pay_serial: str = ""
    """Serial number of the merchant's API certificate, in hex."""
    wechat_pay_api_v3_key: SecretStr | None = None
    wechat_pay_public_keys: PublicKeys = {}
    sms_url: str = "https://dysmsapi.aliyuncs.com/"
    sms_access_key_id: str = ""
    sms_access_key_secret: SecretStr | None = None
    sms_sign_name: str = "邻里"
    sms_code_template: str = "SMS_480000001"
    voice_url: str = "https://dyvmsapi.aliyuncs.com/"
    """Voice calls (语音通知), by the access key of SMS."""
    wechat_templates: TemplateIds = {}
    wechat_keywords: KeywordNames = {}
    alipay_templates: TemplateIds = {}
    sms_templates: TemplateIds = {}
    voice_templates: TemplateIds = {}

    s3_endpoint: str = ""
    s3_region: str = "cn-east-1"
    s3_bucket: str = ""
    s3_access_key: str = ""
    s3_secret_key: SecretStr | None = None

    audit_kept_days: int = Field(default=1096, ge=183, description="audit rows leave after that many days")

    ide: bool = True
    introspection: bool = True
    trusted_documents_only: bool = False
    trusted_documents: Path | None = REPOSITORY / "miniprogram_stub" / "client" / "documents.json"
    """JSON file of the documents clients may send, SHA-256 → text; those of the mini-program unless another is named."""
    platform_stand_ins: bool = True
    """Start the local stand-ins of WeChat, Alipay and SMS where no real platform is set."""

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.resolve()

    @field_validator("database_url", "database_owner_url", "redis_url")
    @classmethod
    def _address(cls, given: SecretStr | None, field: ValidationInfo) -> SecretStr | None:
        if given is None or not given.get_secret_value().strip():
            return None
        _check_address(given.get_secret_value(), str(field.field_name).partition("_")[0])
        return given

    @field_validator("mqtt_url")
    @classmethod
    def _broker(cls, given: SecretStr | None) -> SecretStr | None:
        if given is None or not given.get_secret_value().strip():
            return None
        from domains.devices.link import address

        address.parse(given.get_secret_value())
        return given

    @field_validator("vapid_subject")
    @classmethod
    def _reachable(cls, given: str) -> str:
        if given and not given.startswith(("mailto:", "https:")):
            raise ValueError("应以 mailto: 或 https: 开头,例如 mailto:ops@example.cn")
        return given

    @field_validator("wechat_keywords", mode="before")
    @classmethod
    def _names(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        try:
            return TypeAdapter(dict[str, dict[str, str]]).validate_json(given or "{}")
        except ValidationError:
            raise ValueError(
                "应为 JSON 对象,由通知类型指向关键词的对照,示例见 docs/notifications.md"
            ) from None

    @field_validator("wechat_pay_public_keys", mode="before")
    @classmethod
    def _keys_by_id(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        try:
            return TypeAdapter(dict[str, str]).validate_json(given or "{}")
        except ValidationError:
            raise ValueError("应为 JSON 对象,由微信支付公钥 ID 指向 PEM 格式的公钥") from None

    @field_validator(
        "wechat_templates", "alipay_templates", "sms_templates", "voice_templates", mode="before"
    )
    @classmethod
    def _ids(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        try:
            ids = json.loads(given or "{}")
        except ValueError:
            ids = None
        if not isinstance(ids, dict) or not all(isinstance(id, str) and id.strip() for id in ids.values()):
            raise ValueError("应为 JSON 对象,由通知类型指向模板编号,示例见 docs/notifications.md")
        return ids

    @model_validator(mode="after")
    def _forms(self) -> Self:
        for name, (form, expected) in _FORMS.items():
            given = _shown(self, name).strip()
            if given and not form.fullmatch(given):
                raise ValueError(f"{env_name(name)} 格式不对:{expected}")
        return self

    @model_validator(mode="after")
    def _production_is_strict(self) -> Self:
        if self.profile == "production" and (problems := production_problems(self)):
            raise ValueError("\n".join(problems))
        return self

    @property
    def url(self) -> str:
        """The address people reach this installation under."""
        return self.public_url or f"http://{self.host}:{self.port}"


_SHAPES = {
    "database": (("postgresql", "postgres"), "postgresql://用户:密码@主机:5432/库名"),
    "redis": (("redis", "rediss"), "redis://:密码@主机:6379/0"),
}


def _check_address(given: str, kind: str) -> None:
    schemes, shape = _SHAPES[kind]
    try:
        parts = urlsplit(given)
        complete = parts.hostname and parts.port != 0
    except ValueError:
        raise ValueError("地址无法识别:端口应为数字,密码中的特殊字符应写成 %XX") from None
    if parts.scheme not in schemes or not complete:
        raise ValueError(f"应形如 {shape}")
    if kind == "database" and not (parts.username and parts.path.strip("/")):
        raise ValueError(f"缺少用户名或库名,应形如 {shape}")


_REQUIRED = (
    "database_url", "redis_url", "token_key_pem", "data_keys", "index_key", "file_link_key", "vapid_key_pem",
    "wechat_app_id", "wechat_secret", "alipay_app_id", "alipay_app_key_pem", "alipay_public_key_pem",
    "sms_access_key_id", "sms_access_key_secret", "public_url",
)  # fmt: skip


def production_problems(settings: Settings) -> list[str]:
    """What keeps these settings from production, in words for the operator; empty when nothing does.

    The owner's address is not asked for: only `linli migrate` needs it, and what serves should not know it.
    """
    problems = [f"{env_name(name)} 未设置" for name in _REQUIRED if not getattr(settings, name)]
    for name in ("ide", "introspection", "platform_stand_ins"):
        if getattr(settings, name):
            problems.append(f"{env_name(name)} 必须为 false")
    if settings.mqtt_url and not _shown(settings, "mqtt_url").startswith("mqtts://"):
        problems.append(f"{env_name('mqtt_url')} 必须是 mqtts 地址")
    for name in (
        "wechat_url",
        "alipay_url",
        "wechat_pay_url",
        "sms_url",
        "voice_url",
        "public_url",
        "s3_endpoint",
    ):
        address = str(getattr(settings, name))
        if not address.startswith("https://") and (address or name != "s3_endpoint"):
            problems.append(f"{env_name(name)} 必须是 https 地址")
    return [*problems, *_wechat_pay_problems(settings), *_weak_secrets(settings), *_weak_servers(settings)]


WECHAT_PAY = (
    "wechat_pay_mch_id", "wechat_pay_key_pem", "wechat_pay_serial", "wechat_pay_api_v3_key", "wechat_pay_public_keys",
)  # fmt: skip
"""What WeChat Pay needs; without any of them no payments are taken there."""


def _wechat_pay_problems(settings: Settings) -> Iterator[str]:
    from domains.platforms.wechatpay import platform_key

    missing = [name for name in WECHAT_PAY if not getattr(settings, name)]
    if len(missing) < len(WECHAT_PAY):
        yield from (f"{env_name(name)} 未设置:微信支付的各项设置应同时填写,或全部留空" for name in missing)
    for id, pem in settings.wechat_pay_public_keys.items():
        try:
            platform_key(pem)
        except ValueError:
            yield f"{env_name('wechat_pay_public_keys')} 中的 {id} 不是 2048 位以上的 RSA 公钥或平台证书(PEM)"


def _weak_secrets(settings: Settings) -> Iterator[str]:
    for name in ("index_key", "file_link_key", "data_keys", "wechat_pay_api_v3_key"):
        for key in _shown(settings, name).split(","):
            if key and len(set(key.rpartition(":")[2].lower())) < 6:
                yield f"{env_name(name)} 不是随机密钥,请重新生成"
    for name in ("wechat_secret", "sms_access_key_secret", "s3_secret_key", "metrics_token"):
        given = _shown(settings, name)
        if given and (len(given) < _LEAST_SECRET or _guessable(given)):
            yield f"{env_name(name)} 太短或是默认值,至少 {_LEAST_SECRET} 位"
    yield from _pem_problems(settings)


_RSA = ("alipay_app_key_pem", "wechat_pay_key_pem")


def _pem_problems(settings: Settings) -> Iterator[str]:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    for name in ("token_key_pem", "vapid_key_pem", *_RSA):
        if not (given := _shown(settings, name)):
            continue
        try:
            key = load_pem_private_key(given.encode(), None)
        except (ValueError, TypeError):
            yield f"{env_name(name)} 不是 PEM 格式的私钥"
            continue
        if name not in _RSA:
            if not (isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1)):
                yield f"{env_name(name)} 必须是 P-256 私钥"
        elif not isinstance(key, RSAPrivateKey) or key.key_size < 2048:
            yield f"{env_name(name)} 必须是 2048 位以上的 RSA 私钥"


def _weak_servers(settings: Settings) -> Iterator[str]:
    roles = [_parts(settings, name).username for name in ("database_url", "database_owner_url")]
    if roles[0] and roles[0] == roles[1]:
        yield "DATABASE_URL 与 DATABASE_OWNER_URL 必须是两个数据库角色"
    for name in ("database_url", "database_owner_url", "redis_url", "mqtt_url"):
        password = _parts(settings, name).password
        if getattr(settings, name) and (
            not password or len(password) < _LEAST_PASSWORD or _guessable(password)
        ):
            yield f"{env_name(name)} 的密码未设置、太短或是默认值,至少 {_LEAST_PASSWORD} 位"


def _guessable(secret: str) -> bool:
    left = secret.lower()
    for word in _WELL_KNOWN:
        left = left.replace(word, "")
    return len(left) < _LEAST_PASSWORD // 2


def _shown(settings: Settings, name: str) -> str:
    given = getattr(settings, name)
    return given.get_secret_value() if isinstance(given, SecretStr) else str(given or "")


def _parts(settings: Settings, name: str) -> SplitResult:
    return urlsplit(_shown(settings, name))


def env_name(field: str) -> str:
    """The environment variable of a setting."""
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"LINLI_{field.upper()}"


_TYPE_TEXTS = {
    "int_parsing": "必须是整数", "float_parsing": "必须是数字", "bool_parsing": "必须是 true 或 false",
    "literal_error": "只能是 {expected}", "greater_than_equal": "不能小于 {ge}", "less_than_equal": "不能大于 {le}",
}  # fmt: skip


def refused_settings(error: ValidationError) -> list[str]:
    """What is wrong with the environment, a line each, with the variable's name and without its value."""
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        name = str(problem["loc"][0]) if problem["loc"] else ""
        variable = env_name(name) if name in Settings.model_fields else name
        text = _TYPE_TEXTS.get(problem["type"], problem["msg"]).format(**problem.get("ctx", {}))
        lines += [f"{variable} {each}".strip() for each in text.removeprefix("Value error, ").splitlines()]
    return lines
