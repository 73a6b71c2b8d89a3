"""Zones at the desk: Marco draws and publishes the fleet's, Elena the city's."""

import json
from typing import Any

import pytest
from django.test import Client

from fleet.zones.models import Zone, ZoneRule, ZoneSet
from mobility.accounts.models import Organisation, User
from mobility.core.models import AuditEntry
from mobility.geography.models import City
from tests.fleet.zones.conftest import OPERATING, MakeZone

SQUARE = [[[9.19, 45.45], [9.2, 45.45], [9.2, 45.46], [9.19, 45.46], [9.19, 45.45]]]
NO_RULES = {"rules-TOTAL_FORMS": 0, "rules-INITIAL_FORMS": 0}
SETS = "/admin/fleet/zoneset/"


def desk(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def collection(*kinds: str) -> str:
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": SQUARE},
            "properties": {"code": kind, "name": {"it": kind}, "kind": kind},
        }
        for kind in kinds
    ]
    return json.dumps({"type": "FeatureCollection", "features": features})


def draw(
    client: Client, city: City, organisation: Organisation, drawing: str = "", title: str = "Estate"
) -> Any:
    fields = {"organisation": organisation.pk, "city": city.pk, "title": title, "drawing": drawing}
    return client.post(f"{SETS}add/", fields)


def draft_of(answer: Any) -> ZoneSet:
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    return ZoneSet.objects.filter(state="draft").get()


def test_marco_draws_looks_and_publishes(milan: City, ruote: Organisation, marco: User) -> None:
    client = desk(marco)
    draft = draft_of(draw(client, milan, ruote, collection("no_park", "operating")))
    assert [zone.kind for zone in draft.zones.all()] == ["no_park", "operating"]
    page = client.get(f"{SETS}{draft.pk}/change/")
    assert page.context["findings"] == []
    text = page.content.decode()
    assert 'id="map"' in text
    assert "js/desk/zones" in text
    assert "//cdn" not in text
    client.post(f"{SETS}{draft.pk}/publish/", {})
    draft.refresh_from_db()
    assert (draft.state, draft.version) == ("published", 1)
    view = client.get(f"{SETS}{draft.pk}/change/")
    assert view.context["has_change_permission"] is False
    assert client.post(f"{SETS}{draft.pk}/change/", {"title": "x"}).status_code == 403
    assert AuditEntry.objects.filter(by=marco.principal, action="state:published").count() == 1


def test_warnings_keep_a_set_back_until_they_are_meant(
    milan: City, ruote: Organisation, marco: User
) -> None:
    client = desk(marco)
    draft = draft_of(draw(client, milan, ruote, collection("no_park")))
    page = client.get(f"{SETS}{draft.pk}/change/")
    assert [finding["code"] for finding in page.context["findings"]] == ["nothing_operating"]
    refused = client.post(f"{SETS}{draft.pk}/publish/", {}, follow=True)
    assert [message.level_tag for message in refused.context["messages"]] == ["error"]
    client.post(f"{SETS}{draft.pk}/publish/", {"acknowledged": "on"})
    draft.refresh_from_db()
    assert draft.state == "published"


@pytest.mark.parametrize(
    "moment",
    [
        {"starts_at_0": "2099-05-01", "starts_at_1": ""},
        {"starts_at_0": "", "starts_at_1": "08:00"},
        {"starts_at_0": "1 May", "starts_at_1": "08:00"},
        # On this night the clocks jump from two to three.
        {"starts_at_0": "2099-03-29", "starts_at_1": "02:30"},
    ],
)
def test_a_moment_that_cannot_be_read_does_not_mean_at_once(
    milan: City, ruote: Organisation, marco: User, moment: dict[str, str]
) -> None:
    client = desk(marco)
    draft = draft_of(draw(client, milan, ruote, collection("operating")))
    client.get(f"{SETS}{draft.pk}/change/")
    refused = client.post(f"{SETS}{draft.pk}/publish/", moment, follow=True)
    assert [message.level_tag for message in refused.context["messages"]] == ["error"]
    draft.refresh_from_db()
    assert (draft.state, draft.during) == ("draft", None)


def test_marco_publishes_for_later(milan: City, ruote: Organisation, marco: User) -> None:
    client = desk(marco)
    draft = draft_of(draw(client, milan, ruote, collection("operating")))
    moment = {"starts_at_0": "2099-05-01", "starts_at_1": "08:00"}
    client.post(f"{SETS}{draft.pk}/publish/", moment)
    draft.refresh_from_db()
    assert draft.during.lower.isoformat() == "2099-05-01T06:00:00+00:00"


def test_marco_changes_a_copy_and_goes_back(milan: City, ruote: Organisation, marco: User) -> None:
    client = desk(marco)
    first = draft_of(draw(client, milan, ruote, collection("operating")))
    client.post(f"{SETS}{first.pk}/publish/", {})
    client.post(f"{SETS}{first.pk}/copy/")
    copy = ZoneSet.objects.get(state="draft")
    changed = {"title": "Inverno", "drawing": collection("no_park", "operating")}
    assert client.post(f"{SETS}{copy.pk}/change/", changed).status_code == 302
    copy.refresh_from_db()
    assert (copy.title, copy.zones.count()) == ("Inverno", 2)
    client.post(f"{SETS}{copy.pk}/publish/", {})
    client.post(f"{SETS}{first.pk}/rollback/")
    present = ZoneSet.objects.get(state="published")
    assert (present.version, present.zones.get().kind) == (3, "operating")


def test_a_new_draft_begins_with_what_is_in_force(
    make_zone: MakeZone, milan: City, ruote: Organisation, marco: User
) -> None:
    make_zone("operating", OPERATING)
    draft = draft_of(draw(desk(marco), milan, ruote))
    assert [zone.kind for zone in draft.zones.all()] == ["operating"]


@pytest.mark.parametrize(
    "drawing",
    ["nonsense", "[]", json.dumps({"type": "FeatureCollection"}), collection("moon")],
)
def test_what_is_no_drawing_is_refused(
    milan: City, ruote: Organisation, marco: User, drawing: str
) -> None:
    answer = draw(desk(marco), milan, ruote, drawing)
    assert "drawing" in answer.context["adminform"].form.errors
    assert not ZoneSet.objects.exists()


def test_marco_draws_for_nobody_else(milan: City, comune: Organisation, marco: User) -> None:
    answer = draw(desk(marco), milan, comune)
    assert "organisation" in answer.context["adminform"].form.errors


def test_another_fleet_does_nothing_with_ours(
    make_zone: MakeZone, rivale: User, elena: User
) -> None:
    ours = make_zone("operating", OPERATING).zone_set
    for deed in ("publish", "rollback", "copy"):
        assert desk(rivale).post(f"{SETS}{ours.pk}/{deed}/").status_code == 404
        assert desk(elena).post(f"{SETS}{ours.pk}/{deed}/").status_code == 403
        assert desk(elena).get(f"{SETS}{ours.pk}/{deed}/").status_code == 405
    assert ZoneSet.objects.count() == 1


def test_elena_sees_the_fleets_zones_and_changes_the_citys(
    make_zone: MakeZone, comune: Organisation, milan: City, elena: User
) -> None:
    fleets = make_zone("operating", OPERATING)
    client = desk(elena)
    citys = draft_of(draw(client, milan, comune, collection("bay"))).zones.get()
    pages = {
        zone.pk: client.get(f"/admin/fleet/zone/{zone.pk}/change/") for zone in (fleets, citys)
    }
    assert pages[citys.pk].context["has_change_permission"] is True
    assert pages[fleets.pk].context["has_change_permission"] is False


# --- zone by zone ---------------------------------------------------------------------------------


@pytest.fixture
def draft(milan: City, ruote: Organisation, marco: User) -> ZoneSet:
    return draft_of(draw(desk(marco), milan, ruote, collection("operating")))


def form(zone_set: ZoneSet, **fields: object) -> dict[str, object]:
    return {
        "zone_set": zone_set.pk,
        "position": 1,
        "code": "BAY-1",
        "name_it": "Stallo",
        "name_en": "Bay",
        "kind": "bay",
        "boundary": json.dumps({"type": "MultiPolygon", "coordinates": [SQUARE]}),
        **NO_RULES,
        **fields,
    }


def test_marco_adds_a_slow_zone_with_its_rule(draft: ZoneSet, marco: User) -> None:
    rule = {
        "rules-TOTAL_FORMS": 1,
        "rules-INITIAL_FORMS": 0,
        "rules-0-position": 1,
        "rules-0-maximum_speed_kmh": 6,
        "rules-0-vehicle_kinds": ["scooter", "bicycle"],
    }
    answer = desk(marco).post("/admin/fleet/zone/add/", form(draft, kind="slow", **rule))
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    written = ZoneRule.objects.get()
    assert (written.zone_set, written.zone.kind) == (draft, "slow")
    assert (written.maximum_speed_kmh, written.vehicle_kinds) == (6, ["scooter", "bicycle"])
    assert AuditEntry.objects.filter(action="add_zone", by=marco.principal).count() == 1


@pytest.mark.parametrize(
    "boundary", ["nonsense", json.dumps({"type": "Point", "coordinates": [9, 45]})]
)
def test_what_is_no_area_is_refused(draft: ZoneSet, marco: User, boundary: str) -> None:
    answer = desk(marco).post("/admin/fleet/zone/add/", form(draft, boundary=boundary))
    assert "boundary" in answer.context["adminform"].form.errors
    assert Zone.objects.count() == 1


def test_a_broken_line_is_told_to_who_draws_it(draft: ZoneSet, marco: User) -> None:
    bow_tie = [[[9.18, 45.44], [9.22, 45.46], [9.22, 45.44], [9.18, 45.46], [9.18, 45.44]]]
    boundary = json.dumps({"type": "MultiPolygon", "coordinates": [bow_tie]})
    answer = desk(marco).post("/admin/fleet/zone/add/", form(draft, boundary=boundary))
    assert "Self-intersection" in str(answer.context["adminform"].form.errors["boundary"])


def test_no_zone_is_put_into_what_is_published(
    make_zone: MakeZone, draft: ZoneSet, marco: User
) -> None:
    draft.delete()
    published = make_zone("operating", OPERATING).zone_set
    answer = desk(marco).post("/admin/fleet/zone/add/", form(published))
    assert "zone_set" in answer.context["adminform"].form.errors
