"""Programs may believe the OpenAPI document: whatever is sent, by whomever, the answer is one that it names.

For every operation schemathesis makes up calls from the document itself. The short group makes one good
call of each, as somebody it is made for; the long one good and bad ones, each as nobody, as a resident, as
a fleet's and as a charger's operator. No answer may be a crash, a status that the document does not name,
or a body that is not as it says. The same seed makes the same calls.
"""

import contextlib
import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.schemas import APIOperation

from mobility.accounts import services as accounts
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.contract.conftest import address_name, known_parameters, operations, undone
from tests.tenancy.conftest import WholeCity
from tests.tenancy.test_api import DETAILS, LISTS

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(900)]

LONG = bool(os.environ.get("CI"))
CALLS = 2 if LONG else 1
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE) if LONG else (GenerationMode.POSITIVE,)
PEOPLE = ("giulia", "marco", "luca")
WANTED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)

Headers = dict[str, str]


def headers_of(city: WholeCity) -> dict[str, Headers]:
    """What each of the people sends along; nobody sends no token."""
    told: dict[str, Headers] = {"nobody": {"Accept-Language": "en"}}
    for person in PEOPLE:
        _token, secret = accounts.issue_token(
            user=city.people[person], label="x", at=clock.now(), by=SYSTEM
        )
        told[person] = {"Accept-Language": "en", "Authorization": f"Bearer {secret}"}
    return told


def callers(operation: APIOperation) -> list[str]:
    """In the long group everybody; in the short one the first whom the operation is made for."""
    if LONG:
        return ["nobody", *PEOPLE]
    name = address_name(operation)
    _row, entitled = DETAILS.get(name) or LISTS.get(name) or ("", set())
    return [next((person for person in PEOPLE if person in entitled), "giulia")]


def test_every_answer_is_one_that_the_document_names(contract: Any, whole_city: WholeCity) -> None:
    load_all_checks()
    wanted, headers = CHECKS.get_by_names(list(WANTED)), headers_of(whole_city)
    faults: list[str] = []

    def try_as(person: str, case: Case) -> None:
        with undone():
            response = case.call(headers=headers[person])
            try:
                case.validate_response(response, checks=wanted, headers=headers[person])
            except AssertionError as fault:
                faults.append(f"{person}: {case.operation.label}: {fault}")
            except BaseExceptionGroup as group:
                problems = "; ".join(str(one) for one in group.exceptions)
                faults.append(f"{person}: {case.operation.label}: {problems}")

    def try_one(case: Case) -> None:
        for person in callers(case.operation):
            try_as(person, case)

    for operation in operations(contract):
        known = known_parameters(operation, whole_city)
        for mode in MODES:
            _run(operation.as_strategy(mode, path_parameters=known or None), try_one)
    assert not faults, "\n\n".join(dict.fromkeys(faults))


def _run(calls: Any, try_one: Callable[[Case], None]) -> None:
    @seed(20260501)
    @settings(
        max_examples=CALLS,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(calls)
    def made_up(case: Case) -> None:
        try_one(case)

    # A door that takes nothing leaves nothing to be wrong about.
    with contextlib.suppress(Unsatisfiable):
        made_up()
