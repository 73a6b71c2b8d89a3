"""Rounds over rows that wait for something to be done: each row by itself."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from typing import Any, TypeVar

import structlog
from django.db import models, transaction

from mobility.core.errors import DomainError

log = structlog.get_logger(__name__)

Row = TypeVar("Row")
Answer = TypeVar("Answer")


def each_alone(
    rows: Iterable[Row],
    deed: Callable[[Row], Answer],
    *,
    event: str,
    named: Callable[[Row], object],
    atomic: bool = True,
) -> Iterator[Answer]:
    """Do `deed` for each row in a transaction of its own; yields what it answered where it could.

    `atomic` is False for a deed that takes long and opens its own transaction when it writes.

    A row that resists must not keep the others waiting: it is told in the log as `event`, under the
    name that `named` gives it, a refusal as a warning with its code, anything else as an error.
    """
    for row in rows:
        try:
            with transaction.atomic() if atomic else nullcontext():
                answer = deed(row)
        except DomainError as problem:
            log.warning(event, row=str(named(row)), code=problem.code)
        except Exception:
            # Not foreseen, so somebody has to look; the others go on all the same.
            log.exception(event, row=str(named(row)))
        else:
            yield answer


def delete_in_portions(rows: "models.QuerySet[Any]", *, at_once: int) -> int:
    """Delete ordered rows, the first `at_once` of them at a time, until none is left; how many."""
    total = 0
    while True:
        ids = list(rows.values_list("pk", flat=True)[:at_once])
        rows.model._base_manager.filter(pk__in=ids).delete()
        total += len(ids)
        if len(ids) < at_once:
            return total
