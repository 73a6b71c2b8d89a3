"""Forms of an operator's pages: a charger to be commissioned, and what is asked of one."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import BaseFormSet, formset_factory
from django.utils.translation import gettext_lazy as _

from charging.devices.models import LogJob
from charging.stations import services
from charging.stations.models import OCPP_VERSIONS, ChargingStation, Connector, Site
from mobility.accounts.models import Organisation, User
from mobility.accounts.row_search import row_search
from mobility.accounts.states import Role
from mobility.core import geo
from mobility.core.errors import DomainError
from mobility.geography.models import City

PROFILES = [
    (1, _("1 – password")),
    (2, _("2 – password, encrypted (wss)")),
    (3, _("3 – client certificate, encrypted (wss)")),
    (0, _("0 – none; only in a closed network")),
]
_KIND = ("standard", "format", "power_type", "max_power_w")
VERSION_NAMES = {"ocpp1.6": "OCPP 1.6", "ocpp2.0.1": "OCPP 2.0.1", "ocpp2.1": "OCPP 2.1"}
_MOST_GROUPS = 6


def _site_search(among: QuerySet[Site], **options: Any) -> forms.ModelChoiceField[Site]:
    return row_search(model=ChargingStation, column="site", among=among, label=_("site"), **options)


class CommissionForm(forms.Form):
    """A charger at a site of one's own, which may be new itself."""

    organisation = forms.ModelChoiceField(
        label=_("operator"), queryset=Organisation.objects.none(), required=False, empty_label=None
    )
    name = forms.CharField(label=_("name of the new site"), max_length=100, required=False)
    address = forms.CharField(label=_("address"), max_length=200, required=False)
    lat = forms.FloatField(label=_("latitude"), min_value=-90, max_value=90, required=False)
    lon = forms.FloatField(label=_("longitude"), min_value=-180, max_value=180, required=False)
    grid_limit_w = forms.IntegerField(
        label=_("grid connection limit (W)"), min_value=1, max_value=100_000_000, required=False
    )
    identity = forms.CharField(
        label=_("identity"),
        max_length=48,
        help_text=_("As it is typed into the charger; often its serial number."),
    )
    security_profile = forms.TypedChoiceField(
        label=_("security profile"), choices=PROFILES, coerce=int, initial=1
    )
    ocpp_versions = forms.MultipleChoiceField(
        label=_("allowed OCPP versions"),
        choices=[(version, VERSION_NAMES.get(version, version)) for version in OCPP_VERSIONS],
        initial=list(OCPP_VERSIONS),
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        operators = Organisation.objects.all()
        sites = Site.objects.all()
        if not user.is_superuser:
            own = user.organisations_as(Role.CHARGE_POINT_OPERATOR)
            operators, sites = operators.filter(pk__in=own), sites.filter(organisation__in=own)
        self.fields["site"] = _site_search(sites, required=False, help_text=_("Empty: a new site."))
        field = self.fields["organisation"]
        # It is a choice of rows; this narrows the type.
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = operators.order_by("pk")
        field.initial = field.queryset.first()

    def clean_identity(self) -> str:
        """Only what can stand in a URL and a header."""
        identity: str = self.cleaned_data["identity"]
        try:
            services.check_plan(identity=identity, connectors=1)
        except DomainError as problem:
            raise ValidationError(problem.detail) from problem
        return identity

    def clean(self) -> dict[str, Any]:
        """A new site needs a name, a place and an operator."""
        data = super().clean() or self.cleaned_data
        if data.get("site") is None and "site" not in self.errors:
            for name in ("name", "lat", "lon", "organisation"):
                if data.get(name) in (None, "") and name not in self.errors:
                    self.add_error(name, _("A new site needs this."))
            named = Site.objects.filter(
                organisation=data.get("organisation"), name__it=data.get("name") or ""
            )
            if named.exists():
                self.add_error("name", _("There is a site of that name already; choose it above."))
        return data

    def new_site(self) -> dict[str, Any]:
        """What `ensure_site` wants to know of the new site."""
        data = self.cleaned_data
        place = geo.point(data["lon"], data["lat"])
        city = City.objects.order_by("pk").first()
        return {
            "organisation_id": data["organisation"].pk,
            "name": {"it": data["name"]},
            "location": place,
            "address": data["address"],
            "grid_limit_w": data["grid_limit_w"],
            "city_id": city.pk if city else None,
        }


class ConnectorForm(forms.Form):
    """What a connector is."""

    standard = forms.ChoiceField(
        label=_("standard"), choices=Connector.Standard.choices, initial=Connector.Standard.TYPE_2
    )
    format = forms.ChoiceField(
        label=_("format"), choices=Connector.Format.choices, initial=Connector.Format.SOCKET
    )
    power_type = forms.ChoiceField(
        label=_("current"),
        choices=Connector.PowerType.choices,
        initial=Connector.PowerType.AC_3_PHASE,
    )
    max_power_w = forms.IntegerField(
        label=_("maximum power (W)"), min_value=1000, max_value=1_000_000, initial=22_000
    )

    def clean(self) -> dict[str, Any]:
        """Direct current comes by cable only."""
        data = super().clean() or self.cleaned_data
        if data.get("power_type") == Connector.PowerType.DC:
            data["format"] = Connector.Format.CABLE
        return data

    def plan(self, *, evse: int | None = None) -> services.ConnectorPlan:
        """The connector of this line."""
        data = self.cleaned_data
        return services.ConnectorPlan(
            evse=evse,
            standard=data["standard"],
            format=data["format"],
            power_type=data["power_type"],
            max_power_w=data["max_power_w"],
        )


class ConnectorsForm(ConnectorForm):
    """Some equal EVSEs with a connector each, or one more connector at those of the line above."""

    count = forms.IntegerField(label=_("how many"), min_value=1, max_value=64, required=False)
    beside = forms.BooleanField(
        label=_("beside the line above"),
        help_text=_("One more connector at each EVSE of the line above; only one of them charges."),
        required=False,
    )
    field_order = ("count", "beside", "standard", "format", "power_type", "max_power_w")

    def clean(self) -> dict[str, Any]:
        """How many, unless the line above says so."""
        data = super().clean()
        if not data.get("count") and not data.get("beside") and "count" not in self.errors:
            self.add_error("count", _("How many?"))
        return data


def plans_of(lines: Iterable[ConnectorsForm], *, first: int = 1) -> list[services.ConnectorPlan]:
    """The connectors of checked lines, their EVSEs numbered from `first` on."""
    plans: list[services.ConnectorPlan] = []
    above: list[int] = []
    for line in lines:
        if not line.has_changed():
            continue
        if not line.cleaned_data.get("beside") or not above:
            begin = above[-1] + 1 if above else first
            above = list(range(begin, begin + (line.cleaned_data.get("count") or 1)))
        plans += [line.plan(evse=number) for number in above]
    return plans


def lines_of(connectors: Iterable[Connector]) -> list[dict[str, Any]]:
    """The lines that would make these connectors, sorted by EVSE: for another station like it."""
    stations: dict[int, list[dict[str, Any]]] = {}
    for row in connectors:
        kind = {name: getattr(row, name) for name in _KIND}
        stations.setdefault(row.evse.number, []).append(kind)
    lines: list[dict[str, Any]] = []
    for equal, group in groupby(stations.values()):
        many = len(list(group))
        lines += [
            {**kind, "count": many if not place else None, "beside": bool(place)}
            for place, kind in enumerate(equal)
        ]
    return lines[:_MOST_GROUPS]


class StationForm(forms.Form):
    """Where a station stands."""

    def __init__(self, *args: Any, station: ChargingStation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Site.objects.filter(organisation_id=station.site.organisation_id)
        self.fields["site"] = _site_search(own, initial=station.site_id)


ConnectorsFormSet: type[BaseFormSet[ConnectorsForm]] = formset_factory(
    ConnectorsForm,
    extra=_MOST_GROUPS - 1,
    min_num=1,
    validate_min=True,
    max_num=_MOST_GROUPS,
    absolute_max=_MOST_GROUPS,
)
MoreConnectorsFormSet: type[BaseFormSet[ConnectorsForm]] = formset_factory(
    ConnectorsForm, extra=_MOST_GROUPS, max_num=_MOST_GROUPS, absolute_max=_MOST_GROUPS
)
ConnectorFormSet: type[BaseFormSet[ConnectorForm]] = formset_factory(ConnectorForm, extra=0)


class VariableForm(forms.Form):
    """One variable (a configuration key in OCPP 1.6) to be changed."""

    component = forms.CharField(max_length=50, required=False)
    name = forms.CharField(max_length=50)
    value = forms.CharField(max_length=2500, required=False, strip=False)


class FirmwareForm(forms.Form):
    """Where the new firmware lies."""

    location = forms.URLField(max_length=500, assume_scheme="https")


class LogForm(forms.Form):
    """Which log to bring."""

    kind = forms.ChoiceField(choices=LogJob.Kind.choices)


class ProfileForm(forms.Form):
    """The higher security profile."""

    profile = forms.IntegerField(min_value=1, max_value=3)
