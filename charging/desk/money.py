"""The pages of charging stations in the admin: what a site draws, what an operator earns."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from charging.desk import queries
from charging.statements.queries import Month, MonthUnreadable, statements_of
from charging.stations.models import ChargingStation, Site
from charging.stations.scoping import operates
from mobility.accounts.models import Organisation
from mobility.accounts.scoped_admin import ScopedAdmin, person_of
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.money import format_money


class MoneyPages(ScopedAdmin[ChargingStation]):
    """The pages that are about several stations at once."""

    def power_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What a site drew today, its limit, and how it is shared out now."""
        site: Site = get_object_or_404(Site.objects.visible_to(person_of(request)), pk=pk)
        if not operates(person_of(request), organisation_id=site.organisation_id):
            raise PermissionDenied
        context = {
            "title": str(site),
            "site": site,
            "chart": queries.site_power(site=site, at=clock.now()),
            **queries.site_plan(site=site),
        }
        return self._page(request, "power", context)

    def statements_view(self, request: HttpRequest) -> HttpResponse:
        """An operator's month in sums, and its files."""
        operators = self._operators(request)
        chosen = operators.filter(slug=request.GET.get("organisation", "")).first()
        operator = chosen or operators.first()
        if operator is None:
            raise Http404
        now = clock.local(clock.now())
        try:
            month = Month.read(request.GET.get("month") or f"{now:%Y-%m}")
            rows = statements_of(organisation_id=operator.pk, month=month)
        except MonthUnreadable as problem:
            self.message_user(request, problem.detail, messages.ERROR)
            month = Month(now.year, now.month)
            rows = statements_of(organisation_id=operator.pk, month=month)
        context = {
            "title": _("Monthly statement"),
            "operators": operators,
            "operator": operator,
            "month": str(month),
            "statements": [(row, _amounts(row)) for row in rows],
        }
        return self._page(request, "statements", context)

    def _operators(self, request: HttpRequest) -> QuerySet[Organisation]:
        person, rows = person_of(request), Organisation.objects.order_by("pk")
        if person.is_superuser:
            return rows.filter(charging_sites__isnull=False).distinct()
        return rows.filter(pk__in=person.organisations_as(Role.CHARGE_POINT_OPERATOR))

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/charging/{name}.html", whole)


def _amounts(statement: Any) -> dict[str, str]:
    total = statement.total
    names = ("net_cents", "vat_cents", "gross_cents", "idle_cents", "credited_cents")
    told = {name: format_money(getattr(total, name), statement.currency) for name in names}
    return told | {"energy": f"{number_format(total.energy_wh / 1000, 3)} kWh"}
