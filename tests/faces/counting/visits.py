"""Ask for a page as the web workers do, without a test client's bookkeeping, and count its queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.core.handlers.base import BaseHandler
from django.db import connection
from django.test import RequestFactory

from bookings.reservations.policies import _forget as forget_policies
from bookings.reservations.policies import _forget_people as forget_people
from mobility.accounts.models import User
from tests.faces.counting.doors import client_of


class Visitor:
    """Opens doors as each of these people, or as nobody."""

    def __init__(self, people: dict[str, User]) -> None:
        self._handler = BaseHandler()
        self._handler.load_middleware()
        self.cookies = {"nobody": ""} | {
            name: client_of(user).cookies["sessionid"].value for name, user in people.items()
        }
        # Kept by each process once it was asked for: a page must not depend on who came before.
        ContentType.objects.get_for_models(*apps.get_models())

    def visit(self, address: str, person: str) -> tuple[int, int]:
        """Status of the answer, and how many queries it took with nothing kept from before."""
        cache.clear()
        forget_policies()
        forget_people()
        headers = {"accept-language": "en", "host": "127.0.0.1"}
        request = RequestFactory(headers=headers).get(address)
        if self.cookies[person]:
            request.COOKIES["sessionid"] = self.cookies[person]
        asked = 0

        def count(execute: Callable[..., Any], *call: Any) -> Any:
            nonlocal asked
            asked += 1
            return execute(*call)

        with connection.execute_wrapper(count):
            answer = self._handler.get_response(request)
            if answer.streaming:
                b"".join(answer)
        return answer.status_code, asked
