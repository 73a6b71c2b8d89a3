"""The gate: who may ride what with whom, what is in the way, and how it lifts."""

import datetime
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from bookings.riders import queries, services
from bookings.riders.models import (
    AccessPolicy,
    Acknowledgement,
    DrivingLicence,
    RiderBlock,
    RiderProfile,
    RuleText,
)
from bookings.riders.states import RiderBlockReason, TextKind
from mobility.accounts.models import Organisation, User
from mobility.core import clock
from mobility.core.models import AuditEntry, OutboxEvent
from mobility.core.principals import SYSTEM
from tests.bookings.races import at_once

pytestmark = pytest.mark.django_db
HOUR = datetime.timedelta(hours=1)


def codes(user: User, operator: Organisation, kind: str = "car", **when: object) -> list[str]:
    found = queries.obstacles(
        user_id=user.pk, organisation_id=operator.pk, kind=kind, **{"at": clock.now()} | when
    )
    return [one.code for one in found]


def block(user: User, reason: str = "misuse", **told: object) -> RiderBlock:
    usual = {"user_id": user.pk, "reason": reason, "at": clock.now(), "by": SYSTEM}
    return services.place_block(**usual | told)


def test_whoever_is_fit_costs_one_query(
    giulia: User, ruote: Organisation, licensed: Callable[..., DrivingLicence],
    policy: Callable[..., AccessPolicy],
) -> None:  # fmt: skip
    licensed(giulia)
    policy(
        licence_category="B", held_at_least_months=12, minimum_age=18, acknowledgements=["rules"]
    )
    RiderProfile.objects.create(
        user=giulia, birth_date=datetime.date(1990, 5, 17), updated_at=clock.now()
    )
    block(giulia, until=clock.now() + HOUR, at=clock.now() - HOUR)
    RiderBlock.objects.update(until=clock.now())
    with CaptureQueriesContext(
        connection,
    ) as asked:
        warnings = services.refuse_unfit(
            user_id=giulia.pk, organisation_id=ruote.pk, kind="car", at=clock.now()
        )
    assert warnings == ()
    assert len(asked) == 1


def test_bikes_are_for_everybody_and_cars_for_drivers_until_somebody_says_otherwise(
    giulia: User, ruote: Organisation
) -> None:
    assert codes(giulia, ruote, "bicycle") == codes(giulia, ruote, "scooter") == []
    assert codes(giulia, ruote, "car") == ["licence_required"]


def test_the_refusal_says_everything_with_what_to_do(
    giulia: User, ruote: Organisation, policy: Callable[..., AccessPolicy]
) -> None:
    policy("scooter", identity_required=True, minimum_age=16)
    block(giulia)
    with pytest.raises(services.AccessRefused) as refused:
        services.refuse_unfit(
            user_id=giulia.pk, organisation_id=ruote.pk, kind="scooter", at=clock.now()
        )
    reasons = refused.value.extra["reasons"]
    assert [one["code"] for one in reasons] == [
        "blocked",
        "birth_date_missing",
        "identity_required",
    ]
    assert all(one["message"] and one["hint"] for one in reasons)
    assert refused.value.status == 403


def test_a_booking_beyond_the_licence_warns_now_and_is_stopped_at_the_start(
    giulia: User, ruote: Organisation, licensed: Callable[..., DrivingLicence]
) -> None:
    now = clock.now()
    licensed(giulia, valid_until=clock.service_day(now) + datetime.timedelta(days=2))
    start = now + datetime.timedelta(days=5)
    told = {"user_id": giulia.pk, "organisation_id": ruote.pk, "kind": "car"}
    [warning] = services.refuse_unfit(**told, at=now, ends_at=start + HOUR)
    assert (warning.code, warning.blocking) == ("licence_expires", False)
    assert queries.documents_lapse(**told, at=start)  # so cancelling is free
    with pytest.raises(services.AccessRefused):
        services.refuse_unfit(**told, at=start, ends_at=start + HOUR)
    services.follow_calendar(at=start)  # the sweep ends the document; the reason stays the same
    assert codes(giulia, ruote, at=start) == ["licence_expired"]
    assert queries.documents_lapse(**told, at=start)


def test_an_operators_block_holds_with_that_operator_alone(
    giulia: User, ruote: Organisation, rivale: User
) -> None:
    other = Organisation.objects.get(slug="rivale")
    placed = block(giulia, organisation_id=ruote.pk)
    assert codes(giulia, ruote, "bicycle") == ["blocked"]
    assert codes(giulia, other, "bicycle") == []
    assert services.lift_block(block=placed, at=clock.now(), by=SYSTEM)
    assert not services.lift_block(block=placed, at=clock.now(), by=SYSTEM)
    assert codes(giulia, ruote, "bicycle") == []


def test_a_block_ends_by_itself_and_the_sweep_only_writes_it_down(
    giulia: User, ruote: Organisation
) -> None:
    now = clock.now()
    block(giulia, RiderBlockReason.HOARDING, until=now + HOUR)
    assert codes(giulia, ruote, "bicycle", at=now) == ["blocked_until"]
    assert services.close_outlived_blocks(at=now) == 0
    assert codes(giulia, ruote, "bicycle", at=now + HOUR) == []
    assert services.close_outlived_blocks(at=now + HOUR) == 1
    assert services.close_outlived_blocks(at=now + HOUR) == 0
    names = OutboxEvent.objects.order_by("id").values_list("name", flat=True)
    assert list(names) == ["bookings.rider_blocked.v1", "bookings.rider_unblocked.v1"]


def test_one_reason_blocks_once_and_lifts_by_its_reference(
    giulia: User, ruote: Organisation
) -> None:
    first = block(giulia, RiderBlockReason.PHOTO_SANCTION, ref="photo:1")
    assert block(giulia, RiderBlockReason.PHOTO_SANCTION, ref="photo:1") == first
    block(giulia, RiderBlockReason.PHOTO_SANCTION, ref="photo:2")
    lift = {"user_id": giulia.pk, "reason": "photo_sanction", "at": clock.now(), "by": SYSTEM}
    assert services.lift_blocks(**lift, ref="photo:1") == 1
    assert codes(giulia, ruote, "bicycle") == ["blocked"]
    with pytest.raises(services.BlockDerived):
        block(giulia, RiderBlockReason.DEBT)


@pytest.mark.django_db(transaction=True)
def test_eight_sweeps_at_once_place_one_block(giulia: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX one_active_block_a_reason")
    try:  # the naive way: look, then place

        def look_and_place() -> None:
            if not RiderBlock.objects.active().filter(user=giulia).exists():
                block(giulia)

        at_once([look_and_place] * 8)
        assert RiderBlock.objects.count() > 1
    finally:
        RiderBlock.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE UNIQUE INDEX one_active_block_a_reason ON bookings_riderblock"
                " (user_id, organisation_id, reason, ref) NULLS NOT DISTINCT"
                " WHERE lifted_at IS NULL"
            )
    placed = at_once([lambda: block(giulia)] * 8)
    assert len(set(placed)) == RiderBlock.objects.count() == 1
    assert AuditEntry.objects.filter(action="place_block").count() > 0


def test_marco_blocks_and_unblocks_at_his_desk_and_both_leave_a_trace(
    giulia: User, piero: User, marco: User, ruote: Organisation
) -> None:
    desk = Client(headers={"accept-language": "en"})
    desk.force_login(marco)
    form = {
        "email": "Giulia@demo.example", "reason": "misuse", "organisation": ruote.pk,
        "note": "two on one scooter", "until_0": "", "until_1": "",
    }  # fmt: skip
    assert desk.post(reverse("admin:bookings_riderblock_add"), form).status_code == 302
    placed = RiderBlock.objects.get()
    assert (placed.user, placed.organisation, placed.placed_by) == (giulia, ruote, marco.principal)
    everywhere = desk.post(reverse("admin:bookings_riderblock_add"), form | {"organisation": ""})
    assert everywhere.status_code == 200  # that is the platform's to say
    nobody = desk.post(reverse("admin:bookings_riderblock_add"), form | {"email": "x@y.example"})
    assert "no account" in nobody.content.decode()
    lift = {"action": "lift", "_selected_action": [placed.pk]}
    desk.post(reverse("admin:bookings_riderblock_changelist"), lift)
    assert codes(giulia, ruote, "bicycle") == []
    deeds = AuditEntry.objects.filter(action__in=["place_block", "lift_block"]).order_by("id")
    assert [(deed.action, deed.by) for deed in deeds] == [
        ("place_block", marco.principal),
        ("lift_block", marco.principal),
    ]
    assert deeds[0].changes["note"] == "two on one scooter"


def test_a_rival_neither_sees_nor_lifts_the_block(
    giulia: User, marco: User, rivale: User, ruote: Organisation
) -> None:
    placed = block(giulia, organisation_id=ruote.pk)
    everywhere = block(giulia, "staff")
    desk = Client()
    desk.force_login(rivale)
    lift = {"action": "lift", "_selected_action": [placed.pk, everywhere.pk]}
    desk.post(reverse("admin:bookings_riderblock_changelist"), lift)
    assert RiderBlock.objects.active().count() == 2


def test_rules_are_confirmed_version_by_version(
    api: Callable[..., APIClient], giulia: User, ruote: Organisation,
    policy: Callable[..., AccessPolicy],
) -> None:  # fmt: skip
    policy("scooter", acknowledgements=["helmet"])
    assert codes(giulia, ruote, "scooter") == []  # nothing to read yet

    def publish(words: str, organisation: Organisation | None = None) -> RuleText:
        return services.ensure_text(
            kind=TextKind.HELMET, title={"it": "Casco", "en": "Helmet"}, body={"en": words},
            organisation_id=organisation and organisation.pk, at=clock.now(), by=SYSTEM,
        )  # fmt: skip

    first = publish("Wear one.")
    assert publish("Wear one.") == first
    assert codes(giulia, ruote, "scooter") == ["acknowledgement_missing"]
    phone = api(giulia)
    [shown] = phone.get("/api/v1/me/acknowledgements").json()["results"]
    assert (shown["body"], shown["version"], shown["acknowledged_at"]) == ("Wear one.", 1, None)
    for _twice in range(2):
        said = phone.post("/api/v1/me/acknowledgements", {"texts": [shown["id"]]})
        assert said.json()["results"][0]["acknowledged_at"]
    assert codes(giulia, ruote, "scooter") == []

    publish("Wear one, and fasten it.")
    assert codes(giulia, ruote, "scooter") == ["acknowledgement_missing"]
    own = publish("Ours is blue.", ruote)  # an operator's own text stands before the platform's
    results = phone.get("/api/v1/me/acknowledgements").json()["results"]
    assert {(one["organisation"], one["version"]) for one in results} == {("", 2), ("ruote", 1)}
    phone.post("/api/v1/me/acknowledgements", {"texts": [str(own.public_id)]})
    assert codes(giulia, ruote, "scooter") == []
    assert Acknowledgement.objects.filter(user=giulia).count() == 2


def test_rules_that_were_read_cannot_be_rewritten(
    giulia: User, marco: User, ruote: Organisation
) -> None:
    draft = RuleText.objects.create(
        organisation=ruote, kind="rules", version=1, title={"it": "R"}, body={"it": "B"}
    )
    with pytest.raises(services.TextUnknown):
        services.acknowledge(user_id=giulia.pk, texts=[draft.public_id], at=clock.now())
    desk = Client()
    desk.force_login(marco)
    publish = {"action": "publish", "_selected_action": [draft.pk]}
    desk.post(reverse("admin:bookings_ruletext_changelist"), publish)
    draft.refresh_from_db()
    assert draft.published_at is not None
    with pytest.raises(services.TextPublished):
        services.publish_text(text=draft, at=clock.now(), by=SYSTEM)
    with pytest.raises(Exception, match="never changes"), connection.cursor() as cursor:
        cursor.execute("UPDATE bookings_ruletext SET body = '{}'")


def test_policies_leave_a_trail_and_belong_to_their_operator(
    marco: User, rivale: User, ruote: Organisation
) -> None:
    form = {
        "organisation": ruote.pk, "vehicle_kind": "car", "licence_category": "B",
        "held_at_least_months": 12, "minimum_age": 18, "novice_months": 0,
        "novice_excluded_types": "", "acknowledgements": "rules",
    }  # fmt: skip
    for person, made in ((rivale, 0), (marco, 1)):
        desk = Client()
        desk.force_login(person)
        desk.post(reverse("admin:bookings_accesspolicy_add"), form)
        assert AccessPolicy.objects.count() == made
    trail = AuditEntry.objects.get(row__startswith="bookings.accesspolicy")
    assert trail.by == marco.principal


def test_a_profile_is_told_step_by_step(
    api: Callable[..., APIClient], giulia: User, licensed: Callable[..., DrivingLicence]
) -> None:
    phone = api(giulia)
    empty = {"birth_date": None, "phone": "", "reduced_mobility": False}
    assert phone.get("/api/v1/me/profile").json() == empty
    told = phone.patch("/api/v1/me/profile", {"birth_date": "1990-05-17", "phone": "+390212345"})
    assert told.json() == empty | {"birth_date": "1990-05-17", "phone": "+390212345"}
    trail = AuditEntry.objects.get(action="update_profile")
    assert trail.changes == {"fields": ["birth_date", "phone"]}
    for wrong in ("2025-01-01", "1800-01-01"):
        refused = phone.patch("/api/v1/me/profile", {"birth_date": wrong})
        assert refused.json()["code"] == "birth_date_implausible"
    assert phone.patch("/api/v1/me/profile", {"phone": "call me"}).status_code == 400


def test_reduced_mobility_is_kept_with_consent_and_goes_with_it(
    api: Callable[..., APIClient], giulia: User
) -> None:
    phone = api(giulia)
    refused = phone.patch("/api/v1/me/profile", {"reduced_mobility": True}).json()
    assert refused["code"] == "consent_needed"
    agreed = {"topic": refused["topic"], "version": refused["version"], "given": True}
    stale = phone.post("/api/v1/me/consents", agreed | {"version": "2019"})
    assert stale.json()["code"] == "consent_outdated"
    assert phone.post("/api/v1/me/consents", agreed).status_code == 200
    assert phone.patch("/api/v1/me/profile", {"reduced_mobility": True}).status_code == 200
    assert queries.has_reduced_mobility(user_id=giulia.pk)
    phone.post("/api/v1/me/consents", agreed | {"given": False})
    assert not queries.has_reduced_mobility(user_id=giulia.pk)


def test_a_verified_date_of_birth_stays(
    api: Callable[..., APIClient], giulia: User, marco: User, send_identity: Callable[..., object],
    ruote: Organisation,
) -> None:  # fmt: skip
    phone = api(giulia)
    phone.patch("/api/v1/me/profile", {"birth_date": "1990-05-17"})
    send_identity(giulia)
    identity = queries.newest_document(user_id=giulia.pk, kind="identity")
    services.verify_document(document=identity, at=clock.now(), by=marco.principal)
    refused = phone.patch("/api/v1/me/profile", {"birth_date": "1980-05-17"})
    assert refused.json()["code"] == "birth_date_verified"


def test_who_asks_before_riding_hears_of_debts_too(
    api: Callable[..., APIClient], giulia: User, ruote: Organisation
) -> None:
    from bookings.payments.models import Payment

    Payment.objects.create(
        organisation=ruote, payer=giulia, purpose="trip", purpose_ref=giulia.public_id,
        state="due", authorised_cents=500, amount_cents=500, provider="local", provider_ref="x",
        created_at=clock.now(),
    )  # fmt: skip
    [answer] = api(giulia).get("/api/v1/me/eligibility?kind=bicycle").json()["results"]
    assert not answer["eligible"]
    assert [one["code"] for one in answer["obstacles"]] == ["debt"]
    for when in ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "soon"):
        wrong = api(giulia).get("/api/v1/me/eligibility", {"kind": "car", "ends_at": when})
        assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_fields"), when
    nowhere = api(giulia).get("/api/v1/me/eligibility?kind=bicycle&organisation=comune")
    assert nowhere.status_code == 404
