"""The demo's people and organisations; their passwords are made new for each installation."""

import dataclasses
import datetime

from django.db import transaction

from mobility.accounts import services as accounts
from mobility.accounts.models import Organisation, User
from mobility.accounts.states import OrganisationKind, Role
from mobility.core import ids
from mobility.core.principals import Principal

# Residents that the simulator plays; enough that a city of this size always has somebody under way.
SIMULATED_RESIDENTS = 80


@dataclasses.dataclass(frozen=True)
class Organisations:
    """Who runs what in the demo."""

    comune: Organisation
    ruote: Organisation
    colonnine: Organisation


@dataclasses.dataclass(frozen=True)
class LogIn:
    """What a person types to get in."""

    role: str
    email: str
    password: str


CAST = (
    ("resident", "giulia@demo.example", "Giulia Ferri"),
    (Role.FLEET_OPERATOR, "marco@demo.example", "Marco Brambilla"),
    (Role.CREW, "sara@demo.example", "Sara Colombo"),
    (Role.CHARGE_POINT_OPERATOR, "luca@demo.example", "Luca Riva"),
    (Role.CITY_OFFICER, "elena@demo.example", "Elena Conti"),
)


@transaction.atomic
def ensure_organisations() -> Organisations:
    """The municipality, a fleet operator and a charge-point operator."""
    return Organisations(
        comune=Organisation.objects.get(slug="comune"),
        ruote=accounts.ensure_organisation(
            slug="ruote",
            name={"it": "Ruote di Milano", "en": "Wheels of Milan"},
            kind=OrganisationKind.FLEET_OPERATOR,
            legal_name="Ruote di Milano S.r.l. (demo)",
            vat_number="IT00000000017",
            address="Via Brembo 20, 20139 Milano",
        ),
        colonnine=accounts.ensure_organisation(
            slug="colonnine",
            name={"it": "Colonnine Milano", "en": "Milan Charge Points"},
            kind=OrganisationKind.CHARGE_POINT_OPERATOR,
            legal_name="Colonnine Milano S.p.A. (demo)",
            vat_number="IT00000000025",
            address="Via Caracciolo 2, 20155 Milano",
        ),
    )


def cast_is_complete() -> bool:
    """Whether all five people are there."""
    return User.objects.filter(email__in=[email for _role, email, _name in CAST]).count() == len(
        CAST
    )


@transaction.atomic
def ensure_cast(
    *, organisations: Organisations, at: datetime.datetime, by: Principal
) -> list[LogIn]:
    """The five people of the demo, each with a fresh password."""
    homes = {
        Role.FLEET_OPERATOR: organisations.ruote,
        Role.CREW: organisations.ruote,
        Role.CHARGE_POINT_OPERATOR: organisations.colonnine,
        Role.CITY_OFFICER: organisations.comune,
    }
    log_ins = []
    for role, email, name in CAST:
        user = User.objects.filter(email=email).first() or User.objects.create_user(
            email, name=name
        )
        password = ids.secret(9)
        user.set_password(password)
        user.save(update_fields=["password"])
        if role != "resident":
            accounts.grant_role(
                user=user, organisation=homes[Role(role)], role=Role(role), at=at, by=by
            )
        log_ins.append(LogIn(role=role, email=email, password=password))
    return log_ins


@transaction.atomic
def ensure_simulated_residents() -> list[User]:
    """Residents without a password, for the simulator, which comes with tokens."""
    emails = [f"resident{number:03d}@demo.example" for number in range(1, SIMULATED_RESIDENTS + 1)]
    known = set(User.objects.filter(email__in=emails).values_list("email", flat=True))
    for email in emails:
        if email not in known:
            User.objects.create_user(email, name=f"Resident {email[8:11]}")
    return list(User.objects.filter(email__in=emails).order_by("email"))
