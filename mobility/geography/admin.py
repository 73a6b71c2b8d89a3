"""Admin pages of geography: the city officer keeps districts and hubs."""

from django.contrib import admin

from mobility.accounts.scoped_admin import ScopedAdmin
from mobility.accounts.states import STAFF_ROLES, Role
from mobility.geography.models import City, District, Hub

OFFICERS = frozenset({Role.CITY_OFFICER})


@admin.register(City)
class CityAdmin(ScopedAdmin[City]):
    """The city."""

    viewers = STAFF_ROLES
    list_display = ("__str__", "slug", "organisation")
    exclude = ("boundary", "centre")


@admin.register(District)
class DistrictAdmin(ScopedAdmin[District]):
    """Districts; their boundaries come from `manage.py load_city`."""

    viewers = STAFF_ROLES
    list_display = ("code", "__str__", "city", "residents")
    search_fields = ("code", "name")
    exclude = ("boundary", "centre")


@admin.register(Hub)
class HubAdmin(ScopedAdmin[Hub]):
    """Hubs; their places come from `manage.py load_city`."""

    viewers = STAFF_ROLES
    editors = OFFICERS
    addable = False
    list_display = ("code", "__str__", "kind", "city", "capacity", "address")
    list_filter = ("kind",)
    search_fields = ("code", "name", "address")
    exclude = ("location",)
