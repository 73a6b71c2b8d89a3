"""What the doors of the API can do, asked of the views themselves."""

from typing import Any

from django.urls import resolve

METHODS = ("get", "post", "put", "patch", "delete")


def methods_of(address: str) -> list[str]:
    """The methods that the door at this address has; any other is 405 before anybody looks at it."""
    view: Any = resolve(address).func
    had = getattr(view, "actions", None) or dir(view.cls)
    return [method for method in METHODS if method in had]
