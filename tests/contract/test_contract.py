"""Programs may believe the OpenAPI document: whatever is sent, by whomever, the answer is one that it names.

For every operation schemathesis makes up calls from the document itself, good and bad ones; each is made
as nobody, as a resident, as a fleet's and as a charger's operator. No answer may be a crash, a status that
the document does not name, or a body that is not as it says. The same seed makes the same calls.
"""

import contextlib
import os
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from rest_framework.test import APIClient
from schemathesis import Case, GenerationMode
from schemathesis.checks import (
    CHECKS,
    load_all_checks,
)

from mobility.accounts import services as accounts
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.contract.conftest import known_parameters, operations, undone
from tests.tenancy.conftest import WholeCity

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(900)]

Api = Callable[[User | None], APIClient]
# In the long group everybody calls, and more often; the short one is for every commit.
LONG = bool(os.environ.get("CI"))
CALLS = 2 if LONG else 1
PEOPLE = ["nobody", "giulia", "marco", "luca"] if LONG else ["giulia", "marco"]
WANTED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)


def checks() -> list[Any]:
    load_all_checks()
    return CHECKS.get_by_names(list(WANTED))


@pytest.mark.parametrize("person", PEOPLE)
def test_every_answer_is_one_that_the_document_names(
    person: str, contract: Any, whole_city: WholeCity
) -> None:
    headers = {"Accept-Language": "en"}
    if person != "nobody":
        user = whole_city.people[person]
        _token, secret = accounts.issue_token(user=user, label="x", at=clock.now(), by=SYSTEM)
        headers["Authorization"] = f"Bearer {secret}"
    faults: list[str] = []
    wanted = checks()

    def try_one(case: Case) -> None:
        cache.clear()  # limits have tests of their own
        with undone():
            response = case.call(headers=headers)
            try:
                case.validate_response(response, checks=wanted, headers=headers)
            except AssertionError as fault:
                faults.append(f"{person}: {case.operation.label}: {fault}")
            except BaseExceptionGroup as group:
                problems = "; ".join(str(one) for one in group.exceptions)
                faults.append(f"{person}: {case.operation.label}: {problems}")

    for operation in operations(contract):
        known = known_parameters(operation, whole_city)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            if mode is GenerationMode.NEGATIVE and operation.method == "get" and not LONG:
                continue
            calls = operation.as_strategy(mode, path_parameters=known or None)
            _run(calls, try_one)
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
