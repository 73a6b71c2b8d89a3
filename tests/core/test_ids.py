"""Identifiers sort by time; secrets compare by hash."""

import time

from mobility.core import ids


def test_uuid7_has_version_and_variant_and_sorts_by_time() -> None:
    first = ids.uuid7()
    time.sleep(0.002)
    second = ids.uuid7()
    assert first.version == 7
    assert first.variant == "specified in RFC 4122"
    assert first < second


def test_uuid7_carries_the_milliseconds_of_its_making() -> None:
    before = time.time_ns() // 1_000_000
    made = ids.uuid7().int >> 80
    assert before <= made <= time.time_ns() // 1_000_000


def test_short_codes_have_no_letters_that_people_mix_up() -> None:
    assert not set("".join(ids.short_code(20) for _ in range(50))) & set("01OIL")


def test_a_secret_is_known_by_its_hash_only() -> None:
    secret = ids.secret()
    assert ids.same_secret(secret, ids.hash_secret(secret))
    assert not ids.same_secret(secret + "x", ids.hash_secret(secret))
