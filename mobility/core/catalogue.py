"""Message catalogues without gettext: collect the texts of the sources, compile what is translated.

English stands in the sources, so only Italian needs a catalogue: `locale/it/LC_MESSAGES/django.po`
for people to edit, and the compiled `django.mo` beside it, committed, so that a bare machine needs no tool.
"""

import ast
import dataclasses
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polib
from django.utils.translation.template import templatize

# What each function's first arguments are, whatever stands behind `_lazy` or `_noop`.
SIGNATURES = {
    "_": ("msgid",),
    # For texts that are needed at once, or later, in a module where `_` means the other.
    "_now": ("msgid",),
    "_later": ("msgid",),
    "gettext": ("msgid",),
    "pgettext": ("context", "msgid"),
    "ngettext": ("msgid", "plural"),
    "npgettext": ("context", "msgid", "plural"),
}
SOURCES = ("mobility", "charging", "fleet", "bookings", "templates")


@dataclasses.dataclass(frozen=True)
class Text:
    """A text of the sources, with its plural and context if it has them."""

    msgid: str
    plural: str = ""
    context: str = ""


def collect(root: Path) -> dict[Text, list[str]]:
    """Every translatable text below `root`, with the files it stands in, sorted."""
    found: dict[Text, set[str]] = {}
    for folder in SOURCES:
        for path in sorted((root / folder).rglob("*")):
            for text in _texts_of(path):
                found.setdefault(text, set()).add(path.relative_to(root).as_posix())
    return {text: sorted(found[text]) for text in sorted(found, key=dataclasses.astuple)}


def update(*, catalogue: polib.POFile, texts: dict[Text, list[str]]) -> polib.POFile:
    """The catalogue with exactly `texts` in it: known translations kept, lost texts dropped."""
    known = {
        Text(entry.msgid, entry.msgid_plural or "", entry.msgctxt or ""): entry
        for entry in catalogue
    }
    fresh = polib.POFile(wrapwidth=100)
    fresh.metadata = catalogue.metadata
    for text, files in texts.items():
        entry = known.get(text) or polib.POEntry(msgid=text.msgid, msgctxt=text.context or None)
        entry.occurrences = [(file, "") for file in files]
        entry.obsolete = False
        entry.flags = ["python-format"] if re.search(r"%\(\w+\)[sd]|%[sd]", text.msgid) else []
        if text.plural:
            entry.msgid_plural = text.plural
            entry.msgstr_plural = entry.msgstr_plural or {0: "", 1: ""}
        fresh.append(entry)
    return fresh


def problems(catalogue: polib.POFile) -> Iterator[str]:
    """What is wrong with a catalogue: texts without a translation, parameters unknown or lost."""
    for entry in catalogue:
        translations = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
        if not all(translations):
            yield f"not translated: {entry.msgid!r}"
            continue
        wanted = _parameters(entry.msgid) | _parameters(entry.msgid_plural or "")
        for translation in translations:
            if not _parameters(translation) <= wanted:
                yield f"unknown parameter in the translation of {entry.msgid!r}"
            # "One vehicle" needs no number; everything else needs all that the original has.
            elif not entry.msgid_plural and _parameters(translation) != wanted:
                yield f"lost parameter in the translation of {entry.msgid!r}"


def _parameters(words: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)[sd]|%[sd%]|\{\w+\}", words))


def _texts_of(path: Path) -> Iterable[Text]:
    if path.suffix == ".py" and "migrations" not in path.parts:
        return _texts_of_python(path.read_text(encoding="utf-8"))
    if path.suffix in {".html", ".txt"} and "templates" in path.parts:
        # Django turns a template into lines that look like calls of gettext.
        return _texts_of_template(templatize(path.read_text(encoding="utf-8")))
    return ()


def _texts_of_python(source: str) -> Iterator[Text]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            words = [getattr(argument, "value", None) for argument in node.args]
            yield from _text(name, words)


_STRING = r"""u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_CALL = re.compile(
    rf"\b(_|n?p?gettext)\(\s*{_STRING}(?:\s*,\s*{_STRING})?(?:\s*,\s*{_STRING})?", re.DOTALL
)


def _texts_of_template(calls: str) -> Iterator[Text]:
    for name, *strings in _CALL.findall(calls):
        yield from _text(name, [ast.literal_eval(string) for string in strings if string])


def _text(function: str, words: list[Any]) -> Iterator[Text]:
    """The text of a call, if it is a call of gettext whose words stand in the source."""
    signature = SIGNATURES.get(function.removesuffix("_lazy").removesuffix("_noop"), ())
    given = words[: len(signature)]
    if signature and len(given) == len(signature) and all(isinstance(word, str) for word in given):
        yield Text(**dict(zip(signature, given, strict=True)))
