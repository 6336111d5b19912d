"""One form of signature counts, over exactly what was sent; anything else is refused by its reason."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from domains.devices.signatures import SignatureRefused, Signed, claim_of, content_digest
from tests.api.devices.signing import DeviceSigner

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
NONCE = "Zm9yIG9uZSB1c2Ugb25seQ"
TARGET, BODY = "/device/v1/alarms?kind=fire&floor=3", b'{"active": true}'
# Made from fixed seeds: the names of tests hold the key's id, and two processes that collect them must agree.
DEVICE, OTHER = (DeviceSigner(Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)) for seed in (1, 2))

Headers = list[tuple[bytes, bytes]]


def signed_headers(signer: DeviceSigner = DEVICE, *, at: datetime = NOW, body: bytes = BODY) -> Headers:
    given = signer.headers("POST", TARGET, body, created=int(at.timestamp()), nonce=NONCE)
    return [(name.lower().encode(), value.encode()) for name, value in given.items()]


def accepted(
    headers: Headers, *, method: str = "POST", target: str = TARGET, body: bytes = BODY, now: datetime = NOW
) -> Signed:
    path, _, query = target.encode().partition(b"?")
    claim = claim_of(method, path, query, headers)
    claim.check_body(body)
    return claim.proven_by(DEVICE.public_key, now)


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(SignatureRefused) as refused:
        call()
    return refused.value.code


def replaced(name: str, old: str, new: str, headers: Headers | None = None) -> Headers:
    """The headers with something else in one of them; what is replaced must have been there."""
    headers = headers or signed_headers()
    assert any(key == name.encode() and old.encode() in value for key, value in headers)
    return [(k, v.replace(old.encode(), new.encode()) if k == name.encode() else v) for k, v in headers]


def test_a_signed_request_says_who_when_and_under_which_nonce() -> None:
    assert accepted(signed_headers()) == Signed(DEVICE.keyid, NOW, NONCE)


def test_the_example_of_the_guide_is_accepted() -> None:
    seed, body = Ed25519PrivateKey.from_private_bytes(bytes(range(32))), b'{"active": true}'
    digest = b"sha-256=:iaF0tNnkyU4m+gFz5KXcw0Gxuw1hFxqn3ideqmjOYXY=:"
    stated = (
        b'sig1=("@method" "@path" "@query" "content-digest");created=1772352000;keyid="56475aa75463474c"'
        b';nonce="Zm9yIG9uZSB1c2Ugb25seQ";alg="ed25519"'
    )
    signature = (
        b"sig1=:U2KbtKgnleb+XRg2mbxaOUGMl6Q2j/GkMKfOo8VgZc1v0ignfq04D1hwB8/hb8SMsWn09SgEn1zK0qR9VX3xCQ==:"
    )
    headers = [(b"content-digest", digest), (b"signature-input", stated), (b"signature", signature)]
    claim = claim_of("POST", b"/device/v1/alarms", b"floor=3", headers)
    claim.check_body(body)
    assert claim.proven_by(seed.public_key().public_bytes_raw(), NOW).keyid == "56475aa75463474c"


def test_the_empty_body_is_signed_as_well() -> None:
    assert content_digest(b"") == b"sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
    assert accepted(signed_headers(body=b""), body=b"").keyid == DEVICE.keyid
    assert refusal(lambda: accepted(signed_headers(body=b""))) == "DIGEST_WRONG"


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("PUT", TARGET),
        ("POST", TARGET.replace("alarms", "alarm")),
        ("POST", TARGET.replace("alarms", "alarms/")),
        ("POST", TARGET.replace("/v1", "%2Fv1")),
        ("POST", TARGET.replace("alarms", "%61larms")),
        ("POST", TARGET.replace("fire", "fall")),
        ("POST", TARGET.replace("fire", "f%69re")),
        ("POST", "/device/v1/alarms?floor=3&kind=fire"),
        ("POST", TARGET + "&"),
        ("POST", "/device/v1/alarms"),
    ],
)
def test_another_method_path_or_query_is_another_request(method: str, target: str) -> None:
    assert refusal(lambda: accepted(signed_headers(), method=method, target=target)) == "SIGNATURE_WRONG"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (NONCE, NONCE[::-1]),
        (f"created={int(NOW.timestamp())}", f"created={int(NOW.timestamp()) + 1}"),
        (DEVICE.keyid, OTHER.keyid),
        (f';nonce="{NONCE}";alg="ed25519"', f';alg="ed25519";nonce="{NONCE}"'),
    ],
)
def test_another_parameter_is_another_signature(old: str, new: str) -> None:
    assert refusal(lambda: accepted(replaced("signature-input", old, new))) == "SIGNATURE_WRONG"


def test_a_body_and_its_digest_are_bound_together_and_to_the_signature() -> None:
    other = b'{"active": false}'
    swapped = [*signed_headers()[1:], (b"content-digest", content_digest(other))]
    assert refusal(lambda: accepted(signed_headers(), body=other)) == "DIGEST_WRONG"
    assert refusal(lambda: accepted(swapped, body=other)) == "SIGNATURE_WRONG"


def test_the_signature_of_another_device_is_wrong() -> None:
    assert refusal(lambda: accepted(signed_headers(OTHER))) == "SIGNATURE_WRONG"
    own_name = replaced("signature-input", OTHER.keyid, DEVICE.keyid, signed_headers(OTHER))
    assert refusal(lambda: accepted(own_name)) == "SIGNATURE_WRONG"


@pytest.mark.parametrize("index", [0, 1, 2])
def test_each_header_is_there_once(index: int) -> None:
    headers = signed_headers()
    without = headers[:index] + headers[index + 1 :]
    assert refusal(lambda: accepted(without)) == "SIGNATURE_MISSING"
    assert refusal(lambda: accepted([*headers, headers[index]])) == "SIGNATURE_MALFORMED"
    empty = [*without, (headers[index][0], b"")]
    assert refusal(lambda: accepted(empty)) == "SIGNATURE_MALFORMED"


def test_names_of_headers_have_no_case() -> None:
    titled = [(name.title(), value) for name, value in signed_headers()]
    assert accepted(titled).nonce == NONCE
    upper = [(b"SIGNATURE", b"sig1=:AA==:"), *signed_headers()]
    assert refusal(lambda: accepted(upper)) == "SIGNATURE_MALFORMED"


COMPONENTS = '("@method" "@path" "@query" "content-digest")'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (COMPONENTS, '("@path" "@method" "@query" "content-digest")'),
        (COMPONENTS, '("@method" "@path" "@query")'),
        (COMPONENTS, '("@method" "@path" "@query" "content-digest" "date")'),
        (COMPONENTS, '("@method" "@path" "@query" "content-digest";req)'),
        (COMPONENTS, COMPONENTS.replace(" ", "  ")),
        (COMPONENTS, "()"),
        ("sig1=", "sig2="),
        ("sig1=", "a=(), sig1="),
        (';alg="ed25519"', ""),
        ("ed25519", "hmac-sha256"),
        ("ed25519", "ED25519"),
        (';alg="ed25519"', ';alg="ed25519";expires=1'),
        (';alg="ed25519"', f';nonce="{NONCE}"'),
        (';alg="ed25519"', ';tag="x"'),
        (NONCE, "short"),
        (NONCE, "n" * 65),
        (f'"{NONCE}"', NONCE),
        (DEVICE.keyid, DEVICE.keyid.upper() + "Z"),
        (DEVICE.keyid, DEVICE.keyid + "\x00"),
        (DEVICE.keyid, "设备"),
        (f"created={int(NOW.timestamp())}", "created=-1"),
        (f"created={int(NOW.timestamp())}", f'created="{int(NOW.timestamp())}"'),
        (f"created={int(NOW.timestamp())}", f"created={int(NOW.timestamp())}.5"),
        (f"created={int(NOW.timestamp())}", "created=99999999999"),
        (";created", "; created"),
        (";created", ";created;created"),
    ],
)
def test_another_form_of_the_input_is_malformed(old: str, new: str) -> None:
    assert refusal(lambda: accepted(replaced("signature-input", old, new))) == "SIGNATURE_MALFORMED"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("signature", b"sig1=::"),
        ("signature", b"sig1=:" + base64.b64encode(bytes(63)) + b":"),
        ("signature", b"sig1=:" + base64.b64encode(bytes(65)) + b":"),
        ("signature", b"sig1=:" + b"A" * 85 + b"B==:"),
        ("signature", b"sig1=:" + b"\xff" * 86 + b"==:"),
        ("signature", b"sig2=:" + base64.b64encode(bytes(64)) + b":"),
        ("signature", b"sig1=:" + base64.b64encode(bytes(64)) + b":, sig2=:AA==:"),
        ("content-digest", b"sha-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
        ("content-digest", b"sha-512=:" + base64.b64encode(bytes(64)) + b":"),
        ("content-digest", content_digest(BODY) + b", sha-512=:AA==:"),
        ("content-digest", content_digest(BODY) + b"\n"),
    ],
)
def test_another_form_of_signature_or_digest_is_malformed(name: str, value: bytes) -> None:
    headers = [(key, value if key == name.encode() else given) for key, given in signed_headers()]
    assert refusal(lambda: accepted(headers)) == "SIGNATURE_MALFORMED"


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ('POST\n"@path": /', TARGET),
        ("post", TARGET),
        ("POST", '/device\n"@query": ?'),
        ("POST", "/device v1"),
        ("POST", "/device/v1?a=\r\n"),
        ("POST", "/设备"),
    ],
)
def test_what_could_pass_for_another_component_is_malformed(method: str, target: str) -> None:
    assert refusal(lambda: accepted(signed_headers(), method=method, target=target)) == "SIGNATURE_MALFORMED"


@pytest.mark.parametrize("skew_s", [-300, -1, 0, 1, 300])
def test_five_minutes_of_skew_are_allowed(skew_s: int) -> None:
    at = NOW + timedelta(seconds=skew_s)
    assert accepted(signed_headers(at=at)).created == at


@pytest.mark.parametrize("skew_s", [-86_400, -301, 301, 86_400])
def test_a_clock_that_is_further_off_is_told_so(skew_s: int) -> None:
    at = NOW + timedelta(seconds=skew_s)
    assert refusal(lambda: accepted(signed_headers(at=at))) == "SIGNATURE_STALE"


@pytest.mark.parametrize("created", ["0", "9999999999"])
def test_only_who_signed_rightly_learns_that_the_clock_is_off(created: str) -> None:
    forged = replaced("signature-input", str(int(NOW.timestamp())), created)
    assert refusal(lambda: accepted(forged)) == "SIGNATURE_WRONG"


@given(st.integers(0, 2), st.integers(0, 10_000), st.integers(0, 7))
def test_no_flipped_bit_is_accepted(header: int, place: int, bit: int) -> None:
    headers = signed_headers()
    name, value = headers[header]
    place %= len(value)
    flipped = bytes([*value[:place], value[place] ^ (1 << bit), *value[place + 1 :]])
    headers[header] = (name, flipped)
    assert refusal(lambda: accepted(headers)) in {"SIGNATURE_MALFORMED", "SIGNATURE_WRONG", "DIGEST_WRONG"}


@given(st.lists(st.binary(max_size=300), min_size=3, max_size=3), st.binary(max_size=50), st.text(max_size=8))
def test_rubbish_is_refused_and_breaks_nothing(values: list[bytes], path: bytes, method: str) -> None:
    names = (b"content-digest", b"signature-input", b"signature")
    headers = list(zip(names, values, strict=True))
    assert refusal(lambda: claim_of(method, path, path, headers)) == "SIGNATURE_MALFORMED"


@given(st.integers(0, 2), st.integers(0, 300))
def test_truncated_headers_are_malformed(header: int, length: int) -> None:
    headers = signed_headers()
    name, value = headers[header]
    headers[header] = (name, value[: min(length, len(value) - 1)])
    assert refusal(lambda: accepted(headers)) == "SIGNATURE_MALFORMED"
