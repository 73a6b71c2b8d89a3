"""Words of data in several languages: written one below the other in the admin, none of them needed."""

import pytest
from django.test import Client

from mobility.accounts.models import User
from mobility.core import geo
from mobility.core.texts import LocalizedFormField
from mobility.geography.models import City, Hub

pytestmark = pytest.mark.django_db


@pytest.fixture
def form(milan: City) -> dict[str, object]:
    return {
        "city": milan.pk,
        "code": "MA01",
        "kind": "mobility_area",
        "capacity": 24,
        "address": "",
        "name_it": "Lodi",
        "name_en": "",
    }


@pytest.fixture
def page(milan: City) -> str:
    hub = Hub.objects.create(
        city=milan, code="MA01", name={"it": "Lodi"}, location=geo.point(9.21, 45.44), capacity=10
    )
    return f"/admin/mobility/hub/{hub.pk}/change/"


def test_elena_names_a_hub_in_one_language_and_then_in_two(
    elena: User, page: str, form: dict[str, object]
) -> None:
    client = Client()
    client.force_login(elena)
    assert client.post(page, form).status_code == 302
    assert Hub.objects.get().name == {"it": "Lodi"}
    assert client.post(page, form | {"name_en": " Lodi area "}).status_code == 302
    assert Hub.objects.get().name == {"it": "Lodi", "en": "Lodi area"}
    shown = client.get(page).content.decode()
    assert 'name="name_en" value="Lodi area" lang="en"' in shown
    assert 'lang="it" aria-label="Nome, italiano"' in shown


def test_a_hub_without_any_name_is_refused(elena: User, page: str, form: dict[str, object]) -> None:
    client = Client(headers={"accept-language": "en"})
    client.force_login(elena)
    refused = client.post(page, form | {"name_it": "  "})
    assert refused.status_code == 200
    assert "name" in refused.context["adminform"].form.errors
    assert Hub.objects.get().name == {"it": "Lodi"}


def test_a_form_sees_whether_words_have_changed() -> None:
    field = LocalizedFormField()
    assert not field.has_changed({"it": "Lodi"}, ["Lodi", ""])
    assert field.has_changed({"it": "Lodi"}, ["Lodi", "Lodi"])
