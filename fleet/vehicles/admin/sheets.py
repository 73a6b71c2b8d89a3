"""The list of vehicles as a file, and vehicles out of a file: looked through first, then written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.http import StreamingHttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import services, sheets
from fleet.vehicles.admin.scope import OPERATORS, deed
from fleet.vehicles.models import Vehicle
from mobility.accounts.models import Organisation
from mobility.accounts.states import OrganisationKind
from mobility.core import clock
from mobility.core.errors import DomainError
from mobility.geography.models import City

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.admin import ModelAdmin
    from django.db.models import QuerySet
    from django.http import HttpRequest

_CHUNK = 1_000


class SheetForm(forms.Form):
    """A file, whose vehicles they are, and where they run.

    Between looking and writing the file's text waits in the page: nothing is kept for those who
    never come back, and what is written is what was looked at.
    """

    organisation = forms.ModelChoiceField(label=_("Operator"), queryset=Organisation.objects.none())
    city = forms.ModelChoiceField(label=_("City"), queryset=City.objects.all())
    file = forms.FileField(
        label=_("CSV file"),
        required=False,
        help_text=_("At most 2,000 rows and 1 MB, in UTF-8, divided by ; or ,"),
    )
    text = forms.CharField(widget=forms.HiddenInput, required=False, strip=False)
    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request.POST or None, request.FILES or None)
        field: Any = self.fields["organisation"]
        field.queryset = employers(request)

    def content(self, *, seen: bool) -> bytes:
        """The file: as it came now, or only what was `seen` before."""
        upload = self.cleaned_data["file"]
        if seen or upload is None:
            return str(self.cleaned_data["text"]).encode()
        content: bytes = upload.read(sheets.MAX_BYTES + 1)
        return content


def employers(request: HttpRequest) -> QuerySet[Organisation]:
    """The fleet operators for which the person at the desk acts."""
    user: Any = request.user
    operators = Organisation.objects.filter(kind=OrganisationKind.FLEET_OPERATOR)
    if user.is_superuser:
        return operators
    return operators.filter(pk__in=user.organisations_as(*OPERATORS))


def export_answer(vehicles: QuerySet[Vehicle]) -> StreamingHttpResponse:
    """These vehicles, loaded `with_condition()`, as a file that streams."""
    day = clock.local(clock.now()).date()
    return StreamingHttpResponse(
        sheets.write(_cells(vehicles)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="vehicles-{day}.csv"'},
    )


def import_page(page: ModelAdmin[Vehicle], request: HttpRequest) -> TemplateResponse:
    """Look through a file; with `apply`, write its good rows."""
    form, verdicts, written = SheetForm(request), None, False
    if request.method == "POST" and form.is_valid():
        try:
            verdicts, written = _take(form, request)
        except DomainError as refusal:
            form.add_error("file", refusal.detail)
    context = {
        **page.admin_site.each_context(request),
        "opts": Vehicle._meta,
        "title": _("Import vehicles"),
        "form": form,
        "verdicts": verdicts,
        "counts": _counts(verdicts or []),
        "written": written,
        "columns": ", ".join(sheets.WRITABLE),
    }
    return TemplateResponse(request, "admin/fleet/vehicle/import.html", context)


def _take(form: SheetForm, request: HttpRequest) -> tuple[list[services.RowVerdict], bool]:
    writes = "apply" in request.POST
    content = form.content(seen=writes)
    rows = sheets.read(content)
    where = {
        "organisation_id": form.cleaned_data["organisation"].pk,
        "city_id": form.cleaned_data["city"].pk,
    }
    if writes:
        seen = form.cleaned_data["seen"]
        return services.import_sheet(rows=rows, **where, **deed(request), seen=seen), True
    verdicts = services.check_sheet(rows=rows, **where)
    # The page that comes back carries the text on to the second step, and what was found in it.
    text, seen = content.decode("utf-8-sig"), services.fingerprint(verdicts)
    form.data = {**form.data, "text": text, "seen": seen}
    return verdicts, False


def _counts(verdicts: list[services.RowVerdict]) -> dict[str, int]:
    kinds = ("create", "update", "same", "refused")
    return {kind: sum(verdict.what == kind for verdict in verdicts) for kind in kinds}


def _cells(vehicles: QuerySet[Vehicle]) -> Iterator[tuple[object, ...]]:
    for vehicle in vehicles.iterator(chunk_size=_CHUNK):
        latest = getattr(vehicle, "latest", None)
        yield (
            vehicle.code,
            vehicle.type.code,
            vehicle.plate,
            vehicle.vin,
            vehicle.home_hub.code if vehicle.home_hub else "",
            sheets.LIST_SEPARATOR.join(vehicle.equipment),
            vehicle.organisation.slug,
            vehicle.life_state,
            vehicle.rental_state,
            vehicle.link_state,
            sheets.LIST_SEPARATOR.join(vehicle.active_blocks),
            latest.battery_pct if latest else None,
            latest.lat if latest else None,
            latest.lon if latest else None,
            latest.at.isoformat() if latest else "",
            vehicle.qr_code,
        )
