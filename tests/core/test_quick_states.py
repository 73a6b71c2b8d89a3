"""What is drawn alone while the database is migrated is drawn right, and whole when it matters."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import models
from django.db.migrations.state import ModelState, ProjectState

from mobility.core.quick_states import quick_states


@pytest.fixture
def street() -> Iterator[ProjectState]:
    """A rendered state with vans and crews that drive them, made while the quick way is on."""
    with quick_states():
        state = ProjectState()
        assert state.apps is not None
        state.add_model(_model("Van"))
        state.add_model(_model("Crew", van=models.ForeignKey("depot.Van", models.CASCADE)))
        yield state


def _model(name: str, **fields: "models.Field[object, object]") -> ModelState:
    key = models.BigAutoField(primary_key=True)
    return ModelState("depot", name, [("id", key), *fields.items()])


def test_a_new_model_points_at_the_one_that_was_there(street: ProjectState) -> None:
    van, crew = (street.apps.get_model("depot", name) for name in ("Van", "Crew"))
    assert crew._meta.get_field("van").related_model is van


def test_a_model_that_gains_a_field_leaves_the_others_as_they_were(street: ProjectState) -> None:
    crew = street.apps.get_model("depot", "Crew")
    street.add_field("depot", "van", "packs", models.IntegerField(default=0), True)
    assert street.apps.get_model("depot", "Crew") is crew
    assert "packs" in {field.name for field in street.apps.get_model("depot", "Van")._meta.fields}


def test_whoever_asks_for_the_whole_picture_gets_models_that_fit_together(
    street: ProjectState,
) -> None:
    """`RunPython` does: rows of one model are given to the other's field."""
    street.add_field("depot", "van", "packs", models.IntegerField(default=0), True)
    street.clear_delayed_apps_cache()
    van, crew = (street.apps.get_model("depot", name) for name in ("Van", "Crew"))
    assert crew._meta.get_field("van").related_model is van
    assert crew(van=van(packs=3)).van.packs == 3


def test_a_key_that_changes_its_type_changes_what_points_at_it(street: ProjectState) -> None:
    street.alter_field("depot", "van", "id", models.UUIDField(primary_key=True), True)
    crew = street.apps.get_model("depot", "Crew")
    assert isinstance(crew._meta.get_field("van").target_field, models.UUIDField)


def test_afterwards_django_does_as_it_always_did() -> None:
    django: Any = ProjectState
    find = django._find_reload_model
    with quick_states():
        assert django._find_reload_model is not find
    assert django._find_reload_model is find
