"""What happened in a run, counted by name; printed at the end."""

import json
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Counts of facts (``trips.ended``), refusals by code and faults of the service."""

    facts: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def add(self, fact: str, n: int = 1) -> None:
        """Count ``n`` times ``fact``."""
        self.facts[fact] += n

    def refused(self, code: str) -> None:
        """The service said no, with this code: part of a normal day."""
        self.refusals[code] += 1

    def fault(self, what: str) -> None:
        """The service failed or could not be reached: not part of a normal day."""
        self.faults[what] += 1

    def as_json(self) -> str:
        """One line of JSON."""
        return json.dumps(
            {
                "facts": dict(sorted(self.facts.items())),
                "refusals": dict(sorted(self.refusals.items())),
                "faults": dict(sorted(self.faults.items())),
            }
        )

    def as_text(self) -> str:
        """Lines for a person."""
        lines: list[str] = []
        for title, counts in (
            ("What happened", self.facts),
            ("Refused", self.refusals),
            ("Faults", self.faults),
        ):
            lines.append(f"{title}:" if counts else f"{title}: nothing")
            lines += [f"  {name:<36} {n:>8}" for name, n in sorted(counts.items())]
        return "\n".join(lines)
