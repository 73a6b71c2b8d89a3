"""The catalogue: what is collected from the sources, and what is found wrong in a translation."""

from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from mobility.core import catalogue
from mobility.core.catalogue import Text

CODE = """
from django.utils.translation import gettext_lazy as _, ngettext_lazy, npgettext, pgettext_lazy

RIDE = _("Ride " "on")
PRICE = pgettext_lazy("price", "Unlock")
DAYS = ngettext_lazy("%(count)d day", "%(count)d days", "count")
LAMPS = npgettext("street", "lamp", "lamps", 2)
LATER = _(RIDE)
"""

PAGE = """{% load i18n %}
<p title="{% translate "Map" %}">{% translate "Unlock" context "price" %}</p>
{% blocktranslate %}Hello {{ name }}{% endblocktranslate %}
{% blocktranslate count counter=bikes %}one bike{% plural %}{{ counter }} bikes{% endblocktranslate %}
{% blocktranslate context "street" count counter=lamps %}lamp{% plural %}lamps{% endblocktranslate %}
"""


def _entry(msgid: str, *, plural: str = "", it: str | tuple[str, str] = "") -> polib.POEntry:
    if isinstance(it, tuple):
        return polib.POEntry(msgid=msgid, msgid_plural=plural, msgstr_plural=dict(enumerate(it)))
    return polib.POEntry(msgid=msgid, msgstr=it)


def _problems(*entries: polib.POEntry) -> list[str]:
    book = polib.POFile()
    book.extend(entries)
    return list(catalogue.problems(book))


def test_every_way_of_marking_a_text_is_collected(tmp_path: Path) -> None:
    (tmp_path / "fleet").mkdir()
    (tmp_path / "templates").mkdir()
    (tmp_path / "fleet" / "words.py").write_text(CODE)
    (tmp_path / "templates" / "page.html").write_text(PAGE)

    found = catalogue.collect(tmp_path)

    assert found == {
        Text("%(count)d day", plural="%(count)d days"): ["fleet/words.py"],
        Text("Hello %(name)s"): ["templates/page.html"],
        Text("Map"): ["templates/page.html"],
        Text("Ride on"): ["fleet/words.py"],
        Text("Unlock", context="price"): ["fleet/words.py", "templates/page.html"],
        Text("lamp", plural="lamps", context="street"): ["fleet/words.py", "templates/page.html"],
        Text("one bike", plural="%(counter)s bikes"): ["templates/page.html"],
    }


def test_an_update_keeps_translations_and_drops_lost_texts() -> None:
    book = polib.POFile()
    book.extend([_entry("Map", it="Mappa"), _entry("Gone", it="Via")])

    fresh = catalogue.update(
        catalogue=book, texts={Text("Map"): ["a.py"], Text("Map", context="verb"): ["b.py"]}
    )

    assert [(entry.msgid, entry.msgctxt, entry.msgstr) for entry in fresh] == [
        ("Map", None, "Mappa"),
        ("Map", "verb", ""),
    ]


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (_entry("Map"), "not translated: 'Map'"),
        (_entry("%(km)s km", it="%(m)s km"), "unknown parameter in the translation of '%(km)s km'"),
        (_entry("{km} km", it="km"), "lost parameter in the translation of '{km} km'"),
        (_entry("%(pct)s %% full", it="pieno al %(pct)s %"), "lost parameter"),
        (_entry("Done: %s", it="Fatto"), "lost parameter"),
    ],
)
def test_what_a_translation_gets_wrong_is_named(entry: polib.POEntry, problem: str) -> None:
    (found,) = _problems(entry)
    assert found.startswith(problem)


def test_a_singular_may_leave_out_its_number() -> None:
    assert not _problems(
        _entry("%(n)d bike", plural="%(n)d bikes", it=("una bici", "%(n)d bici")),
        _entry("{km} km of %(name)s", it="{km} km di %(name)s"),
    )


def test_the_compiled_catalogue_is_what_the_pages_speak() -> None:
    book = polib.pofile(str(Path(settings.BASE_DIR) / "locale/it/LC_MESSAGES/django.po"))
    entry = book.find("Unlock", msgctxt="price")
    assert entry is not None
    with translation.override("it"):
        assert translation.pgettext("price", "Unlock") == entry.msgstr != "Unlock"
        assert translation.gettext("Unlock") not in {"Unlock", entry.msgstr}
    with translation.override("en"):
        assert translation.pgettext("price", "Unlock") == "Unlock"


@pytest.mark.django_db
@pytest.mark.parametrize(("language", "word"), [("it", "Monopattini"), ("en", "Scooters")])
def test_the_map_speaks_the_language_of_its_visitor(
    client: Client, language: str, word: str
) -> None:
    page = client.get("/", headers={"accept-language": language})
    assert word in page.content.decode()
