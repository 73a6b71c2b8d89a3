"""Photos of parked vehicles: what staff say, what a third bad one leads to, and objecting."""

import datetime
from decimal import Decimal

import pytest

from bookings.payments.models import Fee, FeeKind
from bookings.trips import services
from bookings.trips.models import EndPhoto
from mobility.core import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalogue(ruote):
    """Ruote's fee for bad parking."""
    return FeeKind.objects.create(
        organisation=ruote,
        code="bad_parking",
        title={"it": "Parcheggio errato", "en": "Bad parking"},
        cents=500,
        vat_rate=Decimal(0),
    )


@pytest.fixture
def park(ride, rider, drive, finish, picture, collect):
    """`park()`: Giulia rides, parks, and sends a photo; the answer is that photo."""

    def once():
        trip = ride()
        drive(minutes=2)
        rider.post(f"{trip}/photo", {"photo": picture()}, format="multipart")
        finish(trip)
        collect()
        return EndPhoto.objects.select_related("trip", "user", "file").latest("id")

    return once


@pytest.fixture
def judge(marco):
    """`judge(photo, "bad")`: Marco looks at it."""

    def say(photo, verdict, reason="blocks the pavement"):
        return services.review_photo(
            photo=photo, verdict=verdict, reason=reason, at=clock.now(), by=marco.principal
        )

    return say


def test_the_ladder_word_photo_before_every_end_fee(
    park, judge, catalogue, ride, rider, drive, picture, obey, scooter, travel
):
    assert judge(park(), "bad").strike == 1
    assert judge(park(), "bad").strike == 2
    trip = ride()
    drive(minutes=1)
    refused = rider.post(f"{trip}/end").json()
    assert [row["code"] for row in refused["conditions"]] == ["photo_required"]
    rider.post(f"{trip}/photo", {"photo": picture()}, format="multipart")
    assert rider.post(f"{trip}/end").status_code == 200
    obey(scooter)
    third = EndPhoto.objects.select_related("trip", "user", "file").latest("id")
    assert judge(third, "bad").strike == 3
    fee = Fee.objects.get()
    assert (fee.cents, fee.state, fee.evidence) == (500, "proposed", [third.file.public_id])
    assert fee.about == third.trip.public_id


def test_bad_photos_are_forgotten_after_ninety_days(park, judge, travel, catalogue):
    judge(park(), "bad")
    travel.shift(datetime.timedelta(days=91))
    assert judge(park(), "bad").strike == 1


def test_two_photos_of_one_parking_are_one_strike(park, judge, rider, picture, the_trip):
    first = park()
    rider.post(
        f"/api/v1/trips/{first.trip.public_id}/photo", {"photo": picture()}, format="multipart"
    )
    second = EndPhoto.objects.select_related("trip", "user", "file").latest("id")
    assert [judge(first, "bad").strike, judge(second, "bad").strike] == [1, 1]


def test_giulia_objects_and_is_right(park, judge, rider, marco, catalogue, policy):
    policy(strikes=1)
    photo = judge(park(), "bad")
    address = f"/api/v1/trip-photos/{photo.public_id}/appeal"
    told = rider.post(address, {"text": "it was blown over"})
    assert (told.status_code, told.json()["state"]) == (200, "appealed"), told.content
    assert rider.post(address, {"text": "again"}).status_code == 409
    photo.refresh_from_db()
    services.decide_appeal(
        photo=photo, upheld=False, reason="wind", at=clock.now(), by=marco.principal
    )
    assert (photo.state, Fee.objects.get().state) == ("good", "waived")


def test_giulia_objects_in_vain(park, judge, rider, marco):
    photo = judge(park(), "bad")
    rider.post(f"/api/v1/trip-photos/{photo.public_id}/appeal", {"text": "no"})
    photo.refresh_from_db()
    services.decide_appeal(
        photo=photo, upheld=True, reason="seen again", at=clock.now(), by=marco.principal
    )
    assert (photo.state, photo.reason) == ("upheld", "seen again")


def test_good_and_unsure_count_for_nothing(park, judge):
    assert judge(park(), "unsure").strike is None
    photo = judge(park(), "good")
    assert (photo.state, photo.strike) == ("good", None)


def test_nobody_judges_their_own(park, giulia):
    with pytest.raises(services.OwnPhoto):
        services.review_photo(
            photo=park(), verdict="good", reason="", at=clock.now(), by=giulia.principal
        )


def test_only_pictures_are_kept_three_at_most_and_not_for_ever(park, rider, picture, travel):
    photo = park()
    address = f"/api/v1/trips/{photo.trip.public_id}/photo"
    assert photo.file.delete_after - photo.taken_at == datetime.timedelta(days=90)
    from django.core.files.uploadedfile import SimpleUploadedFile

    script = SimpleUploadedFile("x.jpg", b"<script>", content_type="image/jpeg")
    refused = rider.post(address, {"photo": script}, format="multipart")
    assert (refused.status_code, refused.json()["code"]) == (415, "file_not_an_image")
    sent = [
        rider.post(address, {"photo": picture()}, format="multipart").status_code
        for _more in range(3)
    ]
    assert sent == [201, 201, 409]
    assert len(rider.get(address).json()["results"]) == 3
    travel.shift(datetime.timedelta(hours=25))
    late = rider.post(address, {"photo": picture()}, format="multipart")
    assert late.json()["code"] == "photo_not_wanted"


def test_photos_are_seen_by_their_rider_and_who_runs_the_vehicle(
    park, api, giulia, marco, piero, rivale, elena
):
    photo = park()
    address = f"/api/v1/files/{photo.file.public_id}"
    statuses = {
        person.email.split("@")[0]: api(person).get(address).status_code
        for person in (giulia, marco, piero, rivale, elena)
    }
    assert statuses == {"giulia": 200, "marco": 200, "piero": 404, "rivale": 404, "elena": 404}


def test_marco_judges_in_the_queue(park, marco, client):
    photo = park()
    client.force_login(marco)
    queue = "/admin/bookings/endphoto/"
    page = client.get(queue)
    assert str(photo.file.public_id) in page.content.decode()
    chosen = {"_selected_action": [photo.pk], "action": "bad"}
    client.post(queue, chosen)
    photo.refresh_from_db()
    assert photo.state == "waiting", "no verdict without a reason"
    client.post(queue, {**chosen, "reason": "on the tram line"})
    photo.refresh_from_db()
    assert (photo.state, photo.reason, photo.strike) == ("bad", "on the tram line", 1)
