"""Passwords in commands, as long as they wait."""

import pytest

from charging.stations.facts import ONLY_EPOCH
from charging.stations.sealing import opened, sealed

GIVEN = {"password": "a-new-password", ONLY_EPOCH: 7}


def test_who_reads_the_row_learns_the_connection_and_not_the_password() -> None:
    kept = sealed(action="set_password", key="k", payload=GIVEN)
    assert kept[ONLY_EPOCH] == 7
    assert "a-new-password" not in str(kept)
    assert opened(action="set_password", key="k", payload=kept) == GIVEN


def test_a_command_that_was_queued_before_there_were_seals_is_sent_as_it_is() -> None:
    assert opened(action="set_password", key="k", payload=GIVEN) == GIVEN


def test_what_another_installation_or_another_command_sealed_is_missing(settings) -> None:
    kept = sealed(action="set_password", key="k", payload=GIVEN)
    assert opened(action="set_password", key="another", payload=kept) == {ONLY_EPOCH: 7}
    settings.SECRET_KEY = "f" * 50
    assert opened(action="set_password", key="k", payload=kept) == {ONLY_EPOCH: 7}


@pytest.mark.parametrize("value", ["x", 1, None])
def test_another_command_may_call_an_argument_sealed(value: object) -> None:
    payload = {"vendor": "org.example", "sealed": value}
    assert sealed(action="data_transfer", key="k", payload=payload) == payload
    assert opened(action="data_transfer", key="k", payload=payload) == payload


def test_a_password_that_only_looks_sealed_is_missing_too() -> None:
    assert opened(action="set_network_profile", key="k", payload={"sealed": 1}) == {}
