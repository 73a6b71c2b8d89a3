"""One table on the screen and one file under bench/results, for every benchmark alike."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from mobility.core import clock

RESULTS = Path(__file__).parent / "results"
VERSIONS = ("django", "psycopg", "websockets", "uvloop", "celery", "redis")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measured value against its limit; `aim` is the better value we watch for."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    aim: float | None = None
    more_is_better: bool = False

    @property
    def ratio(self) -> float | None:
        """Value over limit: below 1 is good, above where more is better."""
        return round(self.value / self.limit, 3) if self.limit else None

    @property
    def holds(self) -> bool | None:
        """Whether the limit holds; None where there is none."""
        if self.limit is None:
            return None
        return self.value >= self.limit if self.more_is_better else self.value <= self.limit

    def as_json(self) -> dict[str, object]:
        """The shape of the results file."""
        return {**asdict(self), "ratio": self.ratio, "holds": self.holds}


def publish(*, name: str, figures: list[Figure], notes: dict[str, object] | None = None) -> bool:
    """Print the table, write bench/results/NAME.json; whether every limit holds."""
    for figure in figures:
        limit = "" if figure.limit is None else f"limit {figure.limit:g}"
        ratio = "" if figure.ratio is None else f"ratio {figure.ratio:g}"
        verdict = {True: "holds", False: "FAILS", None: ""}[figure.holds]
        value = f"{figure.value:,.3f} {figure.unit}"
        print(f"{figure.name:<52} {value:>24}  {limit:<14} {ratio:<12} {verdict}")
    RESULTS.mkdir(exist_ok=True)
    content = {
        "name": name,
        "date": clock.now().isoformat(timespec="seconds"),
        "machine": {
            "system": platform.platform(),
            "cores": os.cpu_count(),
            "load_1m": round(os.getloadavg()[0], 2),
        },
        "versions": {"python": platform.python_version(), **{v: version(v) for v in VERSIONS}},
        "figures": [figure.as_json() for figure in figures],
        "notes": notes or {},
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")
    return all(figure.holds is not False for figure in figures)
