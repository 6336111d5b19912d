"""A merchant of both payment platforms: signs requests, checks answers, and takes notifications."""

from __future__ import annotations

import base64
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, TypeVar
from urllib.parse import parse_qsl

import httpx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.unit.stand_ins.stand import Json, Stand, alipay_call, public_pem, rsa_sign, verified_node

T = TypeVar("T")
SERIAL: Final = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
PATIENCE: Final = 20.0


def number(prefix: str = "T") -> str:
    """A new number of the merchant's, of 32 characters."""
    return f"{prefix}{uuid.uuid4().hex}"[:32]


def until(look: Callable[[], T], what: str = "it") -> T:
    """The first true result, however long the machine takes."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.01)
    raise AssertionError(f"{what} did not happen in {PATIENCE} s")


@dataclass(slots=True)
class Delivery:
    """One notification as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True))


@dataclass(slots=True)
class Receiver:
    """Where notifications come to; `answers` are given in turn, the last one for ever."""

    url: str
    answers: list[tuple[int, bytes]]
    got: list[Delivery] = field(default_factory=list)

    def wait(self, count: int) -> list[Delivery]:
        until(lambda: len(self.got) >= count, f"{count} notifications")
        return self.got


@contextmanager
def receiver(*answers: tuple[int, bytes]) -> Iterator[Receiver]:
    """A merchant's server that takes what comes, unless told otherwise."""
    given = list(answers) or [(200, b"success")]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, text = given.pop(0) if len(given) > 1 else given[0]
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.got.append(Delivery(self.path, headers, body))
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Receiver(f"http://127.0.0.1:{server.server_port}/notify", given)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def forget(stand: Stand) -> None:
    """No fault and no notification is left over for the next test."""
    assert stand.http.delete("/open/faults").status_code == 204
    stand.books("UPDATE notices SET next_at = NULL")


def alipay(stand: Stand, method: str, content: Json, **params: str) -> Json:
    """The node of a call, once its signature holds."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    answer = alipay_call(stand, method=method, grant_type="", biz_content=text, **params)
    name, node = verified_node(stand, answer)
    assert name == method.replace(".", "_") + "_response"
    return node


def refused(node: Json) -> tuple[str, str]:
    return node["code"], node.get("sub_code", "")


def alipay_buyer(stand: Stand, person: str) -> Json:
    """The person's ids, as signing in gives them."""
    code = stand.open("alipay/login", person=person)["auth_code"]
    return verified_node(stand, alipay_call(stand, code=code))[1]


def created(stand: Stand, person: str = "陈静", notify_url: str = "", **changed: object) -> Json:
    """alipay.trade.create for a person; a change to None leaves the parameter out."""
    content = {
        "out_trade_no": number(),
        "total_amount": "88.80",
        "subject": "物业费 2026年11月",
        "product_code": "JSAPI_PAY",
        "op_app_id": stand.credentials["alipay"]["app_id"],
        "buyer_open_id": alipay_buyer(stand, person)["open_id"],
        "timeout_express": "30m",
        **changed,
    }
    content = {name: value for name, value in content.items() if value is not None}
    params = {"notify_url": notify_url} if notify_url else {}
    return {**content, **alipay(stand, "alipay.trade.create", content, **params)}


def pay_by_alipay(stand: Stand, trade: Json, person: str = "陈静", **more: object) -> str:
    answer = stand.open("alipay/pay", out_trade_no=trade["out_trade_no"], person=person, **more)
    return str(answer["resultCode"])


def paid_by_alipay(stand: Stand, person: str = "陈静", notify_url: str = "", **changed: object) -> Json:
    trade = created(stand, person, notify_url, **changed)
    assert pay_by_alipay(stand, trade, person) == "9000"
    return trade


def alipay_state(stand: Stand, trade: Json) -> str:
    node = alipay(stand, "alipay.trade.query", {"out_trade_no": trade["out_trade_no"]})
    return str(node.get("trade_status", node.get("sub_code")))


def is_from_alipay(stand: Stand, form: dict[str, str]) -> bool:
    """Over everything but sign and sign_type, with SHA-256 alone."""
    text = "&".join(
        f"{name}={value}" for name, value in sorted(form.items()) if name not in ("sign", "sign_type")
    )
    return holds(stand.credentials["alipay"]["alipay_public_key"], text.encode(), form["sign"])


def holds(pem: str, content: bytes, sign: str, digest: hashes.HashAlgorithm | None = None) -> bool:
    key = serialization.load_pem_public_key(pem.encode())
    assert isinstance(key, rsa.RSAPublicKey)
    try:
        key.verify(base64.b64decode(sign), content, PKCS1v15(), digest or hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def upload_merchant_key(stand: Stand, serial_no: str = SERIAL) -> None:
    fields = {"serial_no": serial_no, "public_key": public_pem(stand.app_key)}
    assert stand.http.post("/open/wechatpay/merchant-key", json=fields).status_code == 204


def authorization(stand: Stand, method: str, target: str, body: bytes, **changed: str) -> str:
    """The request's Authorization, with what is changed in it."""
    parts = {
        "mchid": stand.credentials["wechatpay"]["mchid"],
        "nonce_str": uuid.uuid4().hex,
        "timestamp": str(int(time.time())),
        "serial_no": SERIAL,
        **changed,
    }
    text = f"{method}\n{target}\n{parts['timestamp']}\n{parts['nonce_str']}\n{body.decode()}\n"
    parts.setdefault("signature", rsa_sign(stand.app_key, text))
    pairs = ",".join(f'{name}="{value}"' for name, value in parts.items())
    return f"WECHATPAY2-SHA256-RSA2048 {pairs}"


def wechat_call(
    stand: Stand, method: str, target: str, content: object = None, **changed: str
) -> httpx.Response:
    body = b"" if content is None else json.dumps(content, ensure_ascii=False).encode()
    headers = {
        "Authorization": authorization(stand, method, target, body, **changed),
        "Content-Type": "application/json",
    }
    return stand.http.request(method, target, content=body, headers=headers)


def wechat(stand: Stand, method: str, target: str, content: object = None, status: int = 200) -> Json:
    """The answer, once status and signature hold."""
    answer = wechat_call(stand, method, target, content)
    assert answer.status_code == status, answer.text
    assert is_from_wechat(stand, dict(answer.headers), answer.content)
    return {} if status == 204 else dict(answer.json())


def is_from_wechat(
    stand: Stand, headers: dict[str, str], body: bytes, digest: hashes.HashAlgorithm | None = None
) -> bool:
    merchant = stand.credentials["wechatpay"]
    assert headers["wechatpay-serial"] == merchant["public_key_id"]
    assert headers["wechatpay-signature-type"] == "WECHATPAY2-SHA256-RSA2048"
    text = f"{headers['wechatpay-timestamp']}\n{headers['wechatpay-nonce']}\n".encode() + body + b"\n"
    return holds(merchant["public_key"], text, headers["wechatpay-signature"], digest)


def opened(stand: Stand, delivery: Delivery) -> Json:
    """What a callback's resource says."""
    resource = json.loads(delivery.body)["resource"]
    assert resource["algorithm"] == "AEAD_AES_256_GCM"
    plaintext = AESGCM(stand.credentials["wechatpay"]["apiv3_key"].encode()).decrypt(
        resource["nonce"].encode(),
        base64.b64decode(resource["ciphertext"]),
        resource["associated_data"].encode(),
    )
    found: Json = json.loads(plaintext)
    return found


def browser_order(stand: Stand) -> Json:
    """What a prepay for a browser asks for."""
    scene = {"payer_client_ip": "203.0.113.7", "h5_info": {"type": "Wap"}}
    return wechat_order(stand, payer=None, scene_info=scene)


def openid(stand: Stand, person: str) -> str:
    app = stand.credentials["wechat"]
    code = stand.open("wechat/login", person=person)["js_code"]
    query = {**app, "js_code": code, "grant_type": "authorization_code"}
    return str(stand.http.get("/sns/jscode2session", params=query).json()["openid"])


def wechat_order(stand: Stand, person: str = "陈静", **changed: object) -> Json:
    """What a prepay in the mini-program asks for; a change to None leaves the parameter out."""
    content = {
        "appid": stand.credentials["wechat"]["appid"],
        "mchid": stand.credentials["wechatpay"]["mchid"],
        "description": "物业费 2026年11月",
        "out_trade_no": number(),
        "notify_url": "http://127.0.0.1:9/notify",
        "amount": {"total": 8880, "currency": "CNY"},
        "payer": {"openid": openid(stand, person)},
        **changed,
    }
    return {name: value for name, value in content.items() if value is not None}


def prepaid(stand: Stand, person: str = "陈静", **changed: object) -> Json:
    order = wechat_order(stand, person, **changed)
    return {**order, **wechat(stand, "POST", "/v3/pay/transactions/jsapi", order)}


def client_parameters(stand: Stand, prepay_id: str) -> Json:
    """What a backend hands its mini-program for wx.requestPayment."""
    found = {
        "timeStamp": str(int(time.time())),
        "nonceStr": uuid.uuid4().hex,
        "package": f"prepay_id={prepay_id}",
    }
    appid = stand.credentials["wechat"]["appid"]
    text = f"{appid}\n{found['timeStamp']}\n{found['nonceStr']}\n{found['package']}\n"
    return {**found, "signType": "RSA", "paySign": rsa_sign(stand.app_key, text)}


def pay_by_wechat(stand: Stand, order: Json, person: str = "陈静", **more: object) -> str:
    fields = {**client_parameters(stand, order["prepay_id"]), **more}
    return str(stand.open("wechat/pay", prepay_id=order["prepay_id"], person=person, **fields)["errMsg"])


def paid_by_wechat(stand: Stand, person: str = "陈静", **changed: object) -> Json:
    order = prepaid(stand, person, **changed)
    assert pay_by_wechat(stand, order, person) == "requestPayment:ok"
    return {**order, **wechat_query(stand, order)}


def wechat_query(stand: Stand, order: Json, status: int = 200) -> Json:
    mchid = stand.credentials["wechatpay"]["mchid"]
    return wechat(
        stand, "GET", f"/v3/pay/transactions/out-trade-no/{order['out_trade_no']}?mchid={mchid}", None, status
    )


def wechat_refund(stand: Stand, order: Json, fen: int, status: int = 200, **changed: object) -> Json:
    content = {
        "out_trade_no": order["out_trade_no"],
        "out_refund_no": number("R"),
        "reason": "退物业费",
        "amount": {"refund": fen, "total": order["amount"]["total"], "currency": "CNY"},
        **changed,
    }
    content = {name: value for name, value in content.items() if value is not None}
    return {**content, **wechat(stand, "POST", "/v3/refund/domestic/refunds", content, status)}
