"""Forms of the admin: a place by its coordinates, a station to be commissioned."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from charging.stations import services
from charging.stations.models import ChargingStation, Connector, Site
from mobility.core import geo
from mobility.core.errors import DomainError


class SiteForm(forms.ModelForm[Site]):
    """A site; its place is typed, for the map of the framework loads foreign scripts."""

    lat = forms.FloatField(label=_("latitude"), min_value=-90, max_value=90)
    lon = forms.FloatField(label=_("longitude"), min_value=-180, max_value=180)

    class Meta:
        model = Site
        fields = ("organisation", "city", "hub", "name", "address", "grid_limit_w")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            place = self.instance.location
            self.initial.update(lat=place.y, lon=place.x)

    def clean(self) -> dict[str, Any]:
        """Put the coordinates into the site, where its own checks expect them."""
        data = super().clean() or self.cleaned_data
        if "lat" in data and "lon" in data:
            self.instance.location = geo.point(data["lon"], data["lat"])
        return data


class StationForm(forms.ModelForm[ChargingStation]):
    """A station to be: its connectors come with it, all of one kind."""

    connectors = forms.IntegerField(label=_("connectors"), min_value=1, max_value=64, initial=1)
    standard = forms.ChoiceField(label=_("standard"), choices=Connector.Standard.choices)
    power_type = forms.ChoiceField(
        label=_("current"),
        choices=Connector.PowerType.choices,
        initial=Connector.PowerType.AC_3_PHASE,
    )
    max_power_w = forms.IntegerField(
        label=_("maximum power (W)"),
        min_value=1000,
        max_value=1_000_000,
        initial=22_000,
    )

    class Meta:
        model = ChargingStation
        fields = ("site", "identity", "security_profile")

    def clean_identity(self) -> str:
        """Only what can stand in a URL and a header."""
        identity: str = self.cleaned_data["identity"]
        try:
            services.check_plan(identity=identity, connectors=1)
        except DomainError as problem:
            raise ValidationError(problem.detail) from problem
        return identity

    def plans(self) -> list[services.ConnectorPlan]:
        """The connectors asked for."""
        data = self.cleaned_data
        attached = data["power_type"] == Connector.PowerType.DC
        plan = services.ConnectorPlan(
            standard=data["standard"],
            format=Connector.Format.CABLE if attached else Connector.Format.SOCKET,
            power_type=data["power_type"],
            max_power_w=data["max_power_w"],
        )
        return [plan] * int(data["connectors"])
