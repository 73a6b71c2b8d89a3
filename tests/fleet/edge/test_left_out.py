"""Tests that need a broker are left out where there is none, but never where nobody would see it."""

from pathlib import Path

import pytest

from tests.fleet.edge import broker


def test_without_a_broker_only_people_may_leave_tests_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "program", lambda: None)
    monkeypatch.delenv("CI", raising=False)
    assert broker.may_be_left_out()
    monkeypatch.setenv("CI", "true")
    assert not broker.may_be_left_out()


def test_without_a_broker_those_that_are_not_left_out_fail(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(broker, "program", lambda: None)
    monkeypatch.setattr(broker.Broker, "renew_users", lambda _self: None)
    with pytest.raises(AssertionError, match="no mosquitto"):
        broker.Broker(tmp_path).start()
