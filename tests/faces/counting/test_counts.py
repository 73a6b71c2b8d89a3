"""How many queries each page and each list of the API asks: committed numbers, the same for few rows and many.

`counts.txt` holds a line for each: the name of the address, who opens it, how many queries. A page that
is missing there fails, and so does one that asks more or less than it says. Who means the change writes
the table anew with WRITE_COUNTS=1 and looks at the difference.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from mobility.accounts.models import User
from mobility.notifications.wire import new_private_key
from tests.faces.counting.doors import NO_PAGE, Door, doors
from tests.faces.counting.filling import fill
from tests.faces.counting.growth import grow
from tests.faces.counting.visits import Visitor
from tests.tenancy.conftest import WholeCity

# Every page of the house, twice: half a minute on an idle machine, minutes on a busy one.
pytestmark = [pytest.mark.django_db, pytest.mark.timeout(900)]

TABLE = Path(__file__).with_name("counts.txt")


def committed() -> dict[tuple[str, str], int]:
    lines = (line.split() for line in TABLE.read_text().splitlines() if line)
    return {(name, person): int(count) for name, person, count in lines}


def open_first(visitor: Visitor, door: Door) -> tuple[str, int] | None:
    """Who gets in, and what it took; nobody where it is no page."""
    for person in door.people:
        status, asked = visitor.visit(door.address, person)
        assert status < 500, door
        if status == 200:
            return person, asked
    return None


def test_pages_ask_as_often_as_they_always_did(whole_city: WholeCity, settings: Any) -> None:
    # Devices are asked for where there is a key to push with, which a machine may have or not.
    settings.PUSH_KEY = new_private_key()
    people = whole_city.people
    people["root"] = User.objects.create_superuser("root@demo.example", "x", language="en")
    fill(people=people)
    grow(times=2, own=2)
    visitor, opened, few = Visitor(people), [], {}
    closed = set()
    for door in doors(whole_city):
        if door.is_form and door.name not in NO_PAGE:
            opened.append((door, door.people[0]))
        elif found := open_first(visitor, door):
            opened.append((door, found[0]))
            few[door.name, found[0]] = found[1]
        else:
            closed.add(door.name)
    assert closed == NO_PAGE.keys()
    grow(times=6, own=6)
    many = {}
    for door, person in opened:
        status, asked = visitor.visit(door.address, person)
        # Most tables cannot be added to by hand.
        assert status == 200 or (door.is_form and status == 403), (door, status)
        if status == 200:
            many[door.name, person] = asked
    if os.environ.get("WRITE_COUNTS"):
        TABLE.write_text("".join(f"{n} {who} {many[n, who]}\n" for n, who in sorted(many)))
    # A page may ask once more where there was nothing to ask for before, but not again and again.
    more = [
        (door, person) for door, person in opened
        if (key := (door.name, person)) in few and many[key] > few[key]
    ]  # fmt: skip
    grow(times=9, own=9)
    growing = {
        (door.name, person): (many[door.name, person], asked)
        for door, person in more
        if (asked := visitor.visit(door.address, person)[1]) > many[door.name, person]
    }
    assert growing == {}
    wrong = {
        key: (many.get(key), count)
        for key, count in (committed() | dict.fromkeys(many.keys() - committed().keys(), 0)).items()
        if key not in many or many[key] != count
    }
    assert wrong == {}
