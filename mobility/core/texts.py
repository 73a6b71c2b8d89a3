"""Texts of data: names are maps from language to words, and the reader's language picks one."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import translation
from django.utils.translation import gettext_lazy as _

LANGUAGES = ("it", "en")


def validate_localized(value: object) -> None:
    """Accept only a map of known languages to non-empty words."""
    if (
        not isinstance(value, dict)
        or not value
        or not set(value) <= set(LANGUAGES)
        or not all(isinstance(words, str) and words.strip() for words in value.values())
    ):
        raise ValidationError(_('Give the name as {"it": "…", "en": "…"}.'))


class LocalizedField(models.JSONField):
    """A `{"it": …, "en": …}` map of words."""

    default_validators = [validate_localized]


def pick(words: Mapping[str, Any] | None) -> str:
    """The words in the active language, else Italian, else whichever language there is."""
    if not words:
        return ""
    language = (translation.get_language() or "it").split("-")[0]
    for candidate in (language, *LANGUAGES):
        if candidate in words:
            return str(words[candidate])
    return str(next(iter(words.values())))
