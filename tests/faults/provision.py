"""`python -m tests.faults.provision HTTP TELTONIKA MQTT`: so many vehicles with devices, told as JSON."""

from __future__ import annotations

import datetime
import json
import sys

import django


def main() -> None:
    """Make them in the database that the environment names."""
    django.setup()
    from django.contrib.gis.geos import MultiPolygon, Polygon

    from fleet.telematics import services as telematics
    from fleet.telematics.states import Protocol
    from fleet.vehicles.models import Vehicle
    from mobility.accounts import services as accounts
    from mobility.accounts.states import OrganisationKind
    from mobility.core import clock, geo
    from mobility.core.principals import SYSTEM
    from mobility.geography.models import City
    from tests.fleet.fixtures import vehicle_type

    kinds = (OrganisationKind.CITY, OrganisationKind.FLEET_OPERATOR)
    comune, ruote = (
        accounts.ensure_organisation(slug=slug, name={"it": slug}, kind=kind)
        for slug, kind in zip(("comune", "ruote"), kinds, strict=True)
    )
    city, _made = City.objects.get_or_create(
        slug="milano",
        defaults={
            "name": {"it": "Milano"},
            "organisation": comune,
            "boundary": MultiPolygon(Polygon.from_bbox((9.06, 45.38, 9.30, 45.54)), srid=geo.WGS84),
            "centre": geo.point(9.19, 45.464),
        },
    )
    # What the devices say lies in the past, and they must have sat in their vehicles by then.
    at = clock.now() - datetime.timedelta(days=2)
    made: dict[str, list[dict[str, object]]] = {}
    number = Vehicle.objects.count()
    for protocol, count in zip(
        (Protocol.HTTP, Protocol.TELTONIKA, Protocol.MQTT), sys.argv[1:], strict=True
    ):
        made[protocol] = []
        for _ in range(int(count)):
            number += 1
            vehicle = Vehicle.objects.create(
                organisation=ruote,
                city=city,
                type=vehicle_type("scooter"),
                code=f"FAULT{number}",
                life_state="in_service",
            )
            imei = f"{350000000000000 + number}" if protocol == Protocol.TELTONIKA else None
            unit = telematics.Unit(protocol=protocol, imei=imei)
            device, secret = telematics.add_device(
                vehicle_code=vehicle.code, at=at, by=SYSTEM, unit=unit
            )
            made[protocol].append(
                {
                    "vehicle_id": vehicle.pk,
                    "serial": device.serial,
                    "imei": device.imei,
                    "secret": secret,
                }
            )
    telematics.ensure_partitions(at=clock.now())
    sys.stdout.write(json.dumps(made) + "\n")


if __name__ == "__main__":
    main()
