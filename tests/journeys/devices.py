"""Devices of a compound (设备): staff enter them into the register, then they speak by signed requests."""

from __future__ import annotations

import base64
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.api.devices.signing import DeviceSigner
from tests.journeys.client import Client
from tests.journeys.instance import REPOSITORY

REGISTER_DEVICE = """
mutation Device($input: RegisterDeviceInput!) { registerDevice(input: $input) {
  device { id } errors { code message field } } }
"""
ISSUE_KEY = """
mutation Key($input: IssueDeviceKeyInput!) { issueDeviceKey(input: $input) {
  keyId privateKey errors { code message } } }
"""
REGISTER_DOOR = """
mutation Door($input: RegisterDoorInput!) { registerDoor(input: $input) {
  door { id number } errors { code message field } } }
"""


@dataclass(frozen=True, slots=True)
class Device:
    """A device that signs what it says."""

    url: str
    id: str
    signer: DeviceSigner

    def report(self, kind: str, *, active: bool, detail: str = "") -> None:
        """Say that a condition is there, or that it is over."""
        item = {"kind": kind, "active": active, "at": int(time.time() * 1000), "detail": detail}
        told = self._post("/device/v1/alarms", [item])
        assert (told["taken"], told["refused"]) == (1, []), told

    def _post(self, target: str, content: object) -> Any:
        body = orjson.dumps(content)
        headers = self.signer.headers("POST", target, body)
        answer = httpx.post(self.url + target, content=body, headers=headers, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()


@dataclass(frozen=True, slots=True)
class Installer:
    """Staff who enter the devices of a compound into its register."""

    client: Client
    compound: str

    def register(self, code: str, name: str, kind: str, **facts: object) -> str:
        """A device in service; its id."""
        given = {"compound": self.compound, "code": code, "name": name, "kind": kind, **facts}
        done = self.client.ask(REGISTER_DEVICE, input=given)["registerDevice"]
        assert done["errors"] == [], done
        return str(done["device"]["id"])

    def device(self, code: str, name: str, kind: str, **facts: object) -> Device:
        """One that made its key itself: the register gets the public half."""
        id, signer = self.register(code, name, kind, **facts), DeviceSigner()
        public = base64.b64encode(signer.public_key).decode()
        issued = self._key(device=id, publicKey=public)
        assert (issued["keyId"], issued["privateKey"]) == (signer.keyid, None), issued
        return Device(self.client.url, id, signer)

    def keyless(self, code: str, name: str, kind: str, **facts: object) -> Device:
        """One for which a pair is made: the private half is shown this once."""
        id = self.register(code, name, kind, **facts)
        key = load_pem_private_key(self._key(device=id)["privateKey"].encode(), password=None)
        assert isinstance(key, Ed25519PrivateKey)
        return Device(self.client.url, id, DeviceSigner(key))

    def _key(self, **given: object) -> Any:
        issued = self.client.ask(ISSUE_KEY, input=given)["issueDeviceKey"]
        assert issued["errors"] == [], issued
        return issued

    def door(self, device: str, name: str, kind: str, **facts: object) -> str:
        """A door on a device; its id."""
        given = {"compound": self.compound, "device": device, "name": name, "kind": kind, **facts}
        done = self.client.ask(REGISTER_DOOR, input=given)["registerDoor"]
        assert done["errors"] == [], done
        return str(done["door"]["id"])


class GateComputer:
    """A gate computer as a process of its own, with its own folder and the verifier that vendors get."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        assert self.heard() == {"ready": True}

    def do(self, what: str, **order: object) -> Any:
        """Give an order and wait for the answer."""
        self.begin(what, **order)
        return self.heard()

    def begin(self, what: str, **order: object) -> None:
        """Give an order; `heard` is its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(orjson.dumps({"do": what, **order}) + b"\n")
        self._process.stdin.flush()

    def heard(self) -> Any:
        """The next answer."""
        assert self._process.stdout is not None
        return orjson.loads(self._process.stdout.readline())

    def scan(self, shown: str) -> tuple[str, str]:
        """Who decides about what is shown, the server or the gate, and what."""
        told = self.do("scan", shown=shown)
        assert told["opens"] == (told["reason"] == "OK"), told
        return told["by"], told["reason"]


@contextmanager
def gate_computer(folder: Path, device: Device) -> Iterator[GateComputer]:
    """The computer of a gate, switched on; off at the end."""
    folder = folder / f"gate-{uuid.uuid4().hex[:8]}"
    folder.mkdir(parents=True)
    key = device.signer.key.private_bytes_raw().hex()
    command = [sys.executable, "-m", "tests.gate_simulator", str(folder), device.url, key]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield GateComputer(process)
    finally:
        process.kill()
        process.communicate()
