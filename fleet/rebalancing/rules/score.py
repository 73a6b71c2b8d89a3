"""How far a plan's expectation was from what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A task's worth, and whether it was done."""

    value_cents: int
    done: bool


def score(
    *,
    expected: Mapping[str, Mapping[str, float]],
    realised: Mapping[str, Mapping[int, float]],
    outcomes: Sequence[Outcome],
) -> dict[str, Any]:
    """Expected and realised trips by kind, the mean absolute error per place, and work done.

    Realised trips are what the fleet could serve, so a place that stood empty realises less than
    was wanted: the ratio is a lower bound on how right the expectation was.
    """
    return {
        "kinds": {
            kind: _compare(
                {int(cell): trips for cell, trips in cells.items()}, realised.get(kind, {})
            )
            for kind, cells in expected.items()
        },
        "tasks": len(outcomes),
        "tasks_done": sum(outcome.done for outcome in outcomes),
        "value_done_cents": sum(outcome.value_cents for outcome in outcomes if outcome.done),
    }


def _compare(expected: Mapping[int, float], realised: Mapping[int, float]) -> dict[str, float]:
    cells = expected.keys() | realised.keys()
    errors = [abs(expected.get(cell, 0.0) - realised.get(cell, 0.0)) for cell in cells]
    return {
        "expected_trips": round(sum(expected.values()), 1),
        "realised_trips": round(sum(realised.values()), 1),
        "mean_absolute_error": round(sum(errors) / len(errors), 3) if errors else 0.0,
        "places": len(cells),
    }
