"""Every list and change page of the admin, walked as the wrong member of staff."""

from typing import Any

import pytest
from django.contrib import admin
from django.db import models
from django.test import Client
from django.urls import reverse

from mobility.accounts.models import User
from tests.tenancy.conftest import WholeCity

pytestmark = pytest.mark.django_db

# Facts of the city that every member of staff may look up.
SHARED = {"mobility.City", "mobility.District", "mobility.Hub", "fleet.VehicleType"}
STAFF = ("marco", "sara", "luca", "elena", "rivale", "scossa")


def registered() -> list[type[models.Model]]:
    return sorted(admin.site._registry, key=lambda model: model._meta.label)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def address(model: type[models.Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def visible_rows(model: type[models.Model], user: User) -> set[Any]:
    queryset = model._default_manager.all()
    visible = getattr(queryset, "visible_to", None)
    return set(visible(user).values_list("pk", flat=True)) if visible else set()


def shown(client: Client, model: type[models.Model]) -> set[Any]:
    """The keys on a list page; nothing when the page does not open."""
    listed = client.get(address(model, "changelist"))
    assert listed.status_code in {200, 403}, (model, listed.status_code)
    return (
        {row.pk for row in listed.context["cl"].result_list} if listed.status_code == 200 else set()
    )


def test_rows_of_others_neither_show_nor_open(whole_city: WholeCity) -> None:
    clients = {person: client_of(whole_city.people[person]) for person in STAFF}
    for model in registered():
        rows = set(model._default_manager.values_list("pk", flat=True)[:5])
        for person, client in clients.items():
            hidden = rows - visible_rows(model, whole_city.people[person])
            if not hidden:
                continue
            assert not hidden & shown(client, model), (person, model)
            for pk in sorted(hidden)[:2]:
                status = client.get(address(model, "change", pk)).status_code
                assert status in {302, 403, 404}, (person, model, status)


def test_another_company_sees_nothing_of_ours(whole_city: WholeCity) -> None:
    for person in ("rivale", "scossa"):
        client = client_of(whole_city.people[person])
        for model in registered():
            if model._meta.label not in SHARED:
                assert not shown(client, model), (person, model)


def test_residents_do_not_get_into_the_admin(whole_city: WholeCity) -> None:
    for person in ("giulia", "piero"):
        assert client_of(whole_city.people[person]).get("/admin/").status_code in {302, 403}


@pytest.mark.parametrize(
    ("person", "label"),
    [
        ("marco", "fleet.Vehicle"),
        ("sara", "fleet.RebalancingTask"),
        ("luca", "charging.ChargingStation"),
        ("elena", "mobility.Hub"),
    ],
)
def test_the_right_person_does_get_in(person: str, label: str, whole_city: WholeCity) -> None:
    model = next(model for model in registered() if model._meta.label == label)
    listed = client_of(whole_city.people[person]).get(address(model, "changelist"))
    assert listed.status_code == 200
    assert listed.context["cl"].result_count or label == "mobility.Hub"
