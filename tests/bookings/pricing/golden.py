"""Fares as others have published them, and what rides cost under them: typed and reckoned by hand.

Each row says where its numbers come from. Nothing here is computed by the code it checks.
"""

import dataclasses
from decimal import Decimal

from bookings.pricing.rules import Block, Fare, Package, Step

VAT = Decimal("0.22")


def fare(**numbers) -> Fare:
    """A fare with nothing but `numbers`."""
    empty = {
        "version": "golden",
        "currency": "EUR",
        "vat_rate": VAT,
        "unlock_cents": 0,
        "minute_cents": 0,
        "pause_minute_cents": 0,
        "hold_free_minutes": 10,
        "hold_minute_cents": 0,
        "hold_max_minutes": 10,
    }
    return Fare(**{**empty, **numbers})


@dataclasses.dataclass(frozen=True)
class Golden:
    """A ride under a published fare: minutes ridden, metres, minutes reserved before, cents in all."""

    source: str
    fare: Fare
    minutes: int
    cents: int
    metres: int = 0
    held: int = 0


# Dott's page for Lecco, 2025: 1 EUR to unlock, 0.29 EUR a minute, ten reserved minutes included.
DOTT = fare(unlock_cents=100, minute_cents=29)
# Lime's terms: an unlock fee and each started minute; the rates as of Milan, 1 EUR and 0.25 EUR.
LIME = fare(unlock_cents=100, minute_cents=25)
# Share'ngo's own code (Milan): 0.28 a minute, 12 EUR an hour, 30 EUR for four, 50 EUR a day.
SHARENGO = fare(
    minute_cents=28,
    pause_minute_cents=28,
    blocks=(Block(minutes=60, cents=1200), Block(minutes=240, cents=3000)),
    day_cap_cents=5000,
)
# Enjoy's price list: 0.25 EUR a minute, 0.25 EUR a kilometre over 50; a day is 50 EUR with 100 km,
# three days 120 EUR, fifteen 600 EUR (100 km a day assumed there too), extra 0.25 EUR.
ENJOY = fare(
    minute_cents=25,
    pause_minute_cents=25,
    km_cents=25,
    free_km=50,
    packages=(
        Package(minutes=1440, km=100, cents=5000),
        Package(minutes=3 * 1440, km=300, cents=12000),
        Package(minutes=15 * 1440, km=1500, cents=60000),
    ),
)
# BikeMi's rules of 2015: half an hour free, then 0.50 EUR each half hour to two hours, then 2 EUR an hour.
BIKEMI = fare(
    steps=(
        Step(until=30, minutes=30, cents=0),
        Step(until=120, minutes=30, cents=50),
        Step(until=None, minutes=60, cents=200),
    )
)
# BikeMi's e-bikes: "from 0.25 EUR" for the first half hour; those after it assumed as for bikes, 0.50 EUR.
BIKEMI_E = fare(
    steps=(
        Step(until=30, minutes=30, cents=25),
        Step(until=None, minutes=30, cents=50),
    )
)
# Valmadrera: half hours "or fraction", dearer after two hours, five minutes to look whether the
# vehicle is sound. The structure is published; the amounts, 0.50 EUR and then 1 EUR, are assumed.
VALMADRERA = fare(
    grace_s=300,
    steps=(
        Step(until=120, minutes=30, cents=50),
        Step(until=None, minutes=30, cents=100),
    ),
)

GOLDEN = (
    Golden("Dott Lecco 2025: unlocking and the first minute", DOTT, 1, 129),
    Golden("Dott Lecco 2025: a quarter of an hour", DOTT, 15, 535),
    Golden("Dott Lecco 2025: reserved for ten minutes, included", DOTT, 15, 535, held=10),
    Golden("Lime: each started minute", LIME, 12, 400),
    Golden("Share'ngo: 42 minutes by the minute", SHARENGO, 42, 1176),
    Golden("Share'ngo: 43 minutes are an hour", SHARENGO, 43, 1200),
    Golden("Share'ngo: an hour and a minute", SHARENGO, 61, 1228),
    Golden("Share'ngo: four hours and a minute", SHARENGO, 241, 3028),
    Golden("Share'ngo: 329 minutes are a day", SHARENGO, 329, 5000),
    Golden("Share'ngo: a day and a minute", SHARENGO, 1441, 5028),
    Golden("Enjoy: half an hour in town", ENJOY, 30, 750, metres=9_000),
    Golden("Enjoy: two hours with 60 km, ten of them to pay", ENJOY, 120, 3250, metres=60_000),
    Golden("Enjoy: 200 minutes by the minute cost what a day does", ENJOY, 200, 5000),
    Golden("Enjoy: a long day with 90 km", ENJOY, 900, 5000, metres=90_000),
    Golden("Enjoy: a day with 110 km, ten over", ENJOY, 1440, 5250, metres=110_000),
    Golden("Enjoy: an hour more than a day", ENJOY, 1500, 6500, metres=20_000),
    Golden("Enjoy: three days", ENJOY, 4320, 12000, metres=250_000),
    Golden("Enjoy: fifteen days", ENJOY, 21_600, 60_000, metres=1_500_000),
    Golden("BikeMi 2015: the free half hour", BIKEMI, 30, 0),
    Golden("BikeMi 2015: 31 minutes", BIKEMI, 31, 50),
    Golden("BikeMi 2015: an hour and a half", BIKEMI, 90, 100),
    Golden("BikeMi 2015: two hours", BIKEMI, 120, 150),
    Golden("BikeMi 2015: two hours and a minute", BIKEMI, 121, 350),
    Golden("BikeMi 2015: three hours and a minute", BIKEMI, 181, 550),
    Golden("BikeMi e-bike: the first half hour", BIKEMI_E, 25, 25),
    Golden("BikeMi e-bike: 31 minutes", BIKEMI_E, 31, 75),
    Golden("Valmadrera: five minutes to look around", VALMADRERA, 5, 0),
    Golden("Valmadrera: six minutes are a half hour", VALMADRERA, 6, 50),
    Golden("Valmadrera: two hours", VALMADRERA, 120, 200),
    Golden("Valmadrera: two hours and a fraction", VALMADRERA, 121, 300),
    Golden("Valmadrera: five hours", VALMADRERA, 300, 800),
)

# Dott's passes for Lecco: 30 minutes within a day 4.99 EUR, 100 within seven days 16.99 EUR; unlocking
# is included. What a ride of so many minutes still costs with so many minutes left on the pass.
DOTT_PASS = (
    (30, 20, 0),
    (30, 30, 0),
    (30, 31, 29),
    (100, 112, 12 * 29),
)
