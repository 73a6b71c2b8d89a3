"""Signatures, pauses and addresses, without database and network."""

import base64
import datetime
import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobility.core import courier
from mobility.webhooks import rules


def test_the_signature_is_the_one_of_standard_webhooks() -> None:
    """The example of the specification's own libraries."""
    signature = rules.sign(
        secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.binary(max_size=200), st.integers(0, 2**33), st.text(max_size=20))
@settings(max_examples=25)
def test_what_is_signed_is_believed_and_nothing_else(body: bytes, now: int, salt: str) -> None:
    old = rules.derive_secret(key="k", salt=salt)
    new = rules.derive_secret(key="k", salt=salt + "2")
    headers = rules.headers(secrets=[new, old], message_id="1", timestamp=now, body=body)
    for secret in (old, new):
        assert rules.verify(secret=secret, headers=headers, body=body, now=now)
        assert not rules.verify(secret=secret, headers=headers, body=body + b"!", now=now)
    other = rules.derive_secret(key="other", salt=salt)
    assert not rules.verify(secret=other, headers=headers, body=body, now=now)


def test_a_derived_secret_carries_32_bytes_and_its_fingerprint_is_not_its_hash() -> None:
    secret = rules.derive_secret(key="k", salt="s")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    assert len(key) == 32
    assert key == hmac.digest(b"k", b"webhook:s", hashlib.sha256)
    assert rules.fingerprint(secret) != hashlib.sha256(secret.encode()).hexdigest()


def test_the_pauses_fill_three_days_and_then_it_is_over() -> None:
    pauses = [rules.pause_after(n, jitter=0) for n in range(1, rules.MAX_ATTEMPTS)]
    assert all(pauses)
    assert pauses == sorted(pauses)  # type: ignore[type-var]
    total = sum((pause for pause in pauses if pause), datetime.timedelta())
    assert datetime.timedelta(days=2.9) < total < datetime.timedelta(days=3.3)
    assert rules.pause_after(rules.MAX_ATTEMPTS, jitter=0) is None


@given(st.integers(1, rules.MAX_ATTEMPTS - 1), st.floats(0, 1), st.integers(-5, 10**9))
@settings(max_examples=50)
def test_a_wish_only_lengthens_a_pause_and_never_beyond_a_day(
    attempts: int, jitter: float, wish_s: int
) -> None:
    plain = rules.pause_after(attempts, jitter=jitter)
    wished = rules.pause_after(attempts, jitter=jitter, wish_s=wish_s)
    assert plain is not None
    assert wished is not None
    assert plain <= wished <= max(plain, datetime.timedelta(hours=24))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "255.255.255.255", "224.0.0.1", "240.0.0.1", "198.18.0.1", "192.0.2.1", "::1", "::", "fe80::1",
        "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "2001:0:7f00:1::", "fec0::1", "nonsense",
    ],
)  # fmt: skip
def test_addresses_inside_are_not_public(address: str) -> None:
    assert not courier.is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:4700::1111"])
def test_addresses_of_the_open_internet_are(address: str) -> None:
    assert courier.is_public(address)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://hooks.example.com/", "not_https"),
        ("ftp://hooks.example.com/", "not_https"),
        ("//hooks.example.com/", "not_https"),
        ("https:///path", "malformed"),
        ("https://user:pass@hooks.example.com/", "malformed"),
        ("https://hooks.example.com/#part", "malformed"),
        ("https://hooks.example.com:99999/", "malformed"),
        ("https://[::1/", "malformed"),
        ("https://localhost/", "not_public"),
        ("https://127.0.0.1/", "not_public"),
        ("https://127.1/", "not_public"),
        ("https://2130706433/", "not_public"),
        ("https://0x7f000001/", "not_public"),
        ("https://[::ffff:127.0.0.1]/", "not_public"),
        ("https://169.254.169.254/latest/meta-data", "not_public"),
    ],
)
def test_nothing_is_sent_to_such_an_address(url: str, reason: str) -> None:
    with pytest.raises(courier.BadTarget, match=reason):
        courier.target_of(url)


def test_an_address_is_taken_apart() -> None:
    target = courier.target_of("https://hooks.example.com:8443/in?x=1")
    assert (target.host, target.port, target.path) == ("hooks.example.com", 8443, "/in?x=1")
    assert target.host_header == "hooks.example.com:8443"
    assert courier.target_of("https://hooks.example.com").host_header == "hooks.example.com"
