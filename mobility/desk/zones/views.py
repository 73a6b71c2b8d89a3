"""The pages of zones: all versions, and one of them on the map."""

from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from fleet.vehicles.states import Kind
from fleet.zones import queries
from fleet.zones.models import ZoneSet
from fleet.zones.states import SetState, ZoneKind
from mobility.accounts.models import Organisation
from mobility.core import clock
from mobility.desk.access import for_roles
from mobility.desk.shell import labels, person, shell
from mobility.desk.zones.roles import EDITORS, VIEWERS
from mobility.geography.models import City, Hub

SHOWN = 60


@for_roles(*VIEWERS)
def zone_sets(request: HttpRequest) -> HttpResponse:
    """`/admin/zones/`: every version of one's own zones and the city's, the newest first."""
    user, at = person(request), clock.now()
    sets = ZoneSet.objects.visible_to(user).select_related("organisation", "city")
    mine = set(ZoneSet.objects.run_by(user, *EDITORS).values_list("pk", flat=True))
    rows = [
        {
            "set": one,
            "mine": one.pk in mine,
            "draft": one.state == SetState.DRAFT,
            "now": one.during is not None and at in one.during,
            "later": one.during is not None and bool(one.during.lower and one.during.lower > at),
        }
        for one in sets.annotate(total=Count("zones")).order_by("-pk")[:SHOWN]
    ]
    own = Organisation.objects.run_by(user, *EDITORS)
    return shell(
        request,
        "desk/zones/sets.html",
        context={
            "rows": rows,
            "organisations": own.order_by("slug"),
            "cities": City.objects.order_by("slug"),
        },
    )


@for_roles(*VIEWERS)
def zone_editor(request: HttpRequest, public_id: str) -> HttpResponse:
    """`/admin/zones/<id>/`: draw, check, publish at a date; what was published can only be looked at."""
    user = person(request)
    sets = ZoneSet.objects.visible_to(user).select_related("organisation", "city")
    zone_set = get_object_or_404(sets, public_id=public_id)
    own = ZoneSet.objects.run_by(user, *EDITORS).filter(pk=zone_set.pk).exists()
    facts: dict[str, Any] = {
        "id": str(zone_set.public_id),
        "edits": own and zone_set.state == SetState.DRAFT,
        "zones": queries.set_features(zone_set=zone_set),
        "hubs": [
            {"code": hub.code, "name": str(hub)}
            for hub in Hub.objects.filter(city=zone_set.city_id)
        ],
        "words": {"zone": labels(ZoneKind.choices), "vehicle": labels(Kind.choices)},
    }
    context = {"zone_set": zone_set, "edits": facts["edits"], "own": own, "kinds": ZoneKind.choices}
    return shell(request, "desk/zones/editor.html", context=context, **facts)
