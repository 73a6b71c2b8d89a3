"""A web worker collects garbage after answers; in a process of its own, because it changes the process."""

import subprocess
import sys

WORKER = """
import gc
import weakref

from django.core.signals import request_finished

from mobility.core.garbage import YOUNG, collect_between_requests


class Row:
    def __init__(self):
        self.itself = self


def answer():
    rows = [Row() for _ in range(2 * YOUNG)]
    return weakref.ref(rows[0])


collect_between_requests()
assert gc.get_freeze_count() > 0
left = [answer() for _ in range(5)]
assert all(row() is not None for row in left), "collected within an answer"
request_finished.send(None)
assert all(row() is None for row in left), "left lying after it"

left = [answer() for _ in range(20)]
assert left[0]() is None, "an answer without end fills the memory"
"""


def test_garbage_goes_between_answers_and_in_very_long_ones() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WORKER], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
