"""Who operates one fleet and drives the van of another changes nothing of the second at the desk."""

from typing import Any

import pytest
from django.contrib import admin
from django.db import models
from django.test import Client
from django.urls import reverse

from fleet.maintenance.models import ChecklistItem, ChecklistTemplate, MaintenanceRule, WorkOrder
from fleet.telematics.models import Integration
from fleet.vehicles.models import Battery, VehicleDocument
from mobility.accounts.models import Membership, Organisation, User
from mobility.accounts.scoped_admin import ScopedAdmin
from mobility.accounts.states import Role
from mobility.core import clock
from tests.tenancy.conftest import WholeCity

pytestmark = pytest.mark.django_db


@pytest.fixture
def ours(ruote: Organisation, whole_city: WholeCity) -> WholeCity:
    """Ruote's city, with what its maintenance goes by."""
    checklist = ChecklistTemplate.objects.create(organisation=ruote, name={"it": "Freni"})
    ChecklistItem.objects.create(template=checklist, position=1, text={"it": "Leva"})
    MaintenanceRule.objects.create(organisation=ruote, title={"it": "Anno"}, every_days=365)
    return whole_city


@pytest.fixture
def nadia(rivale: User, ruote: Organisation) -> User:
    """Operates Rivale's fleet, and drives Ruote's van on Saturdays."""
    Membership.objects.create(user=rivale, organisation=ruote, role=Role.CREW)
    return User.objects.get(pk=rivale.pk)


@pytest.fixture
def desk(nadia: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(nadia)
    return client


def address(model: type[models.Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def act(desk: Client, row: models.Model, action: str) -> Any:
    form = {"action": action, "_selected_action": [row.pk], "post": "yes"}
    return desk.post(address(type(row), "changelist"), form, follow=True)


def operators_pages() -> list[type[models.Model]]:
    """The models that operators change at the desk and crews only see."""
    return [
        model
        for model, page in admin.site._registry.items()
        if isinstance(page, ScopedAdmin)
        and Role.FLEET_OPERATOR in page.editors
        and Role.CREW not in page.editors
        and hasattr(model._default_manager.all(), "run_by")
    ]


def test_rows_of_the_other_fleet_open_only_to_be_read(ours: WholeCity, desk: Client) -> None:
    seen = set()
    for model in operators_pages():
        for pk in model._default_manager.values_list("pk", flat=True)[:3]:
            page = desk.get(address(model, "change", pk))
            if page.status_code != 200:
                continue
            seen.add(model._meta.label)
            assert page.context["has_change_permission"] is False, model
            assert page.context["has_delete_permission"] is False, model
            for inline in page.context["inline_admin_formsets"]:
                rights = (inline.has_add_permission, inline.has_change_permission)
                assert not any((*rights, inline.has_delete_permission)), (model, inline.opts)
            assert desk.post(address(model, "change", pk), {}).status_code == 403, model
            assert desk.post(address(model, "delete", pk), {"post": "yes"}).status_code == 403
    assert seen >= {
        "fleet.Vehicle", "fleet.Battery", "fleet.WorkOrder", "fleet.MaintenanceRule",
        "fleet.ChecklistTemplate", "fleet.VehicleDocument", "fleet.VehicleCase", "fleet.Integration",
    }  # fmt: skip


def test_the_owners_operator_changes_them(ours: WholeCity, marco: User) -> None:
    client = Client()
    client.force_login(marco)
    for model in (WorkOrder, MaintenanceRule, ChecklistTemplate, Battery, VehicleDocument):
        page = client.get(address(model, "change", model._default_manager.get().pk))
        assert page.context["has_change_permission"] is True, model


def test_actions_leave_the_other_fleets_rows_alone(ours: WholeCity, desk: Client) -> None:
    order, paper = WorkOrder.objects.get(), VehicleDocument.objects.get()
    battery, backend = Battery.objects.get(), Integration.objects.get()
    done = (
        (order, "cancel"),
        (paper, "delete_selected"),
        (battery, "retire"),
        (backend, "revoke"),
    )
    for row, action in done:
        before = {field.attname: getattr(row, field.attname) for field in row._meta.fields}
        told = [str(message) for message in act(desk, row, action).context["messages"]]
        assert "1 was left alone: it is not yours to change." in told, (row, told)
        row.refresh_from_db()
        after = {field.attname: getattr(row, field.attname) for field in row._meta.fields}
        assert after == before, row


def test_actions_still_do_ones_own(ours: WholeCity, desk: Client, nadia: User) -> None:
    rivals = Organisation.objects.get(slug="rivale")
    own = Battery.objects.create(organisation=rivals, serial="RIV-1", capacity_wh=550)
    chosen = {"action": "retire", "_selected_action": [own.pk, Battery.objects.first().pk]}
    desk.post(address(Battery, "changelist"), chosen)
    assert set(Battery.objects.filter(state="retired")) == {own}


def test_new_rows_are_for_those_whom_one_operates(ours: WholeCity, desk: Client) -> None:
    rivals = set(Organisation.objects.filter(slug="rivale"))
    for model in (MaintenanceRule, ChecklistTemplate, Battery):
        form = desk.get(address(model, "add")).context["adminform"].form
        assert set(form.fields["organisation"].queryset) == rivals, model
    rule = desk.get(address(MaintenanceRule, "add")).context["adminform"].form
    assert not rule.fields["checklist"].queryset.exists()
    paper = {
        "vehicle": ours.rows["vehicle"].pk,
        "kind": "insurance",
        "number": "P-2",
        "valid_from": str(clock.service_day(clock.now())),
    }
    answer = desk.post(address(VehicleDocument, "add"), paper)
    assert "vehicle" in answer.context["adminform"].form.errors
