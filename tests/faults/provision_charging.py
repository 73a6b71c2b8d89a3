"""`python -m tests.faults.provision_charging COUNT`: so many chargers with a card each, as JSON."""

from __future__ import annotations

import json
import sys

import django


def main() -> None:
    """Make them in the database that the environment names."""
    django.setup()
    from charging.frames.services import ensure_partitions
    from charging.sessions.models import Token
    from charging.stations.models import ChargingStation, Connector, Evse, Site
    from charging.stations.rules import hash_password
    from mobility.accounts import services as accounts
    from mobility.accounts.states import OrganisationKind
    from mobility.core import clock, geo
    from tests.charging.ocpp.peer import PASSWORD

    owner = accounts.ensure_organisation(
        slug="colonnine", name={"it": "Colonnine"}, kind=OrganisationKind.CHARGE_POINT_OPERATOR
    )
    site = Site.objects.create(
        organisation=owner, name={"it": "Piazza"}, location=geo.point(9.2, 45.45)
    )
    made = []
    for _ in range(int(sys.argv[1])):
        number = ChargingStation.objects.count() + 1
        station = ChargingStation.objects.create(
            site=site,
            identity=f"FAULT-{number}",
            password_hash=hash_password(password=PASSWORD, salt="salt"),
            registration="accepted",
            booted_at=clock.now(),
        )
        evse = Evse.objects.create(station=station, number=1)
        Connector.objects.create(evse=evse, number=1)
        token = Token.objects.create(uid=f"FAULT{number}", created_at=clock.now())
        made.append({"id": station.pk, "identity": station.identity, "token": token.uid})
    ensure_partitions(at=clock.now())
    sys.stdout.write(json.dumps(made) + "\n")


if __name__ == "__main__":
    main()
