"""Forms of an operator's pages: a charger to be commissioned, and what is asked of one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BaseFormSet, formset_factory
from django.utils.translation import gettext_lazy as _

from charging.devices.models import LogJob
from charging.stations import services
from charging.stations.models import OCPP_VERSIONS, Connector, Site
from mobility.accounts.models import Organisation, User
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
VERSION_NAMES = {"ocpp1.6": "OCPP 1.6", "ocpp2.0.1": "OCPP 2.0.1", "ocpp2.1": "OCPP 2.1"}
_MOST_GROUPS = 4


class CommissionForm(forms.Form):
    """A charger at a site of one's own, which may be new itself."""

    site = forms.ModelChoiceField(
        label=_("site"),
        queryset=Site.objects.none(),
        required=False,
        empty_label=_("a new site"),
    )
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
        sites = Site.objects.select_related("organisation")
        if not user.is_superuser:
            own = user.organisations_as(Role.CHARGE_POINT_OPERATOR)
            operators, sites = operators.filter(pk__in=own), sites.filter(organisation__in=own)
        self._set_choices("site", sites.order_by("name__it", "pk"))
        self._set_choices("organisation", operators.order_by("pk"))
        self.fields["organisation"].initial = operators.order_by("pk").first()

    def _set_choices(self, name: str, rows: Any) -> None:
        field = self.fields[name]
        # Both are choices of rows; this narrows the type.
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = rows

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


class ConnectorsForm(forms.Form):
    """Some equal EVSEs with a connector each."""

    count = forms.IntegerField(label=_("how many"), min_value=1, max_value=64)
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

    def plans(self) -> list[services.ConnectorPlan]:
        """The connectors of this line."""
        data = self.cleaned_data
        plan = services.ConnectorPlan(
            standard=data["standard"],
            format=data["format"],
            power_type=data["power_type"],
            max_power_w=data["max_power_w"],
        )
        return [plan] * int(data["count"])


ConnectorsFormSet: type[BaseFormSet[ConnectorsForm]] = formset_factory(
    ConnectorsForm,
    extra=_MOST_GROUPS - 1,
    min_num=1,
    validate_min=True,
    max_num=_MOST_GROUPS,
    absolute_max=_MOST_GROUPS,
)


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
