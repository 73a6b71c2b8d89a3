"""Many people at once, each on a thread and a database connection of their own."""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import connection

Answer = TypeVar("Answer")


def at_once(deeds: Sequence[Callable[[], Answer]]) -> list[Answer | BaseException]:
    """Run all deeds at the same moment; their answers, or what they raised, in their order."""
    barrier = threading.Barrier(len(deeds))
    answers: list[Answer | BaseException] = [RuntimeError("never ran")] * len(deeds)

    def run(number: int) -> None:
        connection.ensure_connection()
        barrier.wait(timeout=30)
        try:
            answers[number] = deeds[number]()
        except Exception as problem:  # noqa: BLE001 - the answer of this deed
            answers[number] = problem
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
