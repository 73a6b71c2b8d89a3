"""Forms of the zones' admin pages: GeoJSON in a text field, read by the same reader as the API's."""

from __future__ import annotations

from typing import Any

import orjson
from django import forms
from django.contrib.gis.geos import GEOSGeometry
from django.utils.translation import gettext_lazy as _

from fleet.zones import queries, services, wire
from fleet.zones.models import ZoneSet


class GeoJsonArea(forms.Textarea):
    """A shape as GeoJSON text: what every map tool exports, and what needs no script of a stranger."""

    def format_value(self, value: Any) -> str:
        """The shape as text; text that was refused stays as it was typed."""
        return value.geojson if isinstance(value, GEOSGeometry) else value or ""


class ZoneSetForm(forms.ModelForm[ZoneSet]):
    """A set with all its zones as one GeoJSON FeatureCollection."""

    drawing = forms.CharField(
        label=_("zones"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 14, "cols": 100, "spellcheck": "false"}),
        help_text=_(
            "GeoJSON FeatureCollection in WGS 84; the first zone that says something decides."
            " Empty for a new set: the zones in force."
        ),
    )

    class Meta:
        model = ZoneSet
        fields = ("organisation", "city", "title")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """With the zones of the draft as text."""
        super().__init__(*args, **kwargs)
        if self.instance.pk and "drawing" in self.fields:
            features = queries.set_features(zone_set=self.instance)
            self.initial.setdefault("drawing", _text(features))

    def clean(self) -> dict[str, Any]:
        """Read the drawing; what is wrong with it stands at its field."""
        cleaned: dict[str, Any] = super().clean() or {}
        text = cleaned.get("drawing")
        city = self.instance.city_id or getattr(cleaned.get("city"), "pk", None)
        if not text or city is None:
            return cleaned
        try:
            request = wire.ZonesRequest(data=orjson.loads(text))
        except orjson.JSONDecodeError as error:
            self.add_error("drawing", str(error))
            return cleaned
        if not request.is_valid():
            for field, detail in wire.flat(request.errors):
                self.add_error("drawing", f"{field}: {detail}")
            return cleaned
        try:
            cleaned["read"] = wire.read_drawing(fields=request.validated_data, city_id=city)
            self._ensure_seen(cleaned["read"].seen)
        except (services.DraftChanged, services.NotADraft) as refusal:
            self.add_error("drawing", str(refusal.detail))
        except wire.ZonesUnreadable as refusal:
            for problem in refusal.extra["problems"]:
                where = f"{problem['feature']}.{problem['field']}"
                self.add_error("drawing", f"{where}: {problem['detail']}")
        return cleaned

    def _ensure_seen(self, seen: str | None) -> None:
        """Nobody else has drawn since, nor will before this page has saved: the draft is locked."""
        if not self.instance._state.adding and "drawing" in self.changed_data:
            services.ensure_seen(services.locked_draft(self.instance.pk), seen=seen)


class PublishForm(forms.Form):
    """When a set comes into force, and whether its warnings are meant."""

    starts_at = forms.SplitDateTimeField(
        label=_("from (empty: at once)"),
        required=False,
        widget=forms.SplitDateTimeWidget(
            date_attrs={"type": "date"},
            time_attrs={"type": "time"},
            date_format="%Y-%m-%d",
            time_format="%H:%M",
        ),
    )
    acknowledged = forms.BooleanField(label=_("the warnings are meant"), required=False)


def _text(features: dict[str, Any]) -> str:
    """One zone a line: long, but one can find and move them."""
    lines = b",\n".join(orjson.dumps(feature) for feature in features["features"]).decode()
    told = {name: value for name, value in features.items() if name != "features"}
    return f'{orjson.dumps(told).decode()[:-1]},"features":[\n{lines}\n]}}'
