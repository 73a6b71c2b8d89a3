"""A list of the admin as a file: the columns that one sees, the rows that the filters leave."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.html import strip_tags
from django.utils.translation import gettext

from mobility.accounts.told import currency_of
from mobility.core import audit, clock
from mobility.core.spreadsheets import safe_cell

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

EXPORT = "export_as"
# A spreadsheet opens no more with pleasure, and nobody waits for more.
MOST_ROWS = 20_000


def sheet_of(page: ModelAdmin[Any], request: HttpRequest) -> HttpResponse:
    """The rows of a list page as CSV, scoped and filtered as on the page, and a trace of it.

    At most `MOST_ROWS`; names that begin like a formula are written so that no spreadsheet computes.
    """
    wanted: QueryDict = request.GET.copy()
    wanted.pop(EXPORT, None)
    request.GET = wanted  # type: ignore[assignment]
    rows = list(page.get_changelist_instance(request).get_queryset(request)[:MOST_ROWS])
    columns = [name for name in page.get_list_display(request) if name != "action_checkbox"]
    text = io.StringIO()
    sheet = csv.writer(text)
    heads = [str(label_for_field(name, page.model, page)) for name in columns]
    # Amounts are numbers: of what, stands beside them.
    counted = any(getattr(name, "is_amount", False) for name in columns)
    counted = counted and "currency" not in columns
    sheet.writerow([*heads, gettext("currency")] if counted else heads)
    for row in rows:
        cells = [_cell(name, row, page) for name in columns]
        sheet.writerow([*cells, currency_of(row)] if counted else cells)
    _trace(page, request, len(rows))
    answer = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{page.model._meta.model_name}.csv"'
    answer["Cache-Control"] = "private, no-store"
    return answer


def _cell(name: Any, row: Any, page: ModelAdmin[Any]) -> object:
    if hasattr(name, "plain"):
        return name.plain(row)
    try:
        field, _attribute, value = lookup_field(name, row, page)
    except ObjectDoesNotExist:
        return ""
    if value is None:
        return ""
    if field is not None and getattr(field, "flatchoices", None):
        value = dict(field.flatchoices).get(value, value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value if isinstance(value, int | float) else safe_cell(strip_tags(str(value)))


def _trace(page: ModelAdmin[Any], request: HttpRequest, rows: int) -> None:
    person: Any = request.user
    changes = {
        "what": page.model._meta.label,
        "rows": rows,
        "filters": request.GET.urlencode()[:500],
    }
    audit.record(by=person.principal, action="export", row=person, at=clock.now(), changes=changes)
