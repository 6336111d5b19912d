"""A gate computer (模拟道闸) as a process of its own: its folder, the verifier that vendors get, and HTTP.

`python -m tests.gate_simulator FOLDER URL PRIVATE_KEY_HEX` takes orders as lines of JSON and answers each with one.
It asks the server while it has a network, and decides by itself while it has none; what it decided so
is told before it asks again. Its relay writes a line to `openings`.
"""

from __future__ import annotations

import base64
import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from domains.access.gate.events import Event
from domains.access.gate.reasons import Kind
from domains.access.gate.verifier import Gate, GateSettings, Unbound, Verdict
from tests.api.devices.signing import DeviceSigner

NO_NETWORK = "http://127.0.0.1:9"
AT_ONCE = 300
"""Events that fit into one request."""
Json = dict[str, Any]  # Any: JSON


class Server:
    """The server, as a gate reaches it or does not."""

    def __init__(self, url: str, signer: DeviceSigner) -> None:
        self._url, self._signer, self.is_cut = url, signer, False
        self._http = httpx.Client(timeout=40, trust_env=False)

    def get(self, path: str, **query: int) -> Json:
        """A signed GET."""
        return self._ask("GET", f"{path}?{urlencode(query)}" if query else path, b"")

    def post(self, path: str, content: object) -> Json:
        """A signed POST."""
        return self._ask("POST", path, orjson.dumps(content))

    def _ask(self, method: str, path: str, body: bytes) -> Json:
        target = f"/device/v1/gate/{path}"
        headers, url = self._signer.headers(method, target, body), NO_NETWORK if self.is_cut else self._url
        answer = self._http.request(method, url + target, content=body, headers=headers)
        if answer.status_code != 409:
            answer.raise_for_status()
        told: Json = answer.json()
        return told


@dataclass
class Simulator:
    """What the gate computer does with each order."""

    folder: Path
    server: Server
    stalls: bool = False

    def start(self) -> None:
        """Start, from what the folder holds; without any settings the server has to be there."""
        held = self.folder / "settings.json"
        if not held.exists():
            held.write_bytes(orjson.dumps(self.server.get("keys")))
        told: Json = orjson.loads(held.read_bytes())
        self.keys = {
            bytes.fromhex(kid): Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
            for kid, key in told["keys"].items()
        }
        self.settings = GateSettings(
            community=told["community"], number=told["gate"], screen_required=told["needsScreen"],
            unbound=Unbound.COUNT if told["countsOffline"] else Unbound.REFUSE,
            screen_key=bytes.fromhex(told["screenKey"]) if told["screenKey"] else None,
        )  # fmt: skip
        self.gate = Gate(self.folder / "gate", self.settings, self.keys, self._open)

    def _open(self) -> None:
        """The relay; where it stalls, the process is killed with the gate open and nothing queued."""
        with (self.folder / "openings").open("a") as file:
            file.write("opened\n")
            file.flush()
            os.fsync(file.fileno())
        if self.stalls:
            say({"opening": True})
            time.sleep(60)

    def scan(self, order: Json) -> Json:
        """Ask the server; decide alone where it does not answer."""
        try:
            self.upload({})
            told = self.server.post("scan", {"id": secrets.token_hex(16), "shown": order["shown"]})
        except httpx.TransportError:
            verdict: Verdict = self.gate.admit(order["shown"], int(time.time()))
            return {"by": "gate", "opens": verdict.opens, "reason": verdict.reason}
        if told["admit"]:
            self._open_online(told["spent"])
        return {"by": "server", "opens": told["admit"], "reason": told["reason"]}

    def _open_online(self, spent: Json | None) -> None:
        if spent:
            # Before the relay: a gate that is killed in between has opened to nobody.
            id, kind = bytes.fromhex(spent["id"]), Kind(spent["kind"])
            self.gate.used_online(id, kind, spent["expiresAt"], int(time.time()))
        self._open()

    def poll(self, order: Json) -> Json:
        """Take the next part of the revocation list."""
        told = self.server.get("revocations", after=self.gate.list_sequence(), wait=order.get("wait", 0))
        if told.get("code") == "LIST_UNKNOWN":
            (self.folder / "gate" / "revocations").unlink()
            self.gate = Gate(self.folder / "gate", self.settings, self.keys, self._open)
        self.gate.apply(base64.b64decode(told["delta"]))
        return {"sequence": self.gate.list_sequence()}

    def upload(self, order: Json) -> Json:
        """Tell what the gate did alone, until nothing waits; `forgets` is a gate killed before it confirmed."""
        told: Json = {}
        while waiting := self.gate.waiting(AT_ONCE):
            told = self.server.post("events", {"events": [_event(each) for each in waiting]})
            if order.get("forgets"):
                break
            self.gate.confirm(told["upTo"])
        return told

    def cut(self, order: Json) -> Json:
        """Take the network away or give it back."""
        self.server.is_cut = order["is_cut"]
        return {}

    def stall(self, _: Json) -> Json:
        """From now on the gate hangs in the moment in which it opens."""
        self.stalls = True
        return {}


def _event(event: Event) -> Json:
    return {
        "sequence": event.sequence, "id": event.id.hex(), "kind": event.kind, "at": event.at, "reason": event.reason,
        "shown": event.shown.hex() if event.shown else None,
    }  # fmt: skip


def say(answer: Mapping[str, object]) -> None:
    """A line for who gave the order."""
    sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    """Start, say so, and obey."""
    folder, url, key = sys.argv[1:]
    signer = DeviceSigner(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key)))
    gate = Simulator(Path(folder), Server(url, signer))
    gate.start()
    orders: dict[str, Callable[[Json], Json]] = {
        "scan": gate.scan, "poll": gate.poll, "upload": gate.upload, "cut": gate.cut, "stall": gate.stall,
    }  # fmt: skip
    say({"ready": True})
    for line in sys.stdin.buffer:
        order: Json = orjson.loads(line)
        say(orders[order.pop("do")](order))


if __name__ == "__main__":
    main()
