"""Who and what belongs to which story: all share one city, and none may find its own as another left it.

A vehicle that somebody else drained, reserved, planned for, reported or carried off is another one than
a story expects, above all when that story failed halfway. So each has its own, and riders of its own
where it rides: whoever rides already cannot begin. The numbers are places in the demo's lists.
"""

from dataclasses import dataclass

from mobility.simulator.credentials import DeviceSpec
from tests.stories.people import Caller, credentials_of, resident
from tests.stories.processes import House

SCOOTERS = {
    "ride": 0, "brake": 1, "other-crew": 2, "keyboard": 3, "ring": 4, "alarms": 5, "trip-phone": 6,
    "crew-it": 7, "reward-phone": 8, "reward-desk": 9, "moved-desk": 10, "crew-en": 11,
    "moved-phone": 12, "list": 16, "task": 17, "trip-desk": 18, "night": 19,
}  # fmt: skip
BICYCLES = {
    "silent-desk": 3, "silent-phone": 4, "next-laptop": 11, "next-phone": 12, "broken-laptop": 13,
    "broken-phone": 14,
}  # fmt: skip
OWNED = {"scooter": SCOOTERS, "bicycle": BICYCLES}
# Residents of the simulator, who have papers, read the rules and pay with a card that works.
RIDERS = {
    "trip-phone": 20, "trip-desk": 21, "charge": 22, "keyboard": 23, "reward-phone": 24,
    "reward-desk": 25, "money-desk": 26, "money-phone": 27, "charge-seen": 28, "next-driver": 29, "booking": 30,
    "case": 31, "second-factor": 32,
}  # fmt: skip
PASSWORD = "correct horse battery staple"
# They come with tokens; to log in one needs a password, and for a second factor an address that is known.
MAY_LOG_IN = f"""
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from mobility.accounts.models import User
emails = [f"resident{{number + 1:03d}}@demo.example" for number in {sorted(RIDERS.values())}]
riders = User.objects.filter(email__in=emails)
riders.update(password=make_password("{PASSWORD}"))
EmailAddress.objects.bulk_create(
    EmailAddress(user=one, email=one.email, verified=True, primary=True) for one in riders
)
"""


@dataclass(frozen=True)
class Rider:
    """Somebody with a telephone: the address to log in with, and the API in their hand."""

    email: str
    phone: Caller


def vehicle_of(house: House, kind: str, story: str) -> DeviceSpec:
    """The vehicle of this kind that nobody but this story touches."""
    there = [one for one in credentials_of(house).devices if one.kind == kind]
    return there[OWNED[kind][story]]


def rider_of(house: House, story: str) -> Rider:
    """Somebody who rides, charges and pays in this story alone; their password is `PASSWORD`."""
    number = RIDERS[story]
    return Rider(credentials_of(house).residents[number].email, resident(house, number))
