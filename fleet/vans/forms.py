"""Forms of the vans' admin pages: an area as GeoJSON text, travel times as a CSV file."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon, Polygon
from django.utils.translation import gettext_lazy as _

from fleet.vans.models import ClosedHours, TravelTable
from fleet.zones.forms import GeoJsonArea

MOST_BYTES = 5 * 1024 * 1024


class ClosedHoursForm(forms.ModelForm[ClosedHours]):
    """Closed hours with their area as a GeoJSON geometry."""

    area = forms.CharField(
        label=_("area"),
        widget=GeoJsonArea(attrs={"rows": 6, "cols": 100, "spellcheck": "false"}),
        help_text=_("GeoJSON Polygon or MultiPolygon in WGS 84, as every map tool exports it."),
    )

    class Meta:
        model = ClosedHours
        fields = ("organisation", "city", "name", "area", "since", "until", "weekdays")

    def clean_area(self) -> MultiPolygon:
        """The shape, sound and in longitude and latitude."""
        try:
            shape: Any = GEOSGeometry(self.cleaned_data["area"], srid=4326)
        except (ValueError, TypeError, RuntimeError) as error:
            raise forms.ValidationError(_("This is no GeoJSON geometry.")) from error
        if isinstance(shape, Polygon):
            shape = MultiPolygon(shape, srid=4326)
        if not isinstance(shape, MultiPolygon) or shape.empty:
            raise forms.ValidationError(_("The area is a Polygon or a MultiPolygon."))
        if not shape.valid:
            reason = {"reason": shape.valid_reason}
            raise forms.ValidationError(_("The boundary is not sound: %(reason)s") % reason)
        return shape


class TravelTableForm(forms.ModelForm[TravelTable]):
    """Travel times between hubs and districts, as a file."""

    csv = forms.FileField(
        label=_("file (CSV)"),
        help_text=_("Columns from, to, minutes; codes of hubs and districts; no minutes: no way."),
    )

    class Meta:
        model = TravelTable
        fields = ("organisation", "city", "name")

    def clean_csv(self) -> str:
        """The text of the file."""
        file = self.cleaned_data["csv"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(_("The file is larger than 5 MB."))
        try:
            text: str = file.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise forms.ValidationError(_("The file is not text in UTF-8.")) from error
        return text
