"""支付宝网关 over HTTP: signatures both ways, codes that live once, the encrypted phone number."""

from __future__ import annotations

import base64
import json
import os
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from tests.unit.stand_ins.stand import (
    Json,
    Stand,
    alipay_call,
    alipay_params,
    public_pem,
    rsa_sign,
    upload_key,
    verified_node,
)

OK = "alipay_system_oauth_token_response"


def auth_code(stand: Stand, person: str = "陈静") -> str:
    return str(stand.open("alipay/login", person=person)["auth_code"])


def exchanged(stand: Stand, **changed: str) -> Json:
    name, node = verified_node(stand, alipay_call(stand, **changed))
    assert name == OK
    return node


def refused(stand: Stand, **changed: str) -> tuple[str, str]:
    name, node = verified_node(stand, alipay_call(stand, **changed))
    assert name == "error_response"
    assert "access_token" not in node
    return node["code"], node["sub_code"]


def beijing(shift: timedelta) -> str:
    return f"{datetime.now(ZoneInfo('Asia/Shanghai')) + shift:%Y-%m-%d %H:%M:%S}"


def test_a_code_gives_tokens_and_the_same_ids_each_time(stand: Stand) -> None:
    first = exchanged(stand, code=auth_code(stand))
    second = exchanged(stand, code=auth_code(stand))
    other = exchanged(stand, code=auth_code(stand, "刘洋"))
    assert "code" not in first
    assert first["user_id"].startswith("2088") and len(first["user_id"]) == 16
    assert (first["user_id"], first["open_id"]) == (second["user_id"], second["open_id"])
    assert first["access_token"] != second["access_token"]
    assert first["user_id"] != other["user_id"]
    assert (first["expires_in"], first["re_expires_in"]) == (1296000, 2592000)


def test_the_answer_is_what_the_gateway_sends(stand: Stand) -> None:
    answer = alipay_call(stand, code=auth_code(stand))
    assert answer.headers["content-type"] == "text/html;charset=utf-8"
    assert answer.text.startswith(f'{{"{OK}":{{"access_token":"')


def test_parameters_may_stand_in_the_body_alone(stand: Stand) -> None:
    params = alipay_params(stand, code=auth_code(stand))
    params["sign"] = rsa_sign(stand.app_key, "&".join(f"{k}={v}" for k, v in sorted(params.items())))
    assert verified_node(stand, stand.http.post("/gateway.do", data=params))[0] == OK


def test_a_code_works_once(stand: Stand) -> None:
    code = auth_code(stand)
    exchanged(stand, code=code)
    assert refused(stand, code=code) == ("40002", "isv.code-is-used")


def test_a_code_expires(stand: Stand) -> None:
    code = auth_code(stand)
    stand.books("UPDATE codes SET expires_at = 0 WHERE code = ?", code)
    assert refused(stand, code=code) == ("40002", "isv.code-invalid")


def test_a_refresh_token_works_once(stand: Stand) -> None:
    first = exchanged(stand, code=auth_code(stand))
    refresh = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = exchanged(stand, **refresh)
    assert second["user_id"] == first["user_id"]
    assert second["refresh_token"] != first["refresh_token"]
    assert refused(stand, **refresh) == ("40002", "isv.refresh-token-invalid")
    stand.books("UPDATE tokens SET expires_at = 0 WHERE token = ?", second["refresh_token"])
    late = {**refresh, "refresh_token": second["refresh_token"]}
    assert refused(stand, **late) == ("40002", "isv.refresh-token-time-out")


@pytest.mark.parametrize(
    ("changed", "code", "sub_code"),
    [
        ({"method": ""}, "40001", "isv.missing-method"),
        ({"charset": ""}, "40001", "isv.missing-charset"),
        ({"sign_type": ""}, "40001", "isv.missing-signature-type"),
        ({"timestamp": ""}, "40001", "isv.missing-timestamp"),
        ({"version": ""}, "40001", "isv.missing-version"),
        ({"grant_type": ""}, "40001", "isv.missing-grant-type"),
        ({"code": ""}, "40001", "isv.missing-code"),
        ({"grant_type": "refresh_token"}, "40001", "isv.missing-refresh-token"),
        ({"grant_type": "password"}, "40002", "isv.grant-type-invalid"),
        ({"code": "没有这个"}, "40002", "isv.code-invalid"),
        ({"grant_type": "refresh_token", "refresh_token": "无"}, "40002", "isv.refresh-token-invalid"),
        ({"method": "alipay.no.such"}, "40002", "isv.invalid-method"),
        ({"format": "xml"}, "40002", "isv.invalid-format"),
        ({"charset": "latin-9"}, "40002", "isv.invalid-charset"),
        ({"version": "2.0"}, "40002", "isv.invalid-version"),
        ({"sign_type": "RSA"}, "40002", "isv.invalid-signature-type"),
        ({"timestamp": "2026-02-30 00:00:00"}, "40002", "isv.invalid-timestamp"),
        ({"timestamp": beijing(timedelta(minutes=-16))}, "40002", "isv.invalid-timestamp"),
        ({"timestamp": beijing(timedelta(hours=8))}, "40002", "isv.invalid-timestamp"),
        ({"sign": "不是Base64"}, "40002", "isv.invalid-signature"),
    ],
)
def test_a_refused_call_leaves_the_code_unused(
    stand: Stand, changed: dict[str, str], code: str, sub_code: str
) -> None:
    kept = auth_code(stand)
    assert refused(stand, **{"code": kept, **changed}) == (code, sub_code)
    exchanged(stand, code=kept)


def test_an_unknown_app_is_refused_without_a_signature(stand: Stand) -> None:
    answer = alipay_call(stand, app_id="2021000000000000", code=auth_code(stand)).json()
    assert answer["error_response"]["sub_code"] == "isv.invalid-app-id"
    assert "sign" not in answer
    missing = alipay_call(stand, app_id="").json()
    assert missing["error_response"]["sub_code"] == "isv.missing-app-id"


def test_a_missing_signature(stand: Stand) -> None:
    answer = stand.http.post("/gateway.do", data=alipay_params(stand, code="x"))
    assert verified_node(stand, answer)[1]["sub_code"] == "isv.missing-signature"


def test_forged_and_weak_signatures_are_refused(stand: Stand) -> None:
    code = auth_code(stand)
    params = alipay_params(stand, code=code)
    covered = "&".join(f"{k}={v}" for k, v in sorted(params.items()))
    forged = rsa_sign(rsa.generate_private_key(65537, 2048), covered)
    sha1 = rsa_sign(stand.app_key, covered, hashes.SHA1())
    elsewhere = rsa_sign(stand.app_key, covered.replace(code, "另一个"))
    for sign in (forged, sha1, elsewhere):
        answer = stand.http.post("/gateway.do", data={**params, "sign": sign})
        assert verified_node(stand, answer)[1]["sub_code"] == "isv.invalid-signature"
    exchanged(stand, code=code)


def test_the_uploaded_key_counts_from_the_next_request(stand: Stand) -> None:
    path = stand.home / "alipay_app_public_key.pem"
    old, stand.app_key = stand.app_key, rsa.generate_private_key(65537, 2048)
    code = auth_code(stand)
    assert refused(stand, code=code)[1] == "isv.invalid-signature"
    path.write_text(public_pem(stand.app_key))
    exchanged(stand, code=code)
    path.unlink()
    assert refused(stand, code=code)[1] == "isv.missing-signature-key"
    path.write_text("不是公钥")
    assert refused(stand, code=code)[1] == "isv.missing-signature-key"
    stand.app_key = old
    upload_key(stand)
    exchanged(stand, code=auth_code(stand))


def test_the_console_takes_a_key_without_its_frame(stand: Stand) -> None:
    bare = "".join(public_pem(stand.app_key).splitlines()[1:-1])
    assert stand.http.post("/open/alipay/app-key", json={"public_key": bare}).status_code == 204
    exchanged(stand, code=auth_code(stand))


@pytest.mark.parametrize("key", ["", "不是公钥", "AAAA", public_pem(rsa.generate_private_key(65537, 1024))])
def test_an_unusable_key_changes_nothing(stand: Stand, key: str) -> None:
    assert stand.http.post("/open/alipay/app-key", json={"public_key": key}).status_code == 400
    exchanged(stand, code=auth_code(stand))


def test_the_phone_number_is_sealed_for_the_backend(stand: Stand) -> None:
    app = stand.credentials["alipay"]
    sealed = stand.open("alipay/phone", person="陈静", phone="13700001111")
    key = serialization.load_pem_public_key(app["alipay_public_key"].encode())
    assert isinstance(key, rsa.RSAPublicKey)
    quoted = f'"{sealed["response"]}"'.encode()
    key.verify(base64.b64decode(sealed["sign"]), quoted, PKCS1v15(), hashes.SHA256())
    decryptor = Cipher(algorithms.AES(base64.b64decode(app["aes_key"])), modes.CBC(bytes(16))).decryptor()
    padded = decryptor.update(base64.b64decode(sealed["response"])) + decryptor.finalize()
    unpadder = PKCS7(128).unpadder()
    content = json.loads(unpadder.update(padded) + unpadder.finalize())
    assert content == {"code": "10000", "msg": "Success", "mobile": "13700001111"}


@pytest.mark.parametrize("body", [b"\xff\xfe", b"%FF=%FF&&&==", os.urandom(4096), b"sign=" + b"A" * 100_000])
def test_rubbish_is_answered_as_the_gateway_answers(stand: Stand, body: bytes) -> None:
    answer = stand.http.post("/gateway.do?%FF", content=body)
    assert answer.json()["error_response"]["code"] == "40001"
