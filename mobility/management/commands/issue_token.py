"""`manage.py issue_token EMAIL`: an API token of a person, printed once."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mobility.accounts import services
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.principals import system_principal


class Command(BaseCommand):
    """Issue an API token."""

    help = (
        "Print a new API token of the person with this e-mail address; it is shown only this once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The person, and how to print."""
        parser.add_argument("email")
        parser.add_argument("--label", default="command line", help="what the token is for")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Find the person, issue, print."""
        user = User.objects.filter(email=options["email"].strip().lower(), is_active=True).first()
        if user is None:
            raise CommandError(services.NoSuchPerson(email=options["email"]).detail)
        token, secret = services.issue_token(
            user=user, label=options["label"], at=clock.now(), by=system_principal("command-line")
        )
        answer = {"email": user.email, "token": secret, "id": str(token.public_id)}
        self.stdout.write(json.dumps(answer) if options["json"] else secret)
