"""What a library of the standard signs in our profile is accepted, and the other way round."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    MappingKeyResolver,
    algorithms,
)

from domains.devices.signatures import claim_of
from tests.api.devices.signing import DeviceSigner

COVERED = ("@method", "@path", "@query", "content-digest")
TARGETS = ["/device/v1/alarms", "/device/v1/a%2Fb?b=2&a=%E5%8C%97", "/device/v1/time?", "/"]
BODIES = [b"", b'{"active": true}', bytes(range(256))]
DEVICE = DeviceSigner()
KEYS = MappingKeyResolver(
    public_keys={DEVICE.keyid: DEVICE.key.public_key()}, private_keys={DEVICE.keyid: DEVICE.key}
)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("body", BODIES)
def test_the_library_signs_and_we_accept(target: str, body: bytes) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    request = httpx.Request("POST", f"https://linli.example{target}", content=body)
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=KEYS)
    signer.sign(
        request,
        key_id=DEVICE.keyid,
        created=now,
        nonce="dGhlIGxpYnJhcnkgb25l",
        label="sig1",
        covered_component_ids=COVERED,
        body=body,
    )
    path, _, query = target.encode().partition(b"?")
    claim = claim_of(request.method, path, query, request.headers.raw)
    claim.check_body(body)
    signed = claim.proven_by(DEVICE.public_key, now)
    assert (signed.keyid, signed.created, signed.nonce) == (DEVICE.keyid, now, "dGhlIGxpYnJhcnkgb25l")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("body", BODIES)
def test_our_devices_sign_and_the_library_accepts(target: str, body: bytes) -> None:
    headers = DEVICE.headers("PUT", target, body)
    request = httpx.Request("PUT", f"https://linli.example{target}", headers=headers, content=body)
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=KEYS)
    [result] = verifier.verify(
        request, max_age=timedelta(minutes=5), require_components=COVERED, body=body or None
    )
    assert result.parameters["keyid"] == DEVICE.keyid
    assert list(result.covered_components) == [f'"{name}"' for name in (*COVERED, "@signature-params")]
