"""`manage.py push_keys`: the key with which notifications on devices are signed."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from mobility.notifications import keys


class Command(BaseCommand):
    """Make the key where there is none; a key that is there stays."""

    help = (
        "Make the private key of web push in PUSH_KEY_FILE, unless there is one, and print its public"
        " half. Devices belong to the key: with another one they have to be added again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """How to print."""
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make, print the public half."""
        made = not settings.PUSH_KEY and keys.make_key(settings.PUSH_KEY_FILE)
        public = keys.application_key()
        answer = {"public_key": public, "made": made}
        self.stdout.write(json.dumps(answer) if options["json"] else public)
