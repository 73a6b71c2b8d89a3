"""Every page and list of the URL conf with somebody who may open it: what is counted and timed.

Taken from the tables in which `tests/tenancy` says of each address who may see it; those fail when an
address is missing, so that none can be forgotten here.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db import models
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse

from bookings.recharges.models import ConnectorCode
from mobility import urls
from mobility.accounts.models import User
from mobility.core import clock
from tests.doors import methods_of
from tests.tenancy import test_api as api
from tests.tenancy import test_pages as pages
from tests.tenancy.conftest import WholeCity

# Who opens a door, if they may: one person is enough, and nobody only where everybody may.
RANK = ("giulia", "marco", "luca", "sara", "elena", "root", "nobody")
# Opened by these, too: what they show differs.
ALSO = {
    "resident:map": ("nobody",),
    "desk:home": ("luca", "elena"),
    "desk:map": ("luca",),
    "desk:support": ("luca",),
    "desk:trail": ("luca",),
}
# Addresses that answer nobody with a page here, and why.
NO_PAGE = {
    **dict.fromkeys(
        ("resident:add-card", "resident:redeem", "desk:support-refund", "desk:support-decide",
         "desk:support-answer", "admin:charging_station_command", "admin:charging_station_question",
         "admin:charging_station_password", "admin:fleet_zoneset_publish",
         "admin:fleet_zoneset_rollback", "admin:fleet_zoneset_copy", "admin:fleet_vehicle_bulk_edit",
         "admin:fleet_vehicle_bulk_order", "admin:fleet_vehicle_bulk_service"),
        "a deed",
    ),
    **dict.fromkeys(
        ("resident:card-back", "account_change_password", "account_confirm_login_code",
         "account_reauthenticate", "mfa_activate_totp", "mfa_add_webauthn", "mfa_authenticate",
         "mfa_deactivate_totp", "mfa_download_recovery_codes", "mfa_reauthenticate",
         "mfa_reauthenticate_webauthn", "mfa_view_recovery_codes", "socialaccount_signup",
         "admin:charging_inboxmessage_change"),
        "leads on, after something or to show who one is",
    ),
    **dict.fromkeys(
        ("crew:sheet", "crew:sheet-pdf", "recharges:guest-start", "admin:charging_station_ticket",
         "api:recharge-quotes", "api:recharge-receipt", "socialaccount_login_error"),
        "needs what the city does not have: a route, a free connector, a ticket, a bill, a failure",
    ),
}  # fmt: skip


def asked(name: str) -> str:
    """What this list cannot do without, as a query string."""
    today = clock.service_day(clock.now())
    near = "?lat=45.451&lon=9.205"
    month = f"?month={today:%Y-%m}"
    return {
        "api:vehicles": near,
        "api:stations": near,
        "api:zones": near,
        "api:offers": f"{near}&direction=start",
        "api:quotes": "?vehicle=TENANT1",
        "api:eligibility": "?kind=scooter",
        "api:vehicle-calendar": f"?day={today}",
        "api:charging-statements": month,
        "api:charging-statements-file": month,
        "api:charging-records-file": month,
        "api:fleet-maintenance-costs": f"?start={today - datetime.timedelta(days=30)}&end={today}",
        "admin:bookings_receipt_totals": f"?first={today}&last={today}",
    }.get(name, "")


@dataclass(frozen=True)
class Door:
    """An address, by the name it has in the URL conf, and who is tried there: the first who gets in counts."""

    name: str
    address: str
    people: tuple[str, ...]

    @property
    def is_form(self) -> bool:
        """Whether it is a form of the admin: what it asks does not depend on how many rows there are."""
        return self.name.startswith("admin:") and self.name.endswith(("_add", "_change"))


def doors(city: WholeCity) -> Iterator[Door]:
    """Every page and every address of the API that answers GET."""
    yield from _pages(city)
    yield from _of_libraries()
    yield from _lists_of_the_admin(city)
    yield from _api(city)


def client_of(user: User | None) -> Client:
    """A browser that speaks English, signed in."""
    client = Client(headers={"accept-language": "en"}, raise_request_exception=False)
    if user is not None:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _by_rank(who: Any) -> tuple[str, ...]:
    return tuple(one for one in RANK if one in who)


def _pages(city: WholeCity) -> Iterator[Door]:
    rows = pages.keys(city.rows, city.people)
    rows["recharges:guest-start"] = {"code": ConnectorCode.objects.earliest("pk").code}
    for name, who in (pages.PLAIN | pages.ROWS).items():
        address = reverse(name, kwargs=rows.get(name)) + asked(name)
        yield Door(name, address, _by_rank(who or {"giulia"})[:1])
        for person in ALSO.get(name, ()):
            yield Door(name, address, (person,))


def _of_libraries() -> Iterator[Door]:
    """The log-in library's pages without a key in their address."""
    for name in sorted(set(pages.names(get_resolver()))):
        if name.startswith(pages.OF_LIBRARIES):
            try:
                address = reverse(name)
            except NoReverseMatch:
                continue
            yield Door(name, address, ("nobody", "giulia"))


def _lists_of_the_admin(city: WholeCity) -> Iterator[Door]:
    """List, form to add and form of one row, of each table."""
    who = {label: people for people, labels in pages.LISTS.items() for label in labels}
    for model in sorted(admin.site._registry, key=lambda one: one._meta.label):
        person = _by_rank({*who[model._meta.label].split(), "root"})[0]
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield Door(f"{name}_changelist", reverse(f"{name}_changelist"), (person,))
        yield Door(f"{name}_add", reverse(f"{name}_add"), (person,))
        row = _first(model, city.people[person])
        if row is not None:
            yield Door(f"{name}_change", reverse(f"{name}_change", args=[row.pk]), (person,))


def _first(model: type[models.Model], user: User) -> models.Model | None:
    rows: Any = model._default_manager.order_by("pk")
    seen = rows if user.is_superuser or not hasattr(rows, "visible_to") else rows.visible_to(user)
    found: models.Model | None = seen.first()
    return found


def _api(city: WholeCity) -> Iterator[Door]:
    refs = city.refs()
    keys = {name: refs[row] for name, (row, _who) in api.DETAILS.items()}
    keys |= {"station": refs["station"]}
    code = {"vehicle": "TENANT1", "vehicle-calendar": "TENANT-CAR"}
    for name in sorted(api.names_of(urls.api) - api.BY_SECRET):
        if name in api.DETAILS or name in keys:
            address = reverse(f"api:{name}", kwargs={"public_id": keys[name]})
        elif name in code:
            address = reverse(f"api:{name}", kwargs={"ref": code[name]})
        else:
            try:
                address = reverse(f"api:{name}")
            except NoReverseMatch:
                continue
        if "get" in methods_of(address):
            yield Door(f"api:{name}", address + asked(f"api:{name}"), _who(name))


def _who(name: str) -> tuple[str, ...]:
    if name in api.LISTS:
        return _by_rank(api.LISTS[name][1])[:1]
    if name in api.DETAILS:
        return _by_rank(api.DETAILS[name][1])[:1]
    return RANK[:4]
