"""Automatic checks of documents: a seam for a provider, and the one of demonstrations.

A provider is a class with `name` and `check`, entered in `CHECKERS` and chosen by `DOCUMENT_CHECKER`.
"""

from django.conf import settings

from bookings.riders.checkers.demo import DemoChecker
from bookings.riders.checkers.wire import Checker, CheckerUnavailable, CheckRequest, Verdict

CHECKERS: dict[str, type[Checker]] = {DemoChecker.name: DemoChecker}

__all__ = ["CheckRequest", "Checker", "CheckerUnavailable", "Verdict", "chosen", "of_name"]


def chosen() -> str:
    """The name of the checker that looks at new documents; empty: people do."""
    return settings.DOCUMENT_CHECKER if settings.DOCUMENT_CHECKER in CHECKERS else ""


def of_name(name: str) -> Checker:
    """The checker called `name`; raises `CheckerUnavailable` if it is gone."""
    if name not in CHECKERS:
        raise CheckerUnavailable
    return CHECKERS[name]()
