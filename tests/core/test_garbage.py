"""A web worker collects garbage after answers; in a process of its own, because it changes the process."""

import subprocess
import sys

WORKER = """
import gc
import weakref

from django.core.signals import request_finished

from mobility.core.garbage import UNTIL_ALL, UNTIL_MIDDLE, YOUNG, collect_between_requests


class Row:
    def __init__(self):
        self.itself = self


class Answer:
    def __init__(self):
        self.rows = [Row() for _ in range(2 * YOUNG)]
        self.itself = self


collect_between_requests()
assert gc.get_freeze_count() > 0

left = [weakref.ref(Answer()) for _ in range(3)]
assert all(answer() is not None for answer in left), "collected within an answer"
request_finished.send(None)
assert all(answer() is None for answer in left), "left lying after it"

# The server holds the answer while it says that it is done with it.
left = []
for _ in range(3 * UNTIL_MIDDLE * UNTIL_ALL):
    answer = Answer()
    request_finished.send(None)
    left.append(weakref.ref(answer))
    del answer
    alive = sum(answer() is not None for answer in left)
    assert alive <= UNTIL_MIDDLE + UNTIL_ALL + 2, f"{alive} answers are kept"

left = [weakref.ref(Answer()) for _ in range(20)]
assert left[0]() is None, "an answer without end fills the memory"
"""


def test_garbage_goes_between_answers_and_in_very_long_ones() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WORKER], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
