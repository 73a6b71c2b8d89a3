"""The parts of the front end fit together: imports, icons, texts, actions, colours."""

import re
from pathlib import Path

import pytest

from mobility.resident.texts import TEXTS

ROOT = Path(__file__).resolve().parents[2]
STATIC, TEMPLATES = ROOT / "static", ROOT / "templates"
SCRIPTS = sorted((STATIC / "js").rglob("*.js"))
OURS = [STATIC / "js" / "resident"]
PAGES = [
    path
    for folder in ("resident", "includes", "allauth")
    for path in sorted((TEMPLATES / folder).rglob("*.html"))
]
ALL_PAGES = "\n".join(path.read_text() for path in [TEMPLATES / "base.html", *PAGES])
RESIDENT = "\n".join(path.read_text() for path in SCRIPTS if path.parent.name in {"resident", "js"})


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_import_leads_to_a_file(script: Path) -> None:
    for target in re.findall(
        r'^import .*?"(.+?)";$|from "(.+?)";', script.read_text(), re.MULTILINE
    ):
        address = next(filter(None, target))
        assert address.startswith("."), address
        assert (script.parent / address).resolve().is_file(), address


def test_every_named_icon_is_on_the_sheet() -> None:
    sheet = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "img" / "icons.svg").read_text()))
    used = set(re.findall(r'icon\.html" with (?:name|kind)="([\w-]+)"', ALL_PAGES))

    assert used
    assert used <= sheet


def test_every_sentence_that_scripts_ask_for_is_there_and_none_is_left_over() -> None:
    asked = set(re.findall(r'\btext\(\s*"([a-z_A-Z]+)"', RESIDENT)) | set(
        re.findall(r'part\("(\w+)"', RESIDENT)
    )
    quoted = set(re.findall(r'"([a-z_]+)"', RESIDENT))
    made_of = tuple(re.findall(r"`(\w+_)\$\{", RESIDENT))
    followed = {f"{key}_hint" for key in quoted}

    assert asked <= set(TEXTS)
    assert not {
        key for key in TEXTS if key not in quoted | followed and not key.startswith(made_of)
    }


def test_every_action_in_a_template_has_a_hand() -> None:
    offered = set(re.findall(r'data-do="(\w+)"', ALL_PAGES))
    taken = set(re.findall(r"^\s{2}(\w+)(?:,|:)", RESIDENT, re.MULTILINE)) | set(
        re.findall(r"onAction\(root, \{ (.+?) \}\)", RESIDENT)[0].replace(":", ",").split(", ")
    )

    assert offered <= taken


@pytest.mark.parametrize(
    "name", ["css/house.css", "css/resident.css", "css/forms.css", "css/paper.css", "css/own.css"]
)
def test_style_sheets_use_only_colours_of_the_house(name: str) -> None:
    sheet = (STATIC / name).read_text()
    defined = set(
        re.findall(r"^\s*(--[\w-]+):", (STATIC / "css" / "house.css").read_text(), re.MULTILINE)
    )
    defined |= set(re.findall(r"^\s*(--[\w-]+):", sheet, re.MULTILINE)) | {"--sheet-peek"}

    assert set(re.findall(r"var\((--[\w-]+)", sheet)) <= defined


# Text on ground, and the contrast that WCAG 2.1 AA asks for: 4.5 for text, 3 for the shape of a control.
PAIRS = [
    ("ink", "paper", 4.5),
    ("ink", "surface", 4.5),
    ("ink", "sunken", 4.5),
    ("ink-soft", "paper", 4.5),
    ("ink-soft", "surface", 4.5),
    ("brand", "paper", 4.5),
    ("brand", "surface", 4.5),
    ("brand", "brand-wash", 4.5),
    ("on-brand", "brand", 4.5),
    ("on-brand", "brand-deep", 4.5),
    ("on-sun", "sun", 4.5),
    ("ink", "sun-wash", 4.5),
    ("ink", "alert-wash", 4.5),
    ("alert", "surface", 4.5),
    ("alert", "alert-wash", 4.5),
    ("surface", "ink", 4.5),
    ("map-label", "map-district", 4.5),
    ("line-strong", "surface", 3.0),
    ("scooter", "surface", 3.0),
    ("bicycle", "surface", 3.0),
    ("car", "surface", 3.0),
    ("charger", "surface", 3.0),
]


def palettes() -> dict[str, dict[str, str]]:
    sheet = (STATIC / "css" / "house.css").read_text()
    blocks = re.findall(r":root \{(.*?)\}", sheet, re.DOTALL)
    light, dark = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in blocks[:2])
    return {"light": light, "dark": light | dark}


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.1."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground", "least"), PAIRS)
def test_colours_can_be_told_apart(theme: str, text: str, ground: str, least: float) -> None:
    colours = palettes()[theme]
    bright, dim = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)

    assert (bright + 0.05) / (dim + 0.05) >= least


def test_the_maps_library_is_asked_for_by_one_address() -> None:
    versions = {
        version
        for folder in ("static/js", "templates", "mobility")
        for file in (ROOT / folder).rglob("*.*")
        if file.suffix in {".js", ".html", ".py"}
        for version in re.findall(r"vendor/(maplibre-gl-[\d.]+)/", file.read_text())
    }
    assert len(versions) == 1
    assert (ROOT / "static" / "vendor" / versions.pop() / "maplibre-gl.mjs").exists()


def test_vendored_libraries_come_with_their_licences() -> None:
    folders = [path for path in (STATIC / "vendor").iterdir() if path.is_dir()]

    assert folders
    for folder in folders:
        assert list(folder.glob("LICENSE*")), folder.name
        assert re.search(r"-\d+\.\d+\.\d+$", folder.name)
    for name in re.findall(
        r"vendor/([\w.-]+?)/", ALL_PAGES + RESIDENT + (STATIC / "css/house.css").read_text()
    ):
        assert (STATIC / "vendor" / name).is_dir(), name


def test_no_page_reaches_for_another_host() -> None:
    for path in [*SCRIPTS, *PAGES, *sorted((STATIC / "css").glob("*.css"))]:
        assert not re.search(
            r"(?:https?:)?//[a-z][\w-]*\.[a-z]",
            re.sub(r"^\s*//.*$", "", path.read_text(), flags=re.MULTILINE),
        ), path
