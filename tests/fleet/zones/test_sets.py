"""Drafting, checking, publishing and taking back zones, through the API."""

import datetime
import threading
from typing import Any

import pytest
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db import DatabaseError, IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet.zones import index, services
from fleet.zones.models import Zone, ZoneRule, ZoneSet
from fleet.zones.services import ZoneDraft
from fleet.zones.states import SetState
from mobility.accounts.models import Organisation, User
from mobility.core import clock, geo
from mobility.core.models import AuditEntry
from mobility.core.principals import SYSTEM
from mobility.geography.models import City, Hub
from tests.fleet.zones.conftest import AT, OPERATING, START, MakeZone
from tests.fleet.zones.sets import AREA, PARK, SETS, Desk, collection, feature

HOUR = datetime.timedelta(hours=1)


def on_the_map(api: Any) -> set[str]:
    features = api(None).get("/api/v1/zones").json()["features"]
    return {feature["properties"]["code"] for feature in features}


# --- from draft to map ----------------------------------------------------------------------------


def test_marco_draws_checks_and_publishes(desk: Desk, api: Any, marco: User) -> None:
    draft = desk.draft(AREA)
    assert on_the_map(api) == set()
    published = desk.publish(draft)
    assert (published.status_code, published.json()["version"]) == (200, 1)
    assert published.json()["state"] == "published"
    assert on_the_map(api) == {"operating"}
    trail = AuditEntry.objects.filter(row__startswith="fleet.zoneset", by=marco.principal)
    assert set(trail.values_list("action", flat=True)) == {
        "create_draft", "replace_zones", "state:published",
    }  # fmt: skip


def test_a_draft_begins_with_what_is_in_force(desk: Desk) -> None:
    rules = [{"vehicle_kinds": ["scooter"], "maximum_speed_kmh": 6, "weekdays": [6, 7]}]
    drawn = [feature("slow", PARK, rules=rules), AREA]
    everywhere = [{"maximum_speed_kmh": 20}]
    first = desk.draft()
    desk.put(first, collection(*drawn, global_rules=everywhere))
    desk.publish(first, acknowledge_warnings=True)
    copy = desk.client.get(f"{SETS}/{desk.draft()}/zones").json()
    for zone in copy["features"]:
        zone.pop("id")
        zone["properties"] = {
            name: value for name, value in zone["properties"].items() if value not in (None, [])
        }
    expected = [
        {
            **one,
            "geometry": {"type": "MultiPolygon", "coordinates": [one["geometry"]["coordinates"]]},
        }
        for one in drawn
    ]
    assert copy["features"] == expected
    assert copy["global_rules"] == everywhere
    assert desk.client.get(f"{SETS}/{desk.draft(empty=True)}/zones").json()["features"] == []


def test_what_somebody_else_drew_in_between_is_not_wiped_out(desk: Desk) -> None:
    draft = desk.draft(AREA)
    opened = desk.client.get(f"{SETS}/{draft}/zones").json()
    mine = {**opened, "features": [feature("slow", PARK), AREA]}
    theirs = desk.put(draft, {**opened, "features": [feature("no_park", PARK), AREA]})
    assert theirs.status_code == 200
    refused = desk.put(draft, mine)
    assert (refused.status_code, refused.json()["code"]) == (409, "draft_changed")
    kept = desk.client.get(f"{SETS}/{draft}/zones").json()
    assert [zone["properties"]["code"] for zone in kept["features"]] == ["no_park", "operating"]
    # Who saves goes on from there, and who says nothing of what they saw means it.
    again = {**mine, "revision": theirs.json()["revision"]}
    assert desk.put(draft, again).status_code == 200
    assert desk.put(draft, collection(AREA)).status_code == 200


def test_a_version_planned_for_tomorrow_waits_until_then(desk: Desk, api: Any, marco: User) -> None:
    desk.publish(desk.draft(AREA))
    tomorrow = clock.now() + 24 * HOUR
    planned = desk.draft(AREA, feature("no_park", PARK))
    answer = desk.publish(planned, starts_at=tomorrow.isoformat(), acknowledge_warnings=True)
    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    assert on_the_map(api) == {"operating"}
    old, new = ZoneSet.objects.order_by("version")
    assert (old.state, old.during.upper) == (SetState.PUBLISHED, tomorrow)
    told = AuditEntry.objects.get(row=f"fleet.zoneset:{old.pk}", action="end", by=marco.principal)
    assert datetime.datetime.fromisoformat(told.changes["ends"]) == tomorrow
    assert {zone.code for zone in index.current(at=tomorrow).zones} == {"operating", "no_park"}
    assert services.supersede_ended(at=tomorrow - HOUR) == []
    assert services.supersede_ended(at=tomorrow) == [old]
    old.refresh_from_db()
    assert (old.state, new.state) == (SetState.SUPERSEDED, SetState.PUBLISHED)


def test_what_is_published_after_a_plan_takes_its_place(desk: Desk) -> None:
    planned = desk.draft(AREA)
    desk.publish(planned, starts_at=(clock.now() + 24 * HOUR).isoformat())
    desk.publish(desk.draft(AREA))
    never = ZoneSet.objects.get(public_id=planned)
    assert (never.state, never.during.isempty) == (SetState.SUPERSEDED, True)
    assert ZoneSet.objects.in_force(clock.now() + 48 * HOUR).count() == 1


def test_marco_goes_back_to_the_version_before(desk: Desk, api: Any) -> None:
    first = desk.draft(AREA, feature("no_park", PARK))
    desk.publish(first, acknowledge_warnings=True)
    second = desk.draft()
    desk.put(second, collection(AREA))
    desk.publish(second)
    assert on_the_map(api) == {"operating"}
    answer = desk.client.post(f"{SETS}/{first}/rollback", {}, format="json")
    assert (answer.status_code, answer.json()["version"]) == (200, 3)
    assert answer.json()["based_on"] == first
    assert on_the_map(api) == {"operating", "no_park"}
    states = dict(ZoneSet.objects.values_list("version", "state"))
    assert states == {1: "superseded", 2: "superseded", 3: "published"}
    draft = desk.draft()
    refused = desk.client.post(f"{SETS}/{draft}/rollback", {}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "never_published")


def test_zones_come_into_force_never_in_the_past(desk: Desk) -> None:
    refused = desk.publish(desk.draft(AREA), starts_at=(clock.now() - HOUR).isoformat())
    assert (refused.status_code, refused.json()["code"]) == (422, "starts_in_the_past")


def test_a_published_set_stays_as_it_is(desk: Desk) -> None:
    draft = desk.draft(AREA)
    desk.publish(draft)
    refused = [
        desk.put(draft, collection()),
        desk.publish(draft),
        desk.client.delete(f"{SETS}/{draft}"),
    ]
    assert [(one.status_code, one.json()["code"]) for one in refused] == [(409, "not_a_draft")] * 3


def test_a_draft_is_thrown_away(desk: Desk) -> None:
    draft = desk.draft(AREA, feature("slow", PARK, rules=[{"maximum_speed_kmh": 6}]))
    assert desk.client.delete(f"{SETS}/{draft}").status_code == 204
    assert not ZoneSet.objects.exists()
    assert not Zone.objects.exists()
    assert not ZoneRule.objects.exists()


# --- who ------------------------------------------------------------------------------------------


def test_elena_publishes_the_citys_zones_and_they_bind_everybody(
    api: Any, elena: User, comune: Organisation, milan: City, ruote: Organisation
) -> None:
    citys = Desk(api(elena))
    citys.publish(citys.draft(feature("no_park", PARK)), acknowledge_warnings=True)
    (zone,) = index.current(at=clock.now()).zones
    assert zone.binds(organisation_id=ruote.pk, city_id=milan.pk)


def test_elena_sees_marcos_published_zones_and_no_draft_of_his(
    desk: Desk, api: Any, elena: User
) -> None:
    draft = desk.draft(AREA)
    assert api(elena).get(f"{SETS}/{draft}").status_code == 404
    desk.publish(draft)
    assert api(elena).get(f"{SETS}/{draft}").status_code == 200
    refused = api(elena).post(f"{SETS}/{draft}/rollback", {}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_your_zones")


def test_another_fleet_sees_nothing_and_sara_only_reads(
    desk: Desk, api: Any, rivale: User, sara: User
) -> None:
    draft = desk.draft(AREA)
    assert api(rivale).get(f"{SETS}/{draft}").status_code == 404
    assert api(sara).get(f"{SETS}/{draft}").status_code == 200
    assert api(sara).post(f"{SETS}/{draft}/publish", {}, format="json").status_code == 403
    copied = api(rivale).post(SETS, {"title": "Mine", "based_on": draft}, format="json")
    assert (copied.status_code, copied.json()["code"]) == (404, "zone_set_not_found")


# --- what the database keeps ----------------------------------------------------------------------


def test_the_database_lets_nobody_change_a_published_zone(make_zone: MakeZone) -> None:
    zone = make_zone("slow", PARK, maximum_speed_kmh=6)
    deeds = [
        lambda: Zone.objects.filter(pk=zone.pk).update(kind="no_park"),
        lambda: Zone.objects.filter(pk=zone.pk).delete(),
        lambda: ZoneRule.objects.filter(zone=zone).update(maximum_speed_kmh=20),
        lambda: ZoneRule.objects.create(zone_set=zone.zone_set, maximum_speed_kmh=20),
    ]
    for deed in deeds:
        with pytest.raises(DatabaseError, match="stays as it is"), transaction.atomic():
            deed()


def test_the_database_puts_no_broken_boundary_into_force(
    make_zone: MakeZone, milan: City, ruote: Organisation
) -> None:
    bow_tie = Polygon(((9.18, 45.44), (9.22, 45.46), (9.22, 45.44), (9.18, 45.46), (9.18, 45.44)))
    draft = ZoneSet.objects.create(
        organisation=ruote, city=milan, title="x", created_at=AT, created_by="test"
    )
    Zone.objects.create(
        zone_set=draft, code="x", name={"it": "x"}, kind="no_park",
        boundary=MultiPolygon(bow_tie, srid=geo.WGS84),
    )  # fmt: skip
    with pytest.raises(IntegrityError, match="broken boundary"), transaction.atomic():
        ZoneSet.objects.filter(pk=draft.pk).update(
            state="published", version=1, during=(START, None), published_at=START
        )


def test_a_hub_that_is_taken_down_leaves_its_published_bay(
    make_zone: MakeZone, milan: City
) -> None:
    hub = Hub.objects.create(city=milan, code="H", name={"it": "H"}, location=geo.point(9.2, 45.4))
    zone = make_zone("bay", PARK, capacity=3)
    Zone.objects.filter(pk=zone.pk).update(hub=hub)
    hub.delete()
    zone.refresh_from_db()
    assert zone.hub is None


def test_two_sets_of_one_fleet_are_never_in_force_at_once(
    make_zone: MakeZone, milan: City, ruote: Organisation
) -> None:
    make_zone("operating", OPERATING)
    with pytest.raises(IntegrityError, match="one_zone_set_in_force"), transaction.atomic():
        ZoneSet.objects.create(
            organisation=ruote, city=milan, title="x", state="published", version=9,
            during=(AT, None), created_at=AT, created_by="test", published_at=AT,
        )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_of_many_who_publish_at_once_each_gets_a_version_and_one_holds(
    milan: City, ruote: Organisation
) -> None:
    drafts = [new_draft(milan, ruote) for _ in range(6)]
    start = threading.Barrier(len(drafts))
    failures: list[Exception] = []

    def publish(draft: ZoneSet) -> None:
        try:
            start.wait()
            services.publish(set_id=draft.pk, acknowledged=True, at=AT, by=SYSTEM)
        except Exception as error:  # noqa: BLE001 - told below
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=publish, args=(draft,)) for draft in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(ZoneSet.objects.values_list("version", flat=True)) == [1, 2, 3, 4, 5, 6]
    assert ZoneSet.objects.in_force(AT).count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_adds_a_zone_while_the_set_is_being_published_comes_too_late(
    milan: City, ruote: Organisation
) -> None:
    """The zone was never checked, so it must not slip in behind the check."""
    draft = new_draft(milan, ruote)
    answers: list[str] = []

    def add() -> None:
        area = MultiPolygon(Polygon.from_bbox(PARK), srid=geo.WGS84)
        try:
            Zone.objects.create(
                zone_set=draft, code="late", name={"it": "x"}, kind="no_park", boundary=area
            )
        except DatabaseError as error:
            answers.append(str(error))
        finally:
            connection.close()

    late = threading.Thread(target=add)
    with transaction.atomic():
        services.publish(set_id=draft.pk, acknowledged=True, at=AT, by=SYSTEM)
        late.start()
        late.join(0.5)
        assert late.is_alive()
    late.join()
    assert ["stays as it is" in answer for answer in answers] == [True]
    assert draft.zones.count() == 1


def new_draft(city: City, organisation: Organisation) -> ZoneSet:
    draft = services.create_draft(
        organisation_id=organisation.pk, city_id=city.pk, title="Gara", at=AT, by=SYSTEM
    )
    area = MultiPolygon(Polygon.from_bbox(OPERATING), srid=geo.WGS84)
    zone = ZoneDraft(code="a", name={"it": "a"}, kind="operating", boundary=area)
    return services.replace_zones(set_id=draft.pk, zones=[zone], at=AT, by=SYSTEM)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(plans=st.lists(st.integers(0, 6), min_size=1, max_size=5))
def test_from_its_beginning_on_what_was_published_last_holds_alone(
    milan: City, ruote: Organisation, plans: list[int]
) -> None:
    """Whatever is planned in whatever order: at each hour the newest that has begun by then."""
    holding: dict[int, list[int]] = {hour: [] for hour in range(8)}
    with transaction.atomic():
        for number, hours in enumerate(plans):
            # Half an hour between the decisions; what should have begun before begins at once.
            at = AT + number * HOUR / 2
            starts = max(at, AT + hours * HOUR)
            published = services.publish(
                set_id=new_draft(milan, ruote).pk,
                starts_at=starts,
                acknowledged=True,
                at=at,
                by=SYSTEM,
            )
            holding |= {hour: [published.version] for hour in holding if AT + hour * HOUR >= starts}
        for hour, expected in holding.items():
            held = ZoneSet.objects.in_force(AT + hour * HOUR).values_list("version", flat=True)
            assert list(held) == expected
        transaction.set_rollback(True)
