"""Pages that open without a network: one service worker, served for each scope that wants one.

A worker keeps the static files of its pages by a version of their contents, and the last answer of the
pages themselves. Nothing else is kept: what the API says is never answered from yesterday.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.templatetags.static import static

WORKER = "js/offline/worker.js"
# What every page with a map looks like: style, typeface, signs; the map is drawn without tiles as well.
LOOKS = (
    "css/house.css",
    "css/forms.css",
    "vendor/maplibre-gl-6.17.0/maplibre-gl.css",
    "vendor/maplibre-gl-6.17.0/maplibre-gl.mjs",
    "vendor/maplibre-gl-6.17.0/maplibre-gl-worker.mjs",
    "vendor/hanken-grotesk-5.3.0/hanken-grotesk-latin-wght-normal.woff2",
    "vendor/hanken-grotesk-5.3.0/hanken-grotesk-latin-ext-wght-normal.woff2",
    "img/icons.svg",
    "img/mark.svg",
    "img/mark-192.png",
)
# Also what a script fetches only when it is needed: without a network that would be too late.
_IMPORTS = re.compile(
    r"""(?:^\s*(?:import|export)\s[^;]*?|\bimport\()["'](\.{1,2}/[^"']+)["']""", re.MULTILINE
)
_STYLES = re.compile(r"""@import\s+url\(["']?([^"')]+)["']?\)""")
_LINKED = {".js": _IMPORTS, ".mjs": _IMPORTS, ".css": _STYLES}


def worker_response(
    *,
    name: str,
    scope: str,
    pages: Iterable[str],
    entries: Iterable[str],
    parts: Iterable[str] = (),
    visited: Iterable[str] = (),
    instead: str = "",
) -> HttpResponse:
    """The script of the worker `name`, which keeps `pages` (addresses below `scope`) at hand.

    `entries` are the static files those pages ask for, as in `{% static %}`; what they import comes
    with them. `parts` are further static scripts for the worker itself, such as one that shows
    notifications. Addresses that match one of the patterns `visited` are kept from when they were
    last open; for every other page below `scope` that cannot be had, `instead` is shown. Serve it at an address of its own that never changes.
    """
    shell = {
        "name": name,
        "scope": scope,
        "pages": list(pages),
        "visited": list(visited),
        "instead": instead,
        "icon": static("img/mark-192.png"),
        "parts": [static(part) for part in parts],
        **_kept(tuple(entries), (WORKER, *parts)),
    }
    response = HttpResponse(
        f"const SHELL = {json.dumps(shell)};\n{_found(WORKER).read_text(encoding='utf-8')}",
        content_type="text/javascript; charset=utf-8",
    )
    # Browsers look for a new one themselves; between them and us nothing may keep an old one.
    response["Cache-Control"] = "no-cache"
    response["Service-Worker-Allowed"] = scope
    return response


def _kept(entries: tuple[str, ...], scripts: tuple[str, ...]) -> dict[str, str | list[str]]:
    """Addresses of all files to keep, and the version that their contents make."""
    changing = settings.DEBUG or settings.WHITENOISE_AUTOREFRESH
    return _read(entries, scripts) if changing else _read_once(entries, scripts)


def _read(entries: tuple[str, ...], scripts: tuple[str, ...]) -> dict[str, str | list[str]]:
    files = _files(entries)
    digest = hashlib.sha256()
    for name in (*files, *scripts):
        digest.update(name.encode() + b"\0" + _found(name).read_bytes())
    return {"version": digest.hexdigest()[:16], "assets": [static(name) for name in files]}


_read_once = cache(_read)


def _files(entries: tuple[str, ...]) -> tuple[str, ...]:
    """The entries and everything they import, each once."""
    known: dict[str, None] = {}
    waiting = list(entries)
    while waiting:
        name = waiting.pop(0)
        if name in known:
            continue
        known[name] = None
        linked = _LINKED.get(PurePosixPath(name).suffix)
        # Libraries are one file, or fetch their own parts as named by whoever lists them.
        if linked is not None and not name.startswith("vendor/"):
            text = _found(name).read_text(encoding="utf-8")
            waiting += [_beside(name, other) for other in linked.findall(text)]
    return tuple(known)


def _beside(name: str, other: str) -> str:
    """The static name of a relative reference."""
    parts: list[str] = []
    for part in (PurePosixPath(name).parent / other).parts:
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _found(name: str) -> Path:
    path = finders.find(name)
    if path is None:
        raise LookupError(f"no static file {name}")
    return Path(path)
