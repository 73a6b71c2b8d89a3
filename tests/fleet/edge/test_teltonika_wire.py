"""The bytes of Teltonika units: the examples of its wiki, and what may be wrong with a frame."""

from contextlib import suppress

import fastcrc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.telematics.teltonika import mapping, wire
from tests.fleet.edge.unit import avl, frame

# Teltonika Telematics Wiki, "Teltonika Data Sending Protocols": one record, two records, extended.
ONE = "000000000000003608010000016B40D8EA30010000000000000000000000000000000105021503010101425E0F01F10000601A014E0000000000000000010000C7CF"
TWO = "000000000000004308020000016B40D57B480100000000000000000000000000000001010101000000000000016B40D5C198010000000000000000000000000000000101010101000000020000252C"
EXTENDED = "000000000000004A8E010000016B412CEE000100000000000000000000000000000000010005000100010100010011001D00010010015E2C880002000B000000003544C87A000E000000001DD7E06A00000100002994"
GETINFO = "000000000000000F0C010500000007676574696E666F0100004312"
GETINFO_ANSWER = (
    "00000000000000900C010600000088494E493A323031392F372F323220373A3232205254433A323031392F372F3232"
    "20373A3533205253543A32204552523A312053523A302042523A302043463A302046473A3020464C3A302054553A30"
    "2F302055543A3020534D533A30204E4F4750533A303A3330204750533A31205341543A302052533A332052463A3635"
    "2053463A31204D443A30010000C78F"
)


def data_of(text: str) -> bytes:
    """The data and CRC of a frame, as the gateway hands them over."""
    whole = bytes.fromhex(text)
    assert wire.data_length(whole[:8]) == len(whole) - 8 - 4
    return whole[8:]


def refusal(body: bytes) -> str:
    with pytest.raises(wire.FrameRefused) as refused:
        wire.read_frame(body)
    return refused.value.reason


def test_the_example_of_codec_8() -> None:
    (record,) = wire.read_frame(data_of(ONE))
    assert (record.at_ms, record.priority, record.event) == (1_560_161_086_000, 1, 1)
    assert record.readings == {21: 3, 1: 1, 66: 24_079, 241: 24_602, 78: 0}


def test_the_example_of_two_records() -> None:
    first, second = wire.read_frame(data_of(TWO))
    assert (first.at_ms, second.at_ms) == (1_560_160_861_000, 1_560_160_879_000)


def test_the_example_of_codec_8_extended() -> None:
    (record,) = wire.read_frame(data_of(EXTENDED))
    assert record.readings == {1: 1, 17: 29, 16: 22_949_000, 11: 893_700_218, 14: 500_686_954}
    (row,) = mapping.points_of([record], profile=mapping.profile_of("tracker"))
    assert row["odometer_m"] == 22_949_000


def test_the_example_of_codec_12() -> None:
    assert wire.write_command("getinfo").hex().upper() == GETINFO
    answers = wire.read_frame(data_of(GETINFO_ANSWER))
    assert isinstance(answers, wire.Answers)
    assert answers[0].startswith("INI:2019/7/22 7:22 RTC:")


def test_every_fault_of_a_frame_has_its_name() -> None:
    good = data_of(ONE)
    assert refusal(good[:-1] + b"\x00") == "crc"
    for data, reason in (
        (b"\x0d" + good[1:-4], "codec"),
        (b"\x08\x02" + good[2:-4], "truncated"),
        (good[:-5] + b"\x02", "count"),
        (good[:-4] + b"\x01", "length"),
        (good[:30] + b"\x01", "truncated"),
        (b"\x0c\x01\x05\x00\x00\x00\x01a\x01", "type"),
        (b"\x0c\x01\x06\xff\xff\xff\xffa\x01", "truncated"),
    ):
        assert refusal(data + fastcrc.crc16.arc(data).to_bytes(4)) == reason, data.hex()


def test_a_head_that_is_none_is_told_apart() -> None:
    for head, reason in ((b"\x00\x00\x00\x01" * 2, "preamble"), (b"\x00" * 8, "length")):
        with pytest.raises(wire.FrameRefused, match=reason):
            wire.data_length(head)
    with pytest.raises(wire.FrameRefused, match="length"):
        wire.data_length(b"\x00\x00\x00\x00\x7f\xff\xff\xff")
    with pytest.raises(wire.FrameRefused, match="imei"):
        wire.hello_length(b"\x00\x10")
    with pytest.raises(wire.FrameRefused, match="imei"):
        wire.read_imei(b"35630704244101x")


@settings(max_examples=60)
@given(st.binary(max_size=200))
def test_rubbish_is_refused_and_nothing_else(data: bytes) -> None:
    """Whatever the bytes are, with a right CRC or a wrong one, the answer is a record or a reason."""
    for body in (data, b"\x08" + data, b"\x8e\x01" + data, b"\x0c\x01" + data):
        sealed = body + fastcrc.crc16.arc(body).to_bytes(4) if body else bytes(5)
        with suppress(wire.FrameRefused):
            assert isinstance(wire.read_frame(sealed), list)


@settings(max_examples=60)
@given(
    at_ms=st.integers(0, 2**64 - 1),
    lon=st.integers(-(2**31), 2**31 - 1),
    lat=st.integers(-(2**31), 2**31 - 1),
    speed=st.integers(0, 65_535),
    angle=st.integers(0, 65_535),
    readings=st.dictionaries(st.integers(0, 255), st.integers(0, 2**32 - 1), max_size=8),
    wide=st.booleans(),
)
def test_whatever_a_unit_says_becomes_a_point(
    at_ms: int, lon: int, lat: int, speed: int, angle: int, readings: dict[int, int], *, wide: bool
) -> None:
    record = avl(
        at_ms=at_ms, lon=lon, lat=lat, speed=speed, angle=angle, readings=readings, wide=wide
    )
    found = wire.read_frame(frame([record], wide=wide)[8:])
    assert isinstance(found, list)
    assert found[0].readings == readings
    (point,) = mapping.points_of(found, profile=mapping.profile_of("relay"))
    assert (point["lon_e7"], point["lat_e7"]) == (lon, lat)
    assert point["at_us"] == min(at_ms, 253_402_300_799_999) * 1000


def test_the_profile_says_what_readings_mean() -> None:
    readings = {239: 0, 246: 1, 16: 12_345, 113: 64, 182: 12}
    body = frame([avl(lon=91_900_000, lat=454_600_000, speed=36, angle=90, readings=readings)])
    found = wire.read_frame(body[8:])
    assert isinstance(found, list)
    (point,) = mapping.points_of(found, profile=mapping.profile_of("relay"))
    assert (point["locked"], point["tilted"], point["battery_pct"]) == (1, 1, 64)
    assert (point["odometer_m"], point["speed_cms"], point["heading"]) == (12_345, 1000, 90)
    assert point["accuracy_dm"] == 60
    (tracked,) = mapping.points_of(found, profile=mapping.profile_of("whatever"))
    assert tracked["locked"] == -1


def test_without_satellites_the_place_is_not_believed() -> None:
    found = wire.read_frame(frame([avl(satellites=0)])[8:])
    assert isinstance(found, list)
    (point,) = mapping.points_of(found, profile=mapping.profile_of("relay"))
    assert point["accuracy_dm"] == 32_767


@pytest.mark.parametrize(
    ("said", "result"),
    [
        ("DOUT1:ON Timeout:INFINITY", "confirmed"),
        ("DOUT1:ON Timeout:10s Speed is above threshold, queued", "accepted"),
        ("DOUT1 ERROR", "rejected"),
        ("Unknown command or invalid format", "rejected"),
        ("DOUT2 is disabled from CFG", "rejected"),
    ],
)
def test_a_unit_answers_in_words(said: str, result: str) -> None:
    assert mapping.result_of(said) == result


def test_what_an_installation_cannot_do_has_no_words() -> None:
    relay, tracker = mapping.profile_of("relay"), mapping.profile_of("tracker")
    assert mapping.command_text("unlock", {}, profile=relay) == "setdigout 1?"
    assert mapping.command_text("unlock", {}, profile=tracker) is None
    assert mapping.command_text("set_speed_limit", {"max_kmh": 6}, profile=relay) is None
