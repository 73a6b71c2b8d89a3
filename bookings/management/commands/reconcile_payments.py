"""`manage.py reconcile_payments DAY`: hold one day's statements against the books, again if need be."""

import datetime
import json
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bookings.payments.providers import providers_serving
from bookings.payments.providers.wire import ProviderUnavailable
from bookings.payments.reconciliation.services.match import reconcile_day
from mobility.core import clock


def a_day(text: str) -> datetime.date:
    """The argument as a day."""
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as problem:
        raise ArgumentTypeError("a day is written like 2026-05-04") from problem


class Command(BaseCommand):
    """Compares, and says what each side states."""

    help = "Hold every provider's statement of one day of the city against the ledger."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which day, and how to say it."""
        parser.add_argument("day", type=a_day)
        parser.add_argument("--json", action="store_true", help="one object a provider")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare each provider that serves here."""
        rows = [self._compare(provider, options["day"]) for provider in providers_serving()]
        if options["json"]:
            self.stdout.write(json.dumps(rows))
            return
        for row in rows:
            self.stdout.write(
                "{provider}: {matched} of {lines} lines matched; stated {stated_cents}, "
                "booked {booked_cents}, fees {fee_cents} cents".format(**row)
            )

    @staticmethod
    def _compare(provider: str, day: datetime.date) -> dict[str, Any]:
        try:
            made = reconcile_day(provider=provider, day=day, at=clock.now())
        except ProviderUnavailable as problem:
            raise CommandError(f"{provider} does not answer; try again later") from problem
        figures = ("lines", "matched", "stated_cents", "booked_cents", "fee_cents")
        return {
            "provider": provider,
            "day": day.isoformat(),
            **{name: getattr(made, name) for name in figures},
        }
