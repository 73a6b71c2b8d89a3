"""`manage.py add_token UID`: let an RFID card or app token charge."""

import json
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from charging.sessions import services
from charging.sessions.models import Token
from charging.sessions.states import TokenKind
from mobility.accounts.models import Organisation
from mobility.accounts.states import OrganisationKind
from mobility.core import clock
from mobility.core.errors import DomainError
from mobility.core.principals import system_principal

COMMAND_LINE = system_principal("command-line")


class Command(BaseCommand):
    """Add a token, or bring one up to date."""

    help = (
        "Add an RFID or app token; given again it updates expiry, group and whether it is blocked."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The identifier, and what the token may do."""
        parser.add_argument("uid", help="identifier as the card shows it; case does not matter")
        parser.add_argument("--kind", choices=TokenKind.values, default=TokenKind.RFID)
        parser.add_argument("--blocked", action="store_true")
        parser.add_argument("--expires", type=_instant, metavar="ISO", help="UTC if without offset")
        parser.add_argument("--group", default="", help="tokens of one group stop each other")
        parser.add_argument("--parallel", action="store_true", help="several sessions at a time")
        parser.add_argument("--master", action="store_true", help="ends any session, begins none")
        parser.add_argument("--operator", help="slug of the issuing organisation")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make sure it is there, block or unblock, print."""
        at = clock.now()
        try:
            token = services.ensure_token(
                uid=options["uid"],
                kind=options["kind"],
                expires_at=options["expires"],
                group=options["group"],
                allows_parallel=options["parallel"],
                is_master=options["master"],
                organisation_id=_operator_id(options["operator"]),
                at=at,
                by=COMMAND_LINE,
            )
            set_state = services.block_token if options["blocked"] else services.unblock_token
            token = set_state(uid=token.uid, at=at, by=COMMAND_LINE)
        except DomainError as problem:
            raise CommandError(problem.detail) from problem
        self.stdout.write(_shown(token, as_json=options["json"]))


def _shown(token: Token, *, as_json: bool) -> str:
    answer = {
        "id": str(token.public_id),
        "uid": token.uid,
        "kind": token.kind,
        "state": token.state,
        "expires_at": token.expires_at.isoformat() if token.expires_at else None,
    }
    return json.dumps(answer) if as_json else f"{token.uid}  {token.state}"


def _operator_id(slug: str | None) -> int | None:
    operators = Organisation.objects.filter(kind=OrganisationKind.CHARGE_POINT_OPERATOR)
    if slug:
        operators = operators.filter(slug=slug)
    operator = operators.order_by("pk").first()
    if slug and operator is None:
        raise CommandError(f"There is no charge-point operator “{slug}”.")
    return operator.pk if operator else None


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
