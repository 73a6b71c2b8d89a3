"""Who may connect, and in which version: the rules of the handshake without a socket."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charging.ocpp.gateway.admission import (
    STATUS_OF,
    Reason,
    basic_credentials,
    certificate_of,
    certificate_of_proxy,
    choose_version,
    identity_of,
    judge,
)
from charging.ocpp.rpc.versions import Version
from charging.stations.facts import StationCredentials
from charging.stations.rules import hash_password

SECRET = "sixteen-characters-at-least"


def station(profile: int = 1, password: str = SECRET) -> StationCredentials:
    hashes = (hash_password(password=password, salt="s"),) if password else ()
    return StationCredentials(
        station_id=1,
        identity="RDAM|123",
        security_profile=profile,
        password_hashes=hashes,
        ocpp_versions=("ocpp1.6", "ocpp2.0.1"),
        registration="accepted",
    )


def basic(user: str = "RDAM|123", password: str | bytes = SECRET) -> str:
    raw = password if isinstance(password, bytes) else password.encode()
    return "Basic " + base64.b64encode(user.encode() + b":" + raw).decode()


@pytest.mark.parametrize(
    ("path", "identity"),
    [
        ("/ocpp/CP1", "CP1"),
        ("/ocpp/CP1/", "CP1"),
        ("/CP1", "CP1"),
        ("/some/other/prefix/CP1//", "CP1"),
        ("/ocpp/RDAM%7C123", "RDAM|123"),
        ("/ocpp/RDAM%20123?token=x", "RDAM 123"),
        ("/ocpp/a%252Fb", "a%2Fb"),
        ("/ocpp/a%2Fb", "a/b"),
        ("/", None),
        ("", None),
        ("/ocpp/%FF", None),
        ("/ocpp/a%00", None),
    ],
)
def test_the_identity_is_the_last_segment_decoded_once(path: str, identity: str | None) -> None:
    assert identity_of(path) == identity


@settings(max_examples=40, deadline=None)
@given(st.text(min_size=1, max_size=48).filter(lambda text: "\x00" not in text))
def test_every_identity_survives_its_url(identity: str) -> None:
    try:
        path = quote(identity, safe="")
    except UnicodeEncodeError:
        return
    assert identity_of(f"/ocpp/{path}") == identity


def test_a_basic_header_is_read_and_anything_else_is_nothing() -> None:
    read = basic_credentials(basic("CP1", "a:b"))
    assert read is not None
    assert (read.user, read.password) == ("CP1", b"a:b")
    for header in (None, "", "Basic", "Bearer abc", "Basic %%%", "Basic Q1Ax", "Basic /////w=="):
        assert basic_credentials(header) is None


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, Reason.NO_CREDENTIALS),
        ("Bearer x", Reason.NO_CREDENTIALS),
        (basic(user="CP2"), Reason.WRONG_USER),
        (basic(password="wrong"), Reason.WRONG_PASSWORD),
        (basic(), None),
    ],
)
def test_profile_1_wants_its_own_name_and_secret(header: str | None, reason: Reason | None) -> None:
    assert judge(station(), header=header, encrypted=False) is reason
    if reason is not None:
        assert STATUS_OF[reason] == 401


def test_a_stranger_is_not_found() -> None:
    assert judge(None, header=basic(), encrypted=True) is Reason.UNKNOWN_IDENTITY
    assert STATUS_OF[Reason.UNKNOWN_IDENTITY] == 404


def test_profile_2_does_not_come_in_the_clear() -> None:
    assert judge(station(profile=2), header=basic(), encrypted=False) is Reason.TLS_REQUIRED
    assert judge(station(profile=2), header=basic(), encrypted=True) is None


def test_profile_0_needs_nothing_but_a_wrong_secret_is_still_wrong() -> None:
    assert judge(station(profile=0, password=""), header=None, encrypted=False) is None
    assert judge(station(profile=0, password=""), header=basic(), encrypted=False) is None
    assert judge(station(profile=0), header=None, encrypted=False) is None
    wrong = judge(station(profile=0), header=basic(password="wrong"), encrypted=False)
    assert wrong is Reason.WRONG_PASSWORD


def test_a_hexadecimal_key_may_come_as_its_bytes() -> None:
    key = "A1B2C3D4E5F60718293A4B5C6D7E8F9001122334"
    owner = station(password=key)
    for password in (key, key.lower(), bytes.fromhex(key)):
        assert judge(owner, header=basic(password=password), encrypted=False) is None


@pytest.mark.parametrize(
    ("offered", "allowed", "version"),
    [
        (["ocpp2.0.1", "ocpp1.6"], ["ocpp1.6", "ocpp2.0.1"], Version.V201),
        (["ocpp1.6", "ocpp2.0.1"], ["ocpp1.6", "ocpp2.0.1"], Version.V16),
        (["ocpp2.1", "ocpp1.6"], ["ocpp1.6", "ocpp2.1"], Version.V21),
        (["ocpp2.0.1", "ocpp1.6"], ["ocpp1.6"], Version.V16),
        (["ocpp9"], ["ocpp1.6"], None),
        ([], ["ocpp1.6"], None),
        (["ocpp1.6"], [], None),
    ],
)
def test_the_stations_order_decides_among_what_is_allowed(
    offered: list[str],
    allowed: list[str],
    version: Version | None,
) -> None:
    assert choose_version(offered=offered, allowed=allowed) is version


@pytest.mark.parametrize(
    ("subject", "common_name"),
    [
        ("CN=RDAM|123,O=Operator", "RDAM|123"),
        ("O=Operator, CN=RDAM|123", "RDAM|123"),
        # The owner of station A asks for a certificate whose organisation is called "x,CN=B".
        (r"CN=A,O=x\,CN=B", "A"),
        (r"CN=A,O=x\\,OU=y\,CN=B", "A"),
        (r"CN=A,O=x\+CN=B", "A"),
        ("CN=A,CN=B", ""),
        ("CN=A+CN=B", ""),
        (r"CN=A\,B,O=x", "A,B"),
        (r"CN=\C3\A0,O=x", "à"),
        ("", ""),
    ],
)
def test_a_proxys_word_names_the_station_and_nobody_else(subject: str, common_name: str) -> None:
    shown = certificate_of_proxy(
        {"X-Client-Cert-Verify": "SUCCESS", "X-Client-Cert-Subject": subject}
    )
    assert shown is not None
    assert shown.common_name == common_name


def test_a_certificate_with_two_common_names_is_nobodys() -> None:
    shown = certificate_of({"subject": ((("commonName", "A"),), (("commonName", "B"),))})
    assert shown is not None
    assert shown.common_name == ""
