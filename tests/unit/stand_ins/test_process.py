"""The process: what a restart keeps, how it stops, and that a code is used once whoever asks."""

from __future__ import annotations

import ast
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.unit.stand_ins.stand import ROOT, Stand, alipay_call, running, send_sms, sms_params, verified_node
from tests.unit.stand_ins.test_wechat import session, stable_token


def test_credentials_and_keys_are_their_owners_alone(stand: Stand) -> None:
    assert set(stand.credentials) == {"wechat", "alipay", "sms", "wechatpay"}
    for path in stand.home.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_keeps_the_books(tmp_path: Path, end: signal.Signals) -> None:
    with running(tmp_path) as stand:
        credentials = stand.credentials
        used, unused = (stand.open("wechat/login", person="老周")["js_code"] for _ in range(2))
        openid = session(stand, used)["openid"]
        token = stable_token(stand)["access_token"]
        user_id = verified_node(
            stand, alipay_call(stand, code=stand.open("alipay/login", person="老周")["auth_code"])
        )[1]["user_id"]
        sent = sms_params(stand, "15200000000")
        stand.http.post("/", data=sent)
        stand.process.send_signal(end)
        assert stand.process.wait(5) == (0 if end is signal.SIGTERM else -end)
    with running(tmp_path, stand.app_key) as again:
        assert again.credentials == credentials
        assert session(again, used)["errcode"] == 40163
        assert session(again, unused)["openid"] == openid
        assert stable_token(again)["access_token"] == token
        code = again.open("alipay/login", person="老周")["auth_code"]
        assert verified_node(again, alipay_call(again, code=code))[1]["user_id"] == user_id
        assert again.http.post("/", data=sent).json()["Code"] == "SignatureNonceUsed"
        assert send_sms(again, "15200000000").json()["Code"] == "isv.BUSINESS_LIMIT_CONTROL"
        assert len(again.sms_to("15200000000")) == 1


def test_an_interrupt_ends_it_well(tmp_path: Path) -> None:
    with running(tmp_path) as stand:
        stand.process.send_signal(signal.SIGINT)
        assert stand.process.wait(5) == 0


def test_a_taken_port_is_said(stand: Stand, tmp_path: Path) -> None:
    port = str(stand.http.base_url.port)
    command = [sys.executable, "-m", "miniprogram_stub.platform", "--port", port, "--home", str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 1
    assert f"端口 {port} 无法使用" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_code_is_used_once_when_many_ask_at_once(stand: Stand) -> None:
    code = stand.open("wechat/login", person="抢")["js_code"]
    with ThreadPoolExecutor(16) as many:
        answers = list(many.map(lambda _: session(stand, code), range(16)))
    assert sum("openid" in answer for answer in answers) == 1
    assert sum(answer.get("errcode") == 40163 for answer in answers) == 15


def test_it_shares_no_code_with_the_product() -> None:
    ours = "miniprogram_stub.platform"
    product = {"api", "schema", "domains", "payments", "notifications"}
    for path in (ROOT / ours.replace(".", "/")).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            named = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            named += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not {name.split(".")[0] for name in named} & product, path.name
