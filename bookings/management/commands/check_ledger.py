"""`manage.py check_ledger`: whether the books are sound."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bookings.payments.queries import ledger_faults


class Command(BaseCommand):
    """Says what is wrong with the books, and fails if anything is."""

    help = "Check every invariant of the ledger."

    def add_arguments(self, parser: CommandParser) -> None:
        """How to say it."""
        parser.add_argument("--json", action="store_true", help='{"sound": …, "faults": […]}')

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, and say."""
        faults = ledger_faults()
        if options["json"]:
            self.stdout.write(json.dumps({"sound": not faults, "faults": faults}))
        else:
            for fault in faults:
                self.stdout.write(fault)
        if faults:
            raise CommandError(f"{len(faults)} faults in the books")
        if not options["json"]:
            self.stdout.write("The books are sound.")
