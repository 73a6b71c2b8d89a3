"""The demo's fleet: 150 e-bikes, 200 scooters and 60 e-cars where people would expect them."""

import dataclasses
import datetime
import math
import random
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from fleet.vehicles.models import Vehicle, VehicleType
from fleet.vehicles.states import (
    CommandKind,
    DocumentKind,
    Equipment,
    FormFactor,
    Kind,
    LifeState,
    Propulsion,
)
from fleet.zones import services as zones
from fleet.zones.models import ZoneSet
from fleet.zones.rules import Rule
from fleet.zones.services import ZoneDraft
from fleet.zones.states import ZoneKind
from mobility.accounts.models import Organisation
from mobility.core import geo
from mobility.core.principals import SYSTEM
from mobility.demo import places
from mobility.geography.models import City, Hub

SEED = 20_150_501
SIZES = {Kind.BICYCLE: 150, Kind.SCOOTER: 200, Kind.CAR: 60}
LETTERS = {Kind.BICYCLE: "B", Kind.SCOOTER: "S", Kind.CAR: "C"}
# Vehicles gather where people are: the weight of a district halves every 2.5 km from the Duomo.
HALF_WEIGHT_M = 2_500
SPREAD_M = 350

LOCKED = (CommandKind.LOCK, CommandKind.UNLOCK, CommandKind.LOCATE, CommandKind.REFRESH)
CAGED = (*LOCKED, CommandKind.IMMOBILISE, CommandKind.RELEASE)
CARGO = "cargo"
# Every so many bikes one has a child seat, and cars room for a wheelchair.
SPECIAL_EVERY = 6
# Every so many bikes one carries cargo.
CARGO_EVERY = 12


def model(
    code: str, kind: Kind, propulsion: Propulsion, name: dict[str, str], **more: Any
) -> dict[str, Any]:
    """A type of vehicle; what is not said is the model's own default."""
    return {"code": code, "kind": kind, "propulsion": propulsion, "name": name, **more}


# By what stands on the street: a kind, or a kind of its own form.
TYPES: dict[str, dict[str, Any]] = {
    Kind.BICYCLE: model(
        "ebike-city",
        Kind.BICYCLE,
        Propulsion.ELECTRIC_ASSIST,
        {"it": "Bici elettrica da città", "en": "City e-bike"},
        form_factor=FormFactor.BICYCLE,
        max_range_m=60_000,
        max_speed_kmh=25,
        battery_wh=500,
        seats=1,
        commands=LOCKED,
    ),
    CARGO: model(
        "ebike-cargo",
        Kind.BICYCLE,
        Propulsion.ELECTRIC_ASSIST,
        {"it": "Bici elettrica da carico", "en": "Cargo e-bike"},
        form_factor=FormFactor.CARGO_BICYCLE,
        max_range_m=50_000,
        max_speed_kmh=25,
        battery_wh=750,
        seats=1,
        cargo_load_kg=80,
        commands=LOCKED,
    ),
    Kind.SCOOTER: model(
        "scooter-s2",
        Kind.SCOOTER,
        Propulsion.ELECTRIC,
        {"it": "Monopattino S2", "en": "Scooter S2"},
        form_factor=FormFactor.SCOOTER_STANDING,
        max_range_m=40_000,
        max_speed_kmh=20,
        battery_wh=550,
        seats=1,
        swappable=True,
        required_documents=[DocumentKind.TARGHINO, DocumentKind.INSURANCE],
        commands=(*CAGED, CommandKind.OPEN_HATCH, CommandKind.SET_SPEED_LIMIT),
    ),
    Kind.CAR: model(
        "ecar-compact",
        Kind.CAR,
        Propulsion.ELECTRIC,
        {"it": "Compatta elettrica", "en": "Compact e-car"},
        form_factor=FormFactor.CAR,
        max_range_m=280_000,
        max_speed_kmh=130,
        battery_wh=42_000,
        seats=4,
        cargo_load_kg=300,
        required_documents=[
            DocumentKind.REGISTRATION,
            DocumentKind.INSURANCE,
            DocumentKind.INSPECTION,
        ],
        commands=CAGED,
    ),
}


@dataclasses.dataclass(frozen=True)
class Placement:
    """Where a vehicle stands when the demo begins."""

    code: str
    kind: str
    lon: float
    lat: float
    battery_pct: int

    @property
    def model(self) -> str:
        """Which of `TYPES` it is: among the bikes some carry cargo."""
        carries = self.kind == Kind.BICYCLE and int(self.code[1:]) % CARGO_EVERY == 0
        return CARGO if carries else self.kind


@transaction.atomic
def ensure_fleet(*, city: City, operator: Organisation, scale: float) -> list[Placement]:
    """The vehicles of the demo, created where missing, and where each of them stands."""
    types = _ensure_types()
    placements = plan(scale=scale)
    hubs = {hub.code: hub for hub in Hub.objects.filter(city=city)}
    Vehicle.objects.bulk_create(
        (
            Vehicle(
                organisation=operator,
                type=types[placement.model],
                city=city,
                home_hub=_nearest(hubs.values(), placement) if placement.kind == Kind.CAR else None,
                code=placement.code,
                plate=f"GX{index:03d}MB" if placement.kind == Kind.CAR else "",
                equipment=_equipment(placement),
                life_state=LifeState.IN_SERVICE,
            )
            for index, placement in enumerate(placements, start=1)
        ),
        ignore_conflicts=True,
    )
    return placements


@transaction.atomic
def ensure_zones(*, city: City, operator: Organisation, at: datetime.datetime) -> None:
    """Where one may ride and park: the city, less a park, slowly around the Duomo, best in a bay.

    The city's rules for all and the operator's for its own, each as a published set.
    """
    if city.boundary is None or ZoneSet.objects.filter(city=city).exists():
        return
    area = ZoneDraft(
        code="operating",
        name={"it": "Area di servizio", "en": "Service area"},
        kind=ZoneKind.OPERATING,
        boundary=city.boundary,
    )
    _publish(city, operator, "Area di servizio", [area], at=at)
    rules = [*_bays(city), *_city_zones()]
    _publish(city, city.organisation, "Regole della sosta e della velocità", rules, at=at)


def _publish(
    city: City,
    organisation: Organisation,
    title: str,
    drawn: list[ZoneDraft],
    *,
    at: datetime.datetime,
) -> None:
    # In force for a year, so that yesterday's simulated trips had rules as well.
    begun = at - datetime.timedelta(days=365)
    draft = zones.create_draft(
        organisation_id=organisation.pk, city_id=city.pk, title=title, at=begun, by=SYSTEM
    )
    zones.replace_zones(set_id=draft.pk, zones=drawn, at=begun, by=SYSTEM)
    zones.publish(set_id=draft.pk, acknowledged=True, at=begun, by=SYSTEM)


def _bays(city: City) -> list[ZoneDraft]:
    return [
        ZoneDraft(
            code=f"bay-{hub.code}",
            name=hub.name,
            kind=ZoneKind.BAY,
            boundary=places.circle(lon=hub.location.x, lat=hub.location.y, radius_m=25),
            hub_id=hub.pk,
            capacity=hub.capacity,
        )
        for hub in Hub.objects.filter(city=city)
    ]


def _city_zones() -> list[ZoneDraft]:
    slow = Rule(vehicle_kinds=frozenset({Kind.SCOOTER, Kind.BICYCLE}), maximum_speed_kmh=6)
    return [
        ZoneDraft(
            code="sempione",
            name={"it": "Parco Sempione: non parcheggiare", "en": "Parco Sempione: no parking"},
            kind=ZoneKind.NO_PARK,
            boundary=places.circle(lon=9.1757, lat=45.4737, radius_m=330),
        ),
        ZoneDraft(
            code="duomo",
            name={"it": "Piazza del Duomo: piano", "en": "Piazza del Duomo: slow"},
            kind=ZoneKind.SLOW,
            boundary=places.circle(lon=9.1905, lat=45.4642, radius_m=180),
            rules=(slow,),
        ),
    ]


def plan(*, scale: float) -> list[Placement]:
    """The same vehicles at the same places for the same scale: chance with a fixed seed."""
    chance = random.Random(SEED)  # noqa: S311 - a layout, not a secret
    districts = places.districts()
    areas = places.mobility_areas()
    duomo = districts[0]
    weights = [
        0.5 ** (geo.haversine_m(duomo.lon, duomo.lat, district.lon, district.lat) / HALF_WEIGHT_M)
        for district in districts
    ]
    placements = []
    for kind, size in SIZES.items():
        for number in range(1, max(1, round(size * scale)) + 1):
            if kind == Kind.CAR:
                home, spread = areas[number % len(areas)], 20
            elif chance.random() < 0.25:
                home, spread = chance.choice(areas), 60
            else:
                home, spread = chance.choices(districts, weights)[0], SPREAD_M
            lon, lat = _somewhere_near(home, spread, chance)
            battery = round(chance.triangular(5, 100, 80))
            placements.append(Placement(f"{LETTERS[kind]}{number:03d}", kind, lon, lat, battery))
    return placements


def _somewhere_near(
    home: places.Centre, spread_m: float, chance: random.Random
) -> tuple[float, float]:
    distance = spread_m * math.sqrt(chance.random())
    angle = chance.uniform(0, 2 * math.pi)
    metres_per_degree = math.pi * geo.EARTH_RADIUS_M / 180
    lat = home.lat + distance * math.sin(angle) / metres_per_degree
    lon = home.lon + distance * math.cos(angle) / metres_per_degree / math.cos(math.radians(lat))
    return round(lon, 6), round(lat, 6)


def _nearest(hubs: Iterable[Hub], placement: Placement) -> Hub | None:
    return min(
        hubs,
        key=lambda hub: geo.haversine_m(
            hub.location.x, hub.location.y, placement.lon, placement.lat
        ),
        default=None,
    )


def _equipment(placement: Placement) -> list[str]:
    usual = {Kind.CAR: [Equipment.PHONE_CHARGER], CARGO: [Equipment.CARGO_BOX]}
    special = {Kind.BICYCLE: Equipment.CHILD_SEAT, Kind.CAR: Equipment.WHEELCHAIR_ACCESS}
    has = list(usual.get(placement.model, [Equipment.PHONE_HOLDER]))
    if placement.model in special and int(placement.code[1:]) % SPECIAL_EVERY == 1:
        has.append(special[Kind(placement.model)])
    return list(map(str, has))


def _ensure_types() -> dict[str, VehicleType]:
    types = {}
    for model_, fields in TYPES.items():
        rest = {name: value for name, value in fields.items() if name != "code"}
        types[str(model_)], _created = VehicleType.objects.get_or_create(
            code=fields["code"], defaults={**rest, "commands": list(map(str, rest["commands"]))}
        )
    return types
