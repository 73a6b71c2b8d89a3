"""Web push as the RFCs write it."""

import base64
import datetime
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from mobility.notifications import rules, wire
from mobility.notifications.states import Channel, Topic
from tests.notifications.browser import Subscription

AT = datetime.datetime(2026, 11, 22, 12, 0, tzinfo=datetime.UTC)


def test_the_example_of_the_rfc_comes_out_byte_for_byte() -> None:
    """RFC 8291, appendix A."""
    sealed = wire.encrypt(
        b"When I grow up, I want to be a watermelon",
        p256dh="BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        auth="BTBZMqHH6r4Tts7J_aSIgg",
        sender=wire.private_key("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"),
        salt=wire.unb64("DGv6ra1nlYgDCS1FRnbzlw"),
    )

    assert wire.b64(sealed) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
        "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
        "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_only_the_device_reads_it_and_no_two_look_alike() -> None:
    phone = Subscription("https://push.example/1").as_json()["keys"]
    first = wire.encrypt(b"{}", p256dh=phone["p256dh"], auth=phone["auth"])

    assert first != wire.encrypt(b"{}", p256dh=phone["p256dh"], auth=phone["auth"])
    assert b"{}" not in first


def test_the_voucher_is_signed_for_one_push_service_and_for_some_hours() -> None:
    key = wire.private_key(wire.new_private_key())
    voucher = wire.voucher(
        endpoint="https://push.example:8443/send/abc?x=1",
        key=key,
        contact="mailto:rides@example.org",
        at=AT,
    )
    scheme, _space, rest = voucher.partition(" ")
    token, public = (part.partition("=")[2] for part in rest.split(", "))
    head, claims, signature = token.split(".")
    raw = wire.unb64(signature)

    assert scheme == "vapid"
    assert json.loads(wire.unb64(head)) == {"typ": "JWT", "alg": "ES256"}
    told = json.loads(wire.unb64(claims))
    assert told["aud"] == "https://push.example:8443"
    assert AT.timestamp() < told["exp"] <= AT.timestamp() + 86_400
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), wire.unb64(public)).verify(
        encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:])),
        f"{head}.{claims}".encode(),
        ec.ECDSA(hashes.SHA256()),
    )


@pytest.mark.parametrize(
    "text", ["", "!!", "AAAA", base64.urlsafe_b64encode(b"\x04" * 65).decode()]
)
def test_what_is_no_key_of_a_device_is_refused(text: str) -> None:
    with pytest.raises(wire.BadKey):
        wire.device_key(text)


def test_defaults_leave_the_mailbox_alone_where_nobody_would_look_in_time() -> None:
    assert rules.is_wanted(Topic.HOLD, Channel.PUSH, {})
    assert not rules.is_wanted(Topic.HOLD, Channel.MAIL, {})
    assert rules.is_wanted(Topic.HOLD, Channel.MAIL, {(Topic.HOLD, Channel.MAIL): True})
    assert not rules.is_wanted(Topic.BOOKING, Channel.PUSH, {(Topic.BOOKING, Channel.PUSH): False})


def test_who_owes_something_hears_of_it_whatever_they_chose() -> None:
    assert rules.is_wanted(Topic.MONEY, Channel.MAIL, {(Topic.MONEY, Channel.MAIL): False})
    assert not rules.is_wanted(Topic.MONEY, Channel.PUSH, {(Topic.MONEY, Channel.PUSH): False})


def test_pauses_grow_and_end() -> None:
    pauses = [rules.pause_after(attempts) for attempts in range(1, 7)]

    assert pauses[-1] is None
    assert pauses[:-1] == sorted(filter(None, pauses[:-1]))
    assert rules.pause_after(1, wish_s=90) == datetime.timedelta(seconds=90)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36", "Chrome · Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1) Version/18.1 Mobile Safari/604.1", "Safari · iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox · Linux"),
        ("curl/8", ""),
    ],
)  # fmt: skip
def test_devices_have_names_that_a_person_knows(agent: str, name: str) -> None:
    assert rules.device_name(agent) == name
