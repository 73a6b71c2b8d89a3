"""The OpenAPI document, the application behind it, and a city in which every id is somebody's."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.urls import Resolver404, resolve
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from schemathesis.schemas import APIOperation

from tests.tenancy.conftest import WholeCity, whole_city
from tests.tenancy.test_api import DETAILS

__all__ = ["whole_city"]


@pytest.fixture(scope="session")
def contract() -> Any:
    """The document as programs read it, bound to the application itself."""
    with GENERATOR_STATS.silence():
        document = SchemaGenerator().get_schema(request=None, public=True)
    schema = schemathesis.openapi.from_dict(document)
    schema.app = get_wsgi_application()
    logging.getLogger("django.request").setLevel(logging.CRITICAL)
    return schema


def operations(contract: Any) -> list[APIOperation]:
    """Every operation of the document, in its order."""
    return [found.ok() for found in contract.get_all_operations()]


def known_parameters(operation: APIOperation, city: WholeCity) -> dict[str, str]:
    """Ids that exist, for the parameters of an address: a random one would only ever be not found."""
    row = DETAILS.get(address_name(operation), ("", set()))[0]
    refs = city.refs() | {"": city.rows["vehicle"].code}  # type: ignore[attr-defined]
    names = _names(operation.path)
    return {names[0]: refs[row]} if names and row in refs and (row or names[0] == "ref") else {}


def address_name(operation: APIOperation) -> str:
    """The name of the operation's address, empty if no id can be made up for it."""
    stand_in = "00000000-0000-7000-8000-000000000000"
    path = operation.path
    for name in _names(path):
        path = path.replace("{" + name + "}", stand_in)
    try:
        return resolve(path).url_name or ""
    except Resolver404:
        return ""


def _names(path: str) -> list[str]:
    return [part.partition("}")[0] for part in path.split("{")[1:]]


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside leaves no trace: every call finds the same city, and limits unused."""
    cache.clear()
    for signal in (request_started, request_finished):
        # A request through WSGI would close the test's own connection; Django's clients do the same.
        signal.disconnect(close_old_connections)
    block = transaction.atomic()
    # Calls that ask somebody outside refuse to run in a transaction; this one is the test's.
    block._from_testcase = True  # type: ignore[attr-defined]
    with block:
        yield
        transaction.set_rollback(True)
