"""Tariff versions follow each other without gaps or overlaps, and never change once published."""

import datetime

import pytest
from django.db import IntegrityError, transaction

from bookings.pricing import services
from bookings.pricing.models import TariffVersion
from bookings.pricing.queries import fare_for, fares_in_force
from mobility.core import clock
from mobility.core.principals import SYSTEM
from mobility.core.transitions import IllegalMove
from tests.bookings.conftest import NUMBERS

pytestmark = pytest.mark.django_db


def draft(tariff, days, **changes):
    at = clock.now() + datetime.timedelta(days=days)
    return services.draft_version(tariff=tariff, valid_from=at, **{**NUMBERS, **changes})


def publish(version):
    return services.publish_version(version_id=version.pk, at=clock.now(), by=SYSTEM)


def test_a_new_version_ends_the_one_before(tariff):
    later = publish(draft(tariff.tariff, 10, minute_cents=30))
    tariff.refresh_from_db()
    assert tariff.valid.upper == later.valid.lower
    for days, cents in ((9, 25), (11, 30)):
        at = clock.now() + datetime.timedelta(days=days)
        priced = fare_for(organisation_id=tariff.tariff.organisation_id, kind="scooter", at=at)
        assert priced.fare.minute_cents == cents
        book = fares_in_force(at=at)
        assert book[tariff.tariff.organisation_id, "car"].fare.minute_cents == cents


def test_drafts_price_nothing(tariff):
    draft(tariff.tariff, -0.5, minute_cents=99)
    priced = fare_for(organisation_id=tariff.tariff.organisation_id, kind="scooter", at=clock.now())
    assert priced.fare.minute_cents == 25


def test_two_versions_never_hold_at_once(tariff):
    publish(draft(tariff.tariff, 10))
    with pytest.raises(services.VersionsOverlap):
        publish(draft(tariff.tariff, 5))
    assert TariffVersion.objects.filter(state="published").count() == 2


def test_publishing_twice_is_refused(tariff):
    with pytest.raises(IllegalMove):
        publish(tariff)


def test_the_database_refuses_to_change_published_numbers(tariff):
    with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
        TariffVersion.objects.filter(pk=tariff.pk).update(minute_cents=1)


@pytest.mark.parametrize(
    "blocks",
    [
        {"minutes": 60},
        [{"minutes": 60}],
        [{"minutes": 0, "cents": 5}],
        [{"minutes": 60, "cents": 0}],
        [{"minutes": 60, "cents": "900"}],
        [{"minutes": 60, "cents": 900}, {"minutes": 60, "cents": 1000}],
        [{"minutes": 60, "cents": 900}, {"minutes": 120, "cents": 800}],
    ],
)
def test_blocks_that_nobody_can_read_are_refused(blocks, tariff):
    with pytest.raises(services.BlocksInvalid):
        draft(tariff.tariff, 1, blocks=blocks)
