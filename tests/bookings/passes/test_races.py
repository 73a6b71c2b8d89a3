"""The last code and the last minutes: shown to be lost or doubled without the guard, then held by it."""

import contextlib
import datetime
import threading
from collections import Counter
from functools import partial

import pytest
from django.db import connection, transaction
from django.db.models import F

from bookings.passes import services
from bookings.passes.models import Pass, PassUse, PerkUse, PromoCode, PromoRedemption
from bookings.passes.services import redeem, sell, use
from bookings.pricing.rules import Perk, PerkKind
from mobility.accounts.models import User
from mobility.core import clock, locks
from mobility.core.money import total_cents
from mobility.core.principals import SYSTEM
from tests.bookings.passes.test_codes import TWENTY
from tests.bookings.pricing.rides import ride
from tests.bookings.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

CROWD = 50


@pytest.fixture
def crowd(db):
    """Fifty residents with the same leaflet in their hands."""
    return User.objects.bulk_create(
        [User(email=f"rider{number}@demo.example") for number in range(CROWD)]
    )


@contextlib.contextmanager
def without(table, constraint):
    """The table without its constraint, which comes back whatever happens."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [constraint]
        )
        (definition,) = cursor.fetchone()
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM bookings_promoredemption")
            cursor.execute("UPDATE bookings_promocode SET redeemed = 0")
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {definition}")


def everybody_redeems(crowd):
    """Each on a connection of their own, not more at a time than PostgreSQL has room for."""
    room = threading.BoundedSemaphore(25)

    def deed(person):
        with room:
            answer = services.redeem_code(code="LAST", user=person, at=clock.now())
            connection.close()
            return answer

    return at_once([lambda person=person: deed(person) for person in crowd])


def kinds(answers):
    return Counter(type(answer).__name__ for answer in answers)


def test_the_last_code_goes_to_four_people_by_counting_first_and_to_one_of_fifty_as_it_is(
    crowd, promo, monkeypatch
):
    promo("LAST", cents=100, redemptions_max=1)
    together = threading.Barrier(4)

    def count_first(code):
        left = PromoCode.objects.get(pk=code.pk).redeemed < 1
        together.wait(timeout=20)
        if not left:
            raise redeem.CodeExhausted
        PromoCode.objects.filter(pk=code.pk).update(redeemed=code.redeemed + 1)

    # Guard off: no conditional UPDATE and no check of the database, as one would write it at first.
    with (
        monkeypatch.context() as unguarded,
        without("bookings_promocode", "promo_redemptions_end"),
    ):
        unguarded.setattr(redeem, "take_redemption", count_first)
        everybody_redeems(crowd[:4])
        assert PromoRedemption.objects.count() == 4
    answers = everybody_redeems(crowd)
    assert kinds(answers) == {"PromoRedemption": 1, "CodeExhausted": CROWD - 1}
    assert PromoCode.objects.get().redeemed == PromoRedemption.objects.count() == 1


def test_the_database_by_itself_holds_numbers_persons_and_budgets(
    crowd, giulia, promo, monkeypatch
):
    promo("LAST", cents=100, redemptions_max=1)
    with monkeypatch.context() as unguarded:
        unguarded.setattr(redeem, "take_redemption", _take_blindly)
        assert kinds(everybody_redeems(crowd[:10])) == {"PromoRedemption": 1, "IntegrityError": 9}
    PromoCode.objects.update(code="SPENT")
    many = promo("LAST", cents=100, redemptions_max=40)
    assert kinds(everybody_redeems([giulia] * 12)) == {"PromoRedemption": 1, "CodeRedeemed": 11}
    many.refresh_from_db()
    assert many.redeemed == 1
    PromoCode.objects.filter(pk=many.pk).update(code="MANY")
    rich = promo("LAST", cents=300, budget_cents=1000)
    everybody_redeems(crowd[:20])
    rich.refresh_from_db()
    assert (rich.redeemed, rich.promised_cents) == (3, 900)


def _take_blindly(code):
    PromoCode.objects.filter(pk=code.pk).update(redeemed=F("redeemed") + 1)


@pytest.fixture
def bundle(giulia, week):
    """Giulia's pass with thirty minutes left."""
    at = clock.now()
    return Pass.objects.create(
        user=giulia,
        organisation=week.organisation,
        product=week,
        state="active",
        terms=week.terms(),
        vehicle_kinds=["scooter"],
        bought_at=at,
        starts_at=at,
        ends_at=at + datetime.timedelta(days=7),
        minutes_left=30,
    )


def price_rides(bundle, *refs):
    """Rides of a group of twenty minutes end at once; each was claimed when thirty were left."""
    perk = Perk(kind=PerkKind.PASS, ref=str(bundle.public_id), minutes=30, bundle=True)
    at = clock.now()

    def price(ref):
        with transaction.atomic():
            return use.use_perks(
                user_id=bundle.user_id,
                organisation_id=bundle.organisation_id,
                ref=ref,
                fare=TWENTY,
                segments=ride(20 * 60, start=at),
                perks=[perk],
                at=at,
            )

    answers = at_once([lambda ref=ref: price(ref) for ref in refs])
    bundle.refresh_from_db()
    return answers


def side_by_side(monkeypatch):
    """Nobody waits for the person's lock, and both rides read before either writes."""
    together = threading.Barrier(2)
    read = use._still_there

    def read_together(perks):
        there = read(perks)
        together.wait(timeout=20)
        return there

    monkeypatch.setattr(locks, "advisory", lambda _name: None)
    monkeypatch.setattr(use, "_still_there", read_together)
    return together


def test_two_rides_side_by_side_spend_the_same_minutes_and_in_turn_share_them(bundle, monkeypatch):
    def write_what_was_read(perk_use, lines, *, at):
        (line,) = [line for line in lines if line.kind == "pass"]
        Pass.objects.filter(pk=bundle.pk).update(minutes_left=30 - int(line.quantity))

    # Guard off: no lock of the person, and what is left is reckoned here and then written.
    with monkeypatch.context() as unguarded:
        side_by_side(unguarded)
        unguarded.setattr(use, "_spend", write_what_was_read)
        prices = [total_cents(lines) for lines in price_rides(bundle, "trip:1", "trip:2")]
    assert prices == [0, 0]
    assert bundle.minutes_left == 10  # forty minutes were given, twenty are booked
    Pass.objects.update(minutes_left=30)
    prices = sorted(total_cents(lines) for lines in price_rides(bundle, "trip:3", "trip:4"))
    assert prices == [0, 10 * 20]
    assert (bundle.minutes_left, bundle.uses) == (0, 2)
    Pass.objects.update(minutes_left=30)
    first, second = price_rides(bundle, "trip:5", "trip:5")
    assert first == second
    assert bundle.minutes_left == 10


def ride_and_return(bundle):
    """A ride is priced while the pass goes back; what the ride cost, and what became of the pass."""
    back = partial(services.return_pass, bought=bundle, at=clock.now(), by=SYSTEM)
    lines, answer = at_once([lambda: price_rides(bundle, "trip:9")[0], back])
    bundle.refresh_from_db()
    return total_cents(lines), bundle.state, type(answer).__name__


def test_a_pass_goes_back_and_is_ridden_on_only_when_nobody_waits(bundle, monkeypatch):
    # Guard off: the ride has read the pass, and the return its uses, before either writes.
    with monkeypatch.context() as unguarded:
        together = side_by_side(unguarded)
        moves = sell.move

        def move_together(*row, **terms):
            together.wait(timeout=20)
            return moves(*row, **terms)

        unguarded.setattr(sell, "move", move_together)
        assert ride_and_return(bundle) == (0, "refunded", "Pass")
    PassUse.objects.all().delete()
    PerkUse.objects.all().delete()
    Pass.objects.update(state="active", minutes_left=30, uses=0)
    assert ride_and_return(bundle) in {
        (0, "active", "PassNotReturnable"),
        (400, "refunded", "Pass"),
    }


def test_even_without_the_lock_no_pass_gives_minutes_it_does_not_have(bundle, monkeypatch):
    side_by_side(monkeypatch)
    answers = price_rides(bundle, "trip:1", "trip:2")
    assert kinds(answers) == {"tuple": 1, "IntegrityError": 1}
    assert (bundle.minutes_left, bundle.uses) == (10, 1)
