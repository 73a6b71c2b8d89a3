"""The city of the benchmark of pages: one of everything, as the tests of tenancy have it, thousands of times."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction
from django.test.utils import setup_test_environment, teardown_test_environment

from fleet.vehicles.models import Vehicle
from mobility.accounts import services as accounts
from mobility.accounts.models import Organisation, User
from mobility.accounts.states import OrganisationKind, Role
from tests.charging.fixtures import maker_of_stations
from tests.conftest import api_of, city_of, person
from tests.faces.counting.doors import Door, doors
from tests.faces.counting.filling import fill
from tests.faces.counting.growth import STRIDE, grow
from tests.fleet.fixtures import maker_of_vehicles
from tests.tenancy.conftest import WholeCity, build_whole_city

# A resident has so many of each thing, however large the city is.
OWN = 25
# What an operator has one or a few of.
KEPT = frozenset(
    {
        "bookings.Tariff", "bookings.TariffVersion", "bookings.PassProduct", "bookings.PromoCode",
        "bookings.FeeKind", "bookings.DocumentSeries", "bookings.RewardDay", "charging.Tariff",
        "charging.TariffVersion", "fleet.Depot", "fleet.Van", "fleet.ClosedHours",
        "fleet.TravelTable", "fleet.Integration", "fleet.ChecklistTemplate", "fleet.DemandCount",
        "fleet.ChecklistItem", "mobility.WebhookEndpoint", "mobility.WebhookSecret",
        "mobility.District", "mobility.Hub", "mobility.SavedView",
    }
)  # fmt: skip
_SPREAD = """
UPDATE fleet_lateststate SET lon_e7 = 90600000 + (random() * 2400000)::int,
       lat_e7 = 453800000 + (random() * 1600000)::int, heading = (random() * 359)::int,
       battery_pct = (random() * 100)::int, at = now(), received_at = now()
"""
# One in a hundred where a rider looks, so that lists of what is near have rows in a small city, too.
_NEAR = """
UPDATE fleet_lateststate SET lon_e7 = 92050000, lat_e7 = 454510000 WHERE vehicle_id % 100 = 0
"""
# Nobody has more than five cards.
_OTHER_PEOPLES_CARDS = """
UPDATE charging_token SET owner_ref = 'user:' || id WHERE id > %s AND owner_ref <> ''
"""
_SPREAD_SITES = """
UPDATE charging_site
SET location = ST_SetSRID(ST_MakePoint(9.06 + random() * 0.24, 45.38 + random() * 0.16), 4326)
"""


@dataclass(frozen=True)
class Fleet:
    """The people, every page with who opens it, and the keys of the vehicles."""

    people: dict[str, User]
    doors: list[Door]
    vehicle_ids: list[int]


def provision() -> WholeCity:
    """One of everything, with the people it belongs to."""
    comune, ruote, colonnine = _organisations()
    milan = city_of(comune)
    roles = {
        "giulia": (None, None),
        "piero": (None, None),
        "marco": (ruote, Role.FLEET_OPERATOR),
        "sara": (ruote, Role.CREW),
        "luca": (colonnine, Role.CHARGE_POINT_OPERATOR),
        "elena": (comune, Role.CITY_OFFICER),
        "rivale": (None, None),
        "scossa": (None, None),
    }
    people = {name: person(f"{name}@bench.example", *role) for name, role in roles.items()}
    # The programs of this process call the house as the tests do, under the name of a test server.
    setup_test_environment(debug=settings.DEBUG)
    # One transaction around it, which the house overlooks as it does that of a test: half of what is
    # called insists on one, the other half on none.
    around = transaction.atomic()
    around._from_testcase = True  # type: ignore[attr-defined]
    try:
        with around:
            city = build_whole_city(
                make_vehicle=maker_of_vehicles(milan, ruote),
                make_station=maker_of_stations(milan, colonnine),
                api=api_of,
                people=people,
            )
    finally:
        teardown_test_environment()
    people["root"] = User.objects.create_superuser("root@bench.example", "x", language="en")
    fill(people=people)
    return city


def enlarge(city: WholeCity, *, vehicles: int) -> Fleet:
    """Grow to so many vehicles, with what hangs on them; one in fifty with alarms and work."""
    few, stations = vehicles // 50, vehicles // 10
    troubles = ("fleet.Alarm", "fleet.WorkOrder", "fleet.FaultReport", "fleet.RebalancingPlan")
    at_most = dict.fromkeys(troubles, few) | {
        "fleet.ZoneSet": 30,
        "charging.Site": stations,
        "mobility.AuditEntry": stations,
    }
    grow(times=vehicles // 2, own=OWN, at_most=at_most, kept=KEPT)
    with connection.cursor() as cursor:
        cursor.execute(_SPREAD)
        cursor.execute(_NEAR)
        cursor.execute(_OTHER_PEOPLES_CARDS, [STRIDE])
        cursor.execute(_SPREAD_SITES)
        cursor.execute("ANALYZE")
    keys = list(Vehicle.objects.order_by("pk").values_list("pk", flat=True))
    return Fleet(people=city.people, doors=list(doors(city)), vehicle_ids=keys)


def _organisations() -> list[Organisation]:
    kinds = {
        "comune": OrganisationKind.CITY,
        "ruote": OrganisationKind.FLEET_OPERATOR,
        "colonnine": OrganisationKind.CHARGE_POINT_OPERATOR,
    }
    return [
        accounts.ensure_organisation(
            slug=slug,
            name={"it": slug.capitalize()},
            kind=kind,
            legal_name=f"{slug.capitalize()} S.p.A.",
            vat_number="IT00000000017",
        )
        for slug, kind in kinds.items()
    ]
