"""What every page of the desk is made of: the admin's frame, the facts and texts for its script."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from mobility.accounts.models import User
from mobility.desk import texts
from mobility.geography.queries import map_start


def shell(
    request: HttpRequest,
    template: str,
    *,
    context: Mapping[str, Any] | None = None,
    status: int = 200,
    **facts: Any,
) -> HttpResponse:
    """A page; `facts` go to its script, `context` to its template."""
    return render(
        request,
        template,
        {
            **admin.site.each_context(request),
            **(context or {}),
            "page": {
                "map": dataclasses.asdict(map_start()),
                "texts": texts.rendered(),
                **facts,
            },
        },
        status=status,
    )


def labels(choices: Iterable[tuple[Any, Any]]) -> dict[str, str]:
    """Choices as a map of words, in the active language."""
    return {str(value): str(label) for value, label in choices}


def person(request: HttpRequest) -> User:
    """Who looks: the guard of the page lets only people in."""
    if not isinstance(request.user, User):
        raise TypeError("the guard of the page lets only people in")
    return request.user
