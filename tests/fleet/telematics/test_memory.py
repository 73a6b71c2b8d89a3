"""What a door remembers of whom it knows: never more than was true, never all forgotten at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import OperationalError

from fleet.telematics.services import credentials
from fleet.telematics.services.credentials import Credential, DeviceUnknown
from mobility.core import clock

if TYPE_CHECKING:
    from collections.abc import Callable

    Memory = credentials._Memory[Credential]

GIULIAS = Credential(device_id=1, vehicle_id=1)
SARAS = Credential(device_id=2, vehicle_id=2)


@pytest.fixture
def memory() -> Memory:
    return credentials._Memory()


def recall(memory: Memory, name: str, look_up: Callable[[], Credential]) -> Credential:
    return memory.recall(("secret", name), at=clock.now(), look_up=look_up)


def unknown() -> Credential:
    raise DeviceUnknown


def away() -> Credential:
    raise OperationalError


def test_a_look_up_that_began_before_a_revocation_is_not_believed(memory: Memory) -> None:
    def overtaken() -> Credential:
        memory.doubt()  # revoked, told and heard of, while the database still answers
        return GIULIAS

    assert recall(memory, "giulia", overtaken) == GIULIAS
    with pytest.raises(DeviceUnknown):
        recall(memory, "giulia", unknown)


def test_who_is_doubted_is_asked_about_and_believed_while_nobody_can_answer(
    memory: Memory,
) -> None:
    recall(memory, "giulia", lambda: GIULIAS)
    assert recall(memory, "giulia", unknown) == GIULIAS
    memory.doubt()
    assert recall(memory, "giulia", away) == GIULIAS
    assert recall(memory, "giulia", lambda: SARAS) == SARAS


def test_a_full_memory_forgets_the_oldest_only(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "_MAX_REMEMBERED", 3)
    for name in "abc":
        recall(memory, name, lambda: GIULIAS)
    memory.doubt()
    recall(memory, "a", lambda: GIULIAS)  # asked about again, so no longer the oldest
    recall(memory, "d", lambda: GIULIAS)
    for name in "acd":
        assert recall(memory, name, away) == GIULIAS
    with pytest.raises(credentials.RegisterUnreachable):
        recall(memory, "b", away)
