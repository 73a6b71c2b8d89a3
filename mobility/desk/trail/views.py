"""The page of the trail: filter, page through, export."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from mobility.core import audit, clock
from mobility.core.spreadsheets import safe_cell
from mobility.desk.access import for_roles
from mobility.desk.context import TRAIL_READERS
from mobility.desk.shell import person, shell
from mobility.desk.trail import queries

if TYPE_CHECKING:
    from mobility.accounts.models import User
    from mobility.core.models import AuditEntry

SHOWN = 100
# A spreadsheet opens no more with pleasure; who needs more narrows the days.
MOST_EXPORTED = 20_000


class TrailForm(forms.Form):
    """What of the trail."""

    who = forms.ChoiceField(label=_("Who"), required=False)
    what = forms.ChoiceField(
        label=_("What"),
        required=False,
        choices=[("", _("All")), ("changes", _("Changes")), ("looks", _("Looks"))],
    )
    words = forms.CharField(label=_("Row or action"), required=False, max_length=80)
    first = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    last = forms.DateField(
        label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, *args: Any, people: dict[str, User], **kwargs: Any) -> None:
        """Offer the colleagues."""
        super().__init__(*args, **kwargs)
        choices = [("", _("All")), *((key, one.email) for key, one in people.items())]
        self.fields["who"].choices = choices  # type: ignore[attr-defined]


@for_roles(*TRAIL_READERS)
def trail(request: HttpRequest) -> HttpResponse:
    """`/admin/trail/`: who of one's own people changed what, and looked at whom."""
    reader = person(request)
    people = queries.colleagues(reader=reader)
    form = TrailForm(request.GET, people=people)
    wanted = form.cleaned_data if form.is_valid() else {}
    rows = queries.entries(
        by=[wanted["who"]] if wanted.get("who") else list(people),
        looks={"looks": True, "changes": False}.get(wanted.get("what", "")),
        words=wanted.get("words", ""),
        first=wanted.get("first"),
        last=wanted.get("last"),
    )
    if "export" in request.GET:
        return _export(request, list(rows[:MOST_EXPORTED]), people)
    page = Paginator(rows, SHOWN).get_page(request.GET.get("page"))
    for row in page:
        row.name = people[row.by].email  # type: ignore[attr-defined]
    kept = request.GET.copy()
    kept.pop("page", None)
    context = {"form": form, "entries": page, "kept": kept.urlencode()}
    answer = shell(request, "desk/trail/trail.html", context=context)
    answer["Cache-Control"] = "private, no-store"
    return answer


def _export(request: HttpRequest, rows: list[AuditEntry], people: dict[str, User]) -> HttpResponse:
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="trail.csv"'
    answer["Cache-Control"] = "private, no-store"
    sheet = csv.writer(answer)
    sheet.writerow(["at", "by", "action", "row", "changes", "request_id"])
    for row in rows:
        told = json.dumps(row.changes, ensure_ascii=False, sort_keys=True)
        cells = [
            row.at.isoformat(),
            people[row.by].email,
            row.action,
            row.row,
            told,
            row.request_id,
        ]
        sheet.writerow([safe_cell(cell) for cell in cells])
    reader = person(request)
    audit.record(
        by=reader.principal,
        action="export",
        row=reader,
        at=clock.now(),
        changes={"what": "trail", "rows": len(rows)},
    )
    return answer
