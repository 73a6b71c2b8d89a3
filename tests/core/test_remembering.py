"""What a process goes by for a while."""

import pytest

from mobility.core import remembering
from mobility.core.remembering import Remembered


class Clock:
    """Seconds that pass when told to."""

    now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s


def test_an_answer_is_kept_for_its_time_and_not_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(remembering, "time", clock)
    asked: list[int] = []
    count = Remembered(lambda: asked.append(1) or len(asked), seconds=5.0)
    assert (count(), count()) == (1, 1)
    clock.now_s += 4.9
    assert count() == 1
    clock.now_s += 0.1
    assert (count(), count()) == (2, 2)


def test_an_answer_that_was_forgotten_is_asked_for_again() -> None:
    asked: list[int] = []
    count = Remembered(lambda: asked.append(1) or len(asked), seconds=1_000.0)
    assert count() == 1
    count.forget()
    assert count() == 2


def test_nothing_is_kept_of_a_question_that_failed() -> None:
    answers = iter([OSError("away"), "here"])

    def ask() -> str:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    kept = Remembered(ask, seconds=1_000.0)
    with pytest.raises(OSError, match="away"):
        kept()
    assert kept() == "here"
