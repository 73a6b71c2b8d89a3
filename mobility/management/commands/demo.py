"""`manage.py demo`: migrate, and make sure the demo city stands."""

import json
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from mobility.core import clock
from mobility.demo.city import Addresses, ensure_demo
from mobility.notifications import keys


class Command(BaseCommand):
    """Build what is missing of the demo city; repeating it is quick and changes nothing."""

    help = (
        "Migrate and build the demo Milan; credentials go to DATA_DIR, readable by the owner only."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """How large, and how to print."""
        parser.add_argument(
            "--scale", type=float, default=1.0, help="share of the full demo size (default 1)"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, build, print the log-ins."""
        call_command("migrate", verbosity=0, interactive=False)
        keys.make_key(settings.PUSH_KEY_FILE)
        log_ins = ensure_demo(
            folder=settings.DATA_DIR,
            addresses=Addresses(api_url=settings.PUBLIC_URL, ocpp_url=settings.OCPP_URL),
            scale=options["scale"],
            at=clock.now(),
        )
        if options["json"]:
            self.stdout.write(json.dumps(log_ins))
            return
        for user in log_ins["users"]:
            self.stdout.write(f"{user['role']:24} {user['email']:24} {user['password']}")
