"""The words of frames and of what is forgiven in them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Direction(models.TextChoices):
    """Who sent a frame."""

    IN = "in", pgettext_lazy("frame", "from the station")
    OUT = "out", pgettext_lazy("frame", "to the station")


class Quirk(models.TextChoices):
    """A breach of the standard that a leniency profile forgives, and how.

    Those of the first group are looked for only in payloads that the schema refuses; the last
    two change what valid payloads mean, so they are applied to every one of the make.
    """

    ENUM_CASE = "enum_case", _("words in other letter case or with other separators")
    UNKNOWN_WORD = "unknown_word", _("words outside a list, where the field may be left out")
    NUMBER_AS_TEXT = "number_as_text", _("numbers written as text")
    TEXT_AS_NUMBER = "text_as_number", _("texts written as numbers")
    LOOSE_TIME = "loose_time", _("times without zone, with a blank or a short offset")
    NULL_FIELD = "null_field", _("null for fields that are left out")
    EXTRA_FIELD = "extra_field", _("fields that do not exist")
    OBJECT_FOR_LIST = "object_for_list", _("one object in place of a list")
    EMPTY_LIST = "empty_list", _("empty lists of values")
    TOO_LONG = "too_long", _("texts that are too long, cut off")
    STRAY_COMMA = "stray_comma", _("commas too many in JSON")
    KWH_AS_WH = "kwh_as_wh", _("energy in kWh without saying so")
    WH_AS_KWH = "wh_as_kwh", _("energy in Wh that is called kWh")
