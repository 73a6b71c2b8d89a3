"""The whole city of the tenancy tests, where its pages are counted."""

from tests.tenancy.conftest import whole_city

__all__ = ["whole_city"]
