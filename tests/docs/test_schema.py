"""The API explains itself: a valid OpenAPI document without warnings, and a page to try it."""

import re

import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema


@pytest.mark.django_db
def test_the_schema_is_valid_and_nothing_in_it_is_guessed() -> None:
    with GENERATOR_STATS.silence():
        schema = SchemaGenerator().get_schema(request=None, public=True)
    validate_schema(schema)
    assert "/api/v1/telemetry" in schema["paths"]
    assert not GENERATOR_STATS


@pytest.mark.django_db
def test_schema_and_page_open_for_everybody(client: Client) -> None:
    assert client.get("/api/schema/").status_code == 200
    page = client.get("/api/docs/")
    assert page.status_code == 200
    assert b"//cdn" not in page.content
    # The browser runs nothing that stands in a page.
    assert not re.search(rb"<style|<script(?![^>]*\bsrc=)", page.content)
    script = client.get("/api/docs/?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert b"/api/schema/" in script.content
