"""What is owed blocks the next start and never an end."""

import datetime

import pytest

from bookings.payments import services
from bookings.payments.states import Purpose
from bookings.trips.models import Trip
from fleet.vehicles.models import LatestState
from mobility.core import clock, ids
from mobility.core.principals import SYSTEM
from tests.bookings.payments.conftest import line

pytestmark = pytest.mark.django_db


def test_a_debt_that_comes_up_under_way_does_not_keep_anybody_from_ending(
    travel, rider, giulia, card, ruote, scooter, obey, collect
):
    trip = rider.post("/api/v1/trips", {"vehicle": "SC1"}).json()["id"]
    obey(scooter)
    card(giulia, "demo-capture-fails")
    fee = services.charge_directly(
        payer_id=giulia.pk,
        organisation_id=ruote.pk,
        purpose=Purpose.FEE,
        purpose_ref=ids.uuid7(),
        lines=[line(1500, "0")],
        currency="EUR",
        at=clock.now(),
        by=SYSTEM,
    )
    collect()
    fee.refresh_from_db()
    assert fee.state == "due"
    travel.shift(datetime.timedelta(minutes=10))
    LatestState.objects.update(at=clock.now())
    assert rider.post(f"/api/v1/trips/{trip}/pause").status_code == 200
    obey(scooter)
    assert rider.post(f"/api/v1/trips/{trip}/end").status_code == 200
    obey(scooter)
    collect()
    assert Trip.objects.get().state == "settled"
    refused = rider.post("/api/v1/trips", {"vehicle": "SC1"})
    assert (refused.status_code, [row["cents"] for row in refused.json()["payments"]]) == (
        402,
        [1500],
    )


def test_paying_one_debt_of_two_is_not_enough(paid, giulia, card, collect):
    ride = paid(line(350), token="demo-capture-fails")
    # The second one is a fee: who owes starts no other ride.
    fee = services.charge_directly(
        payer_id=giulia.pk,
        organisation_id=ride.organisation_id,
        purpose=Purpose.FEE,
        purpose_ref=ids.uuid7(),
        lines=[line(100, "0")],
        currency="EUR",
        at=clock.now(),
        by=SYSTEM,
    )
    collect()
    card(giulia)
    services.pay_debt(payment_id=ride.pk, at=clock.now(), by=giulia.principal)
    collect()
    with pytest.raises(services.DebtOutstanding) as refusal:
        services.refuse_debtor(payer_id=giulia.pk)
    assert [row["cents"] for row in refusal.value.extra["payments"]] == [100]
    services.pay_debt(payment_id=fee.pk, at=clock.now(), by=giulia.principal)
    collect()
    services.refuse_debtor(payer_id=giulia.pk)
