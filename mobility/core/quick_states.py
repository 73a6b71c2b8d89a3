"""Migrate an empty database in a tenth of the time.

While it migrates, Django keeps a picture of the models as they stand between two operations. For
every new table, new relation, index and constraint it draws all models anew that are connected with
it, and here everything is connected with people and organisations: 14,000 models for 200 tables. But
whoever only gained something looks to others as before. So only that one is drawn, and the picture
is marked as delayed; Django's own machinery then draws a whole one for whoever asks for more, such
as `RunPython`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db.migrations.state import ProjectState

ModelKey = tuple[str, str]


@contextmanager
def quick_states() -> Iterator[None]:
    """Inside, a model that only gained fields, indexes or options is drawn alone."""
    # Not in Django's documented interface, nor in its stubs.
    django: Any = ProjectState
    find_all: Callable[..., set[ModelKey]] = django._find_reload_model

    def find(
        state: Any,
        app_label: str,
        model_name: str,
        delay: bool = False,  # noqa: FBT001, FBT002 — called by Django, with its own signature
    ) -> set[ModelKey]:
        key = (app_label, model_name)
        if not delay and not _only_gained(state, key):
            return find_all(state, app_label, model_name, delay)
        state.is_delayed = True
        return {key}

    django._find_reload_model = find
    try:
        yield
    finally:
        django._find_reload_model = find_all


def _only_gained(state: Any, key: ModelKey) -> bool:
    """Whether the model is new, or has all the fields that it had and more."""
    try:
        drawn = state.apps.get_model(*key)
    except LookupError:
        return True
    had = {field.name for field in (*drawn._meta.local_fields, *drawn._meta.local_many_to_many)}
    return had < set(state.models[key].fields)
