"""Texts of data: names are maps from language to words, and the reader's language picks one."""

from collections.abc import Mapping
from typing import Any

from django import forms
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


class LocalizedWidget(forms.MultiWidget):
    """One input for each language, `name_it` and `name_en`."""

    template_name = "widgets/localized.html"

    def __init__(
        self, attrs: dict[str, Any] | None = None, *, line: type[forms.Widget] = forms.TextInput
    ) -> None:
        lines: dict[str, forms.Widget | type[forms.Widget]] = {
            language: line(attrs={"lang": language}) for language in LANGUAGES
        }
        super().__init__(lines, attrs)

    def decompress(self, value: Mapping[str, str] | None) -> list[str | None]:
        """Its words, language by language."""
        return [(value or {}).get(language) for language in LANGUAGES]


class LocalizedFormField(forms.MultiValueField):
    """Words in each language that somebody has them in; those left empty are not in the map."""

    widget = LocalizedWidget

    def __init__(self, **kwargs: Any) -> None:
        lines = [forms.CharField(required=False) for _language in LANGUAGES]
        super().__init__(lines, require_all_fields=False, **kwargs)

    def compress(self, data_list: list[str]) -> dict[str, str]:
        """The map."""
        return {
            language: words for language, words in zip(LANGUAGES, data_list, strict=False) if words
        }


class LocalizedField(models.JSONField):
    """A `{"it": …, "en": …}` map of words."""

    default_validators = [validate_localized]

    def formfield(self, **kwargs: Any) -> Any:
        """An input for each language, not the map."""
        return models.Field.formfield(self, **{"form_class": LocalizedFormField, **kwargs})


def pick(words: Mapping[str, Any] | None) -> str:
    """The words in the active language, else Italian, else whichever language there is."""
    if not words:
        return ""
    language = (translation.get_language() or "it").split("-")[0]
    for candidate in (language, *LANGUAGES):
        if candidate in words:
            return str(words[candidate])
    return str(next(iter(words.values())))
