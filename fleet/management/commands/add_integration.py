"""`manage.py add_integration OPERATOR NAME [--json]`: let an operator's backend report for its fleet."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from fleet.telematics import services
from mobility.core import clock
from mobility.core.principals import system_principal


class Command(BaseCommand):
    help = "Let an operator's backend report for its whole fleet; print its credential, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("operator", metavar="OPERATOR", help="slug of the organisation")
        parser.add_argument("name", metavar="NAME", help="what the operator calls it")
        parser.add_argument("--json", action="store_true", help="one line of JSON for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        operator, name = options["operator"], options["name"]
        try:
            _integration, secret = services.add_integration(
                organisation_slug=operator,
                name=name,
                at=clock.now(),
                by=system_principal("add_integration"),
            )
        except services.OrganisationUnknown as error:
            raise CommandError(f"There is no organisation {operator}.") from error
        url = f"{settings.PUBLIC_URL}/api/v1/telemetry"
        if options["json"]:
            answer = {"operator": operator, "name": name, "secret": secret, "url": url}
            self.stdout.write(json.dumps(answer))
            return
        self.stdout.write(f"“{name}” speaks for the fleet of {operator}.")
        self.stdout.write(f"  POST {url}")
        self.stdout.write(f"  Authorization: Bearer {secret}")
        self.stdout.write("This is the only time the secret is shown.")
