"""Starting the stand-ins, and signing as a merchant's backend does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import httpx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

ROOT = Path(__file__).parents[3]
Json = dict[str, Any]  # what json.loads gives


@dataclass
class Stand:
    home: Path
    process: subprocess.Popen[str]
    http: httpx.Client
    app_key: rsa.RSAPrivateKey

    @property
    def credentials(self) -> Json:
        kept: Json = json.loads((self.home / "credentials.json").read_text())
        return kept

    def books(self, statement: str, *values: object) -> list[Any]:
        """Let time pass, or look: straight in the books."""
        with closing(sqlite3.connect(self.home / "books.sqlite3", timeout=5)) as rows, rows:
            return rows.execute(statement, values).fetchall()

    def open(self, path: str, **fields: object) -> Json:
        answer: Json = self.http.post(f"/open/{path}", json=fields).raise_for_status().json()
        return answer

    def trades(self) -> dict[str, Json]:
        """The platforms' own books, by the merchant's number."""
        answer = self.http.get("/open/trades").raise_for_status()
        return {trade["out_trade_no"]: trade for trade in answer.json()["trades"]}

    def fault(self, platform: str, api: str, kind: str, **more: float) -> None:
        ordered = {"platform": platform, "api": api, "kind": kind, **more}
        assert self.http.post("/open/faults", json=ordered).status_code == 204

    def write(self, name: str, kept: object) -> None:
        """A file of the home, as the product's side replaces it."""
        draft = self.home / f"{name}.draft"
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(kept, ensure_ascii=False))
        draft.replace(self.home / name)

    def messages(self, **query: str | int) -> list[Json]:
        answer = self.http.get("/open/messages", params=query).raise_for_status()
        found: list[Json] = answer.json()["messages"]
        return found

    def sms_to(self, phone: str) -> list[Json]:
        messages: list[Json] = self.http.get("/open/sms", params={"phone": phone}).json()["messages"]
        return messages


@contextmanager
def running(home: Path, app_key: rsa.RSAPrivateKey | None = None, speed_up: int = 240) -> Iterator[Stand]:
    """A process on a free port, stopped by SIGTERM; the app's key is uploaded when it is new."""
    command = [sys.executable, "-m", "miniprogram_stub.platform", "--port", "0", "--home", str(home)]
    command += ["--speed-up", str(speed_up)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith("platform ready http://127.0.0.1:"), line
        try:
            with httpx.Client(base_url=line.split()[-1], trust_env=False) as http:
                stand = Stand(home, process, http, app_key or rsa.generate_private_key(65537, 2048))
                if app_key is None:
                    upload_key(stand)
                yield stand
        finally:
            process.terminate()
            process.wait(10)


def public_pem(key: rsa.RSAPrivateKey) -> str:
    encoded = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return encoded.decode()


def upload_key(stand: Stand) -> None:
    answer = stand.http.post("/open/alipay/app-key", json={"public_key": public_pem(stand.app_key)})
    assert answer.status_code == 204


def rsa_sign(key: rsa.RSAPrivateKey, text: str, digest: hashes.HashAlgorithm | None = None) -> str:
    return base64.b64encode(key.sign(text.encode(), PKCS1v15(), digest or hashes.SHA256())).decode()


def alipay_params(stand: Stand, **changed: str) -> dict[str, str]:
    """Unsigned parameters of an oauth call; a change to "" leaves the parameter out."""
    params = {
        "app_id": stand.credentials["alipay"]["app_id"],
        "method": "alipay.system.oauth.token",
        "format": "json",
        "charset": "utf-8",
        "sign_type": "RSA2",
        "timestamp": f"{datetime.now(ZoneInfo('Asia/Shanghai')):%Y-%m-%d %H:%M:%S}",
        "version": "1.0",
        "grant_type": "authorization_code",
        **changed,
    }
    return {name: value for name, value in params.items() if value}


def alipay_call(stand: Stand, **changed: str) -> httpx.Response:
    """Common parameters in the query, the method's own in the body; signed unless `sign` is given."""
    params = alipay_params(stand, **changed)
    covered = "&".join(f"{name}={value}" for name, value in sorted(params.items()) if name != "sign")
    params.setdefault("sign", rsa_sign(stand.app_key, covered))
    own = ("grant_type", "code", "refresh_token", "biz_content")
    body: dict[str, str] = {name: params.pop(name) for name in own if name in params}
    return stand.http.post("/gateway.do", params=params, data=body)


def verified_node(stand: Stand, answer: httpx.Response) -> tuple[str, Json]:
    """The name and the content of the answer's node, once its signature holds over its raw bytes."""
    assert answer.status_code == 200
    envelope = answer.json()
    name = next(key for key in envelope if key != "sign")
    raw = answer.content[len(f'{{"{name}":') : answer.content.rindex(b',"sign":"')]
    key = serialization.load_pem_public_key(stand.credentials["alipay"]["alipay_public_key"].encode())
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(base64.b64decode(envelope["sign"]), raw, PKCS1v15(), hashes.SHA256())
    return name, envelope[name]


def rpc_params(stand: Stand, **changed: str) -> dict[str, str]:
    """Signed parameters of an interface of Alibaba Cloud's; a change to "" leaves the parameter out."""
    account = stand.credentials["sms"]
    given = {
        "Version": "2017-05-25",
        "Format": "JSON",
        "AccessKeyId": account["access_key_id"],
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "SignatureNonce": str(uuid.uuid4()),
        "Timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        **changed,
    }
    params = {name: value for name, value in given.items() if value}
    pairs = "&".join(
        f"{quote(name, safe='~')}={quote(params[name], safe='~')}"
        for name in sorted(params)
        if name != "Signature"
    )
    text = f"POST&%2F&{quote(pairs, safe='~')}"
    mac = hmac.new(f"{account['access_key_secret']}&".encode(), text.encode(), hashlib.sha1)
    params.setdefault("Signature", base64.b64encode(mac.digest()).decode())
    return params


def sms_params(stand: Stand, phone: str, **changed: str) -> dict[str, str]:
    """Signed parameters of SendSms."""
    given = {
        "Action": "SendSms",
        "PhoneNumbers": phone,
        "SignName": "邻里",
        "TemplateCode": "SMS_480000001",
        "TemplateParam": '{"code":"246810"}',
        **changed,
    }
    return rpc_params(stand, **given)


def send_sms(stand: Stand, phone: str, **changed: str) -> httpx.Response:
    return stand.http.post("/", data=sms_params(stand, phone, **changed))
