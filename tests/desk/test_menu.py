"""The menu of the admin."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("language", ["it", "en"])
def test_models_stand_in_the_order_of_their_names_as_the_reader_sees_them(marco, language):
    browser = Client(headers={"accept-language": language})
    browser.force_login(marco)
    apps = browser.get("/admin/").context["available_apps"]
    names = [model["name"] for app in apps for model in app["models"]]
    assert ("Veicoli" if language == "it" else "Vehicles") in names
    for app in apps:
        shown = [model["name"] for model in app["models"]]
        assert shown == sorted(shown)


def test_the_menu_beside_a_list_can_be_filtered(marco):
    """Django's script looks for links in the heads of rows."""
    browser = Client(headers={"accept-language": "en"})
    browser.force_login(marco)
    page = browser.get("/admin/fleet/vehicle/").content.decode()
    assert (
        '<th scope="row"><a href="/admin/fleet/vehicle/" aria-current="page">Vehicles</a>' in page
    )
    assert '<th scope="row"><a href="/admin/fleet/van/">Vans</a>' in page
