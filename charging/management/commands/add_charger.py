"""`manage.py add_charger IDENTITY`: commission a station; its URL and password, printed once."""

import json
from argparse import BooleanOptionalAction
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from charging.stations import services
from charging.stations.models import ChargingStation, Site
from charging.stations.states import Registration
from mobility.accounts.models import Organisation
from mobility.accounts.services import ensure_organisation
from mobility.accounts.states import OrganisationKind
from mobility.core import clock, geo
from mobility.core.errors import DomainError
from mobility.core.principals import system_principal
from mobility.geography.models import City

COMMAND_LINE = system_principal("command-line")
DEFAULT_SITE = "Deposito"


class Command(BaseCommand):
    """Commission a charging station."""

    help = (
        "Add a charging station and print where it connects and with which password. "
        "The password is shown only this once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The identity, and what the station is."""
        parser.add_argument("identity", help="OCPP identity: the last part of the station's URL")
        parser.add_argument("--site", default=DEFAULT_SITE, help="site name; made if missing")
        parser.add_argument("--operator", help="organisation slug; default: the first operator")
        parser.add_argument("--connectors", type=int, default=1, metavar="N")
        parser.add_argument("--power", type=int, default=22_000, help="watts per connector")
        parser.add_argument("--password", help="default: a random one")
        parser.add_argument("--security-profile", type=int, choices=range(4), default=1)
        parser.add_argument(
            "--accepted",
            action=BooleanOptionalAction,
            default=True,
            help="whether its boot is accepted at once",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Find or make the site, commission, print."""
        at = clock.now()
        try:
            site = _site(options["site"], operator=_operator(options["operator"]))
            station, password = services.add_charger(
                identity=options["identity"],
                site=site,
                connectors=_connectors(options["connectors"], power_w=options["power"]),
                password=options["password"],
                security_profile=options["security_profile"],
                at=at,
                by=COMMAND_LINE,
            )
            if not options["accepted"]:
                station = services.set_registration(
                    station_id=station.pk,
                    to=Registration.PENDING,
                    at=at,
                    by=COMMAND_LINE,
                )
        except DomainError as problem:
            raise CommandError(problem.detail) from problem
        self._print(station, password=password, as_json=options["json"], options=options)

    def _print(
        self,
        station: ChargingStation,
        *,
        password: str,
        as_json: bool,
        options: dict[str, Any],
    ) -> None:
        answer = {
            "id": str(station.public_id),
            "identity": station.identity,
            "url": f"{settings.OCPP_URL}/{quote(station.identity, safe='')}",
            "user": station.identity,
            "password": password,
            "security_profile": station.security_profile,
            "connectors": options["connectors"],
            "site": options["site"],
        }
        if as_json:
            self.stdout.write(json.dumps(answer, ensure_ascii=False))
            return
        self.stdout.write(f"URL       {answer['url']}")
        self.stdout.write(f"user      {answer['user']}")
        self.stdout.write(f"password  {password or '(none: security profile 0)'}")
        if password and len(password) < 16:
            self.stderr.write("This password is shorter than the 16 characters OCPP asks for.")


def _operator(slug: str | None) -> Organisation:
    """The operator named, else the first there is, else one made for the purpose."""
    operators = Organisation.objects.filter(kind=OrganisationKind.CHARGE_POINT_OPERATOR)
    if slug:
        operator = operators.filter(slug=slug).first()
        if operator is None:
            raise CommandError(f"There is no charge-point operator “{slug}”.")
        return operator
    return operators.order_by("pk").first() or ensure_organisation(
        slug="operator",
        name={"it": "Gestore di ricarica", "en": "Charge-point operator"},
        kind=OrganisationKind.CHARGE_POINT_OPERATOR,
    )


def _site(name: str, *, operator: Organisation) -> Site:
    city = City.objects.order_by("pk").first()
    return services.ensure_site(
        organisation_id=operator.pk,
        name={"it": name},
        location=city.centre if city else geo.point(9.19, 45.464),
        city_id=city.pk if city else None,
        at=clock.now(),
        by=COMMAND_LINE,
    )


def _connectors(count: int, *, power_w: int) -> list[services.ConnectorPlan]:
    return [services.ConnectorPlan(max_power_w=power_w) for _number in range(count)]
