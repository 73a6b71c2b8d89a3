"""Forms of the admin: a place by its coordinates."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from charging.stations.models import Site
from mobility.core import geo


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
