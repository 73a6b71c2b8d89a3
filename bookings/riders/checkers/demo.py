"""The checker of demonstrations and tests: it judges by the country, which nobody forges for fun.

Documents of the European Economic Area are approved, others are left to people; `XX`, which ISO 3166
gives to nobody, is rejected, and `XZ` finds nobody at the telephone.
"""

from typing import ClassVar

from bookings.riders.checkers.wire import CheckerUnavailable, CheckRequest, Verdict
from bookings.riders.states import RejectionReason

EEA = frozenset({
    "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT",
    "LV", "LT", "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE", "IS", "LI", "NO",
})  # fmt: skip


class DemoChecker:
    """Answers at once, without looking."""

    name: ClassVar[str] = "demo"

    def check(self, *, request: CheckRequest) -> Verdict:
        """Judge by the country of the document."""
        reference = f"demo-{request.key}"
        if request.country == "XZ":
            raise CheckerUnavailable
        if request.country == "XX":
            reason = RejectionReason.UNREADABLE
            return Verdict(outcome="rejected", reference=reference, reason=reason)
        known = request.country in EEA
        return Verdict(outcome="approved" if known else "unsure", reference=reference)
