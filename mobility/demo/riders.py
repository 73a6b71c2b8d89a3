"""What the demo asks of drivers, and that its residents have shown it; names and numbers are invented."""

import datetime

from django.db import transaction

from bookings.riders import services
from bookings.riders.models import AccessPolicy, DrivingLicence, RiderProfile
from bookings.riders.states import TextKind
from fleet.vehicles.states import Kind
from mobility.accounts.models import Organisation, User
from mobility.core import clock
from mobility.core.principals import Principal

RULES = {
    TextKind.RULES: (
        {"it": "Regole del servizio", "en": "Rules of the service"},
        {
            "it": "Guida chi ha prenotato. Si parcheggia solo dove è permesso, e senza ostruire.",
            "en": "Whoever booked drives. Park only where it is allowed, and in nobody's way.",
        },
    ),
    TextKind.HELMET: (
        {"it": "Casco e sicurezza", "en": "Helmet and safety"},
        {
            "it": "In monopattino il casco è obbligatorio; sul marciapiede si va a piedi.",
            "en": "Helmets are compulsory on scooters; on pavements one walks.",
        },
    ),
}


@transaction.atomic
def ensure_rules(*, operator: Organisation, at: datetime.datetime, by: Principal) -> None:
    """Cars want a licence and an adult who has confirmed the rules; bikes and scooters want nothing."""
    for kind, (title, body) in RULES.items():
        services.ensure_text(kind=kind, title=title, body=body, at=at, by=by)
    AccessPolicy.objects.get_or_create(
        organisation=operator,
        vehicle_kind=Kind.CAR,
        defaults={
            "licence_category": "B",
            "minimum_age": 18,
            "acknowledgements": [TextKind.RULES.value],
        },
    )


@transaction.atomic
def ensure_drivers(
    *, people: list[User], operator: Organisation, at: datetime.datetime, by: Principal
) -> None:
    """Everybody of `people` may drive: of age, licensed, and the rules confirmed."""
    today = clock.service_day(at)
    born = datetime.date(1990, 5, 17)
    RiderProfile.objects.bulk_create(
        [RiderProfile(user=one, birth_date=born, updated_at=at) for one in people],
        ignore_conflicts=True,
    )
    licensed = set(DrivingLicence.objects.verified().values_list("user_id", flat=True))
    texts = [
        services.ensure_text(kind=kind, title=title, body=body, at=at, by=by).public_id
        for kind, (title, body) in RULES.items()
    ]
    for person in people:
        services.acknowledge(user_id=person.pk, texts=texts, at=at)
        if person.pk not in licensed:
            services.record_licence(
                user_id=person.pk,
                number=f"DEMO{person.pk:07d}",
                country="IT",
                categories=["AM", "B"],
                held_since=today - datetime.timedelta(days=4000),
                valid_until=today + datetime.timedelta(days=2000),
                organisation=operator,
                at=at,
                by=by,
            )
