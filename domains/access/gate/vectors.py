"""The test vectors (测试向量) in vectors.json: `python -m … .gate.vectors` checks them, `--write` makes them."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from . import vector_cases
from .reasons import Kind, Reason, Refused
from .vector_cases import Apply, Case, Show, UsedOnline
from .verifier import Gate, GateSettings, Unbound

FILE = Path(__file__).with_name("vectors.json")


def document() -> str:
    """The file as the cases make it."""
    content = {
        "keys": [
            {
                "kid": kid.hex(),
                "seed": seed.hex(),
                "public": vector_cases.SIGNERS[kid].public_key().public_bytes_raw().hex(),
                "known": kid in vector_cases.KNOWN,
            }
            for kid, seed in vector_cases.SEEDS.items()
        ],
        "screen_key": vector_cases.SCREEN_KEY.hex(),
        "vectors": [_vector(case) for case in vector_cases.cases()],
    }
    return json.dumps(content, ensure_ascii=True, indent=1) + "\n"


def differences(text: str) -> list[str]:
    """Run every vector of a file through the verifier: what it answers otherwise, a line each."""
    content = json.loads(text)
    keys = {
        bytes.fromhex(key["kid"]): Ed25519PrivateKey.from_private_bytes(
            bytes.fromhex(key["seed"])
        ).public_key()
        for key in content["keys"]
        if key["known"]
    }
    screen_key = bytes.fromhex(content["screen_key"])
    return [line for vector in content["vectors"] for line in _differences(vector, keys, screen_key)]


def _vector(case: Case) -> dict[str, object]:
    gate = case.gate
    return {
        "name": case.name,
        "gate": {
            "community": gate.community,
            "number": gate.number,
            "unbound": gate.unbound,
            "screen_required": gate.screen_required,
        },
        "steps": [_step(step) for step in case.steps],
    }


def _step(step: Show | Apply | UsedOnline) -> dict[str, object]:
    if isinstance(step, UsedOnline):
        told = {"id": step.id.hex(), "kind": step.kind, "expires_at": step.expires_at}
        return {"used_online": told, "now": step.now, "expected": Reason.OK}
    if isinstance(step, Apply):
        return {"delta": step.message.hex(), "expected": step.expected}
    return {"text": step.text, "now": step.now, "expected": step.expected}


# Any: a vector is JSON of the form that _vector makes
def _differences(
    vector: Mapping[str, Any], keys: Mapping[bytes, Ed25519PublicKey], screen_key: bytes
) -> list[str]:
    terms = vector["gate"] | {"unbound": Unbound(vector["gate"]["unbound"]), "screen_key": screen_key}
    found = []
    with tempfile.TemporaryDirectory() as folder:
        gate = Gate(Path(folder), GateSettings(**terms), keys, lambda: None)
        for number, step in enumerate(vector["steps"], 1):
            answer = _answer(gate, step)
            if answer != step["expected"]:
                found.append(f"{vector['name']}, step {number}: {answer}, expected {step['expected']}")
    return found


def _answer(gate: Gate, step: Mapping[str, Any]) -> Reason:  # Any: as above
    if "text" in step:
        return gate.admit(step["text"], step["now"]).reason
    if used := step.get("used_online"):
        gate.used_online(bytes.fromhex(used["id"]), Kind(used["kind"]), used["expires_at"], step["now"])
        return Reason.OK
    try:
        gate.apply(bytes.fromhex(step["delta"]))
    except Refused as refused:
        return refused.reason
    return Reason.OK


def main() -> int:
    """Write the vectors, or check this verifier against them; 1 where they differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="make the file anew from the cases")
    if parser.parse_args().write:
        FILE.write_text(document(), encoding="utf-8")
    found = differences(FILE.read_text(encoding="utf-8"))
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
