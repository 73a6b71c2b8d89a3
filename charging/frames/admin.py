"""Admin pages of frames, leniency profiles and where they were needed."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from charging.frames.decoding import plain_words
from charging.frames.models import QuirkCount, QuirkProfile, StationFrame
from charging.frames.states import Quirk
from charging.stations.admin import OPERATORS
from mobility.accounts.scoped_admin import ReadOnly, ScopedAdmin


@admin.register(StationFrame)
class StationFrameAdmin(ReadOnly, ScopedAdmin[StationFrame]):
    """What stations and we said to each other in the last days."""

    viewers = OPERATORS
    list_display = ("at", "station", "direction", "words", "version", "size")
    list_filter = ("direction", "version")
    list_select_related = ("station",)
    search_fields = ("=station__identity",)
    search_help_text = _("The station's identity.")
    ordering = ("-at", "-id")
    # Counting the frames of a week would cost more than showing them.
    show_full_result_count = False

    @admin.display(description=_("content"))
    def words(self, frame: StationFrame) -> str:
        """In plain words."""
        return plain_words(kind=frame.kind, action=frame.action, body=frame.body)


class QuirkProfileForm(forms.ModelForm[QuirkProfile]):
    """What is forgiven, as boxes to tick."""

    quirks = forms.MultipleChoiceField(
        label=_("forgiven"),
        choices=Quirk.choices,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = QuirkProfile
        fields = ("vendor", "model", "firmware", "quirks", "note", "active")


@admin.register(QuirkProfile)
class QuirkProfileAdmin(ScopedAdmin[QuirkProfile]):
    """What is forgiven to which make; edited by the house, read by operators."""

    viewers = OPERATORS
    deletable = True
    form = QuirkProfileForm
    list_display = ("vendor", "model", "firmware", "active", "note")
    list_filter = ("active",)
    search_fields = ("vendor", "model")
    ordering = ("vendor", "model", "firmware")


@admin.register(QuirkCount)
class QuirkCountAdmin(ReadOnly, ScopedAdmin[QuirkCount]):
    """Which stations break the standard, and how often."""

    viewers = OPERATORS
    list_display = ("station", "quirk", "times", "first_at", "last_at", "example")
    list_filter = ("quirk",)
    list_select_related = ("station",)
    search_fields = ("station__identity", "station__vendor", "station__model")
    ordering = ("-times",)
