"""What is not documented does not exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def read_names() -> set[str]:
    source = (ROOT / "mobility" / "settings.py").read_text(encoding="utf-8")
    by_env = re.findall(r'\benv\.\w+\(\s*"([A-Z_]+)"', source)
    return {*by_env, *re.findall(r'os\.environ\.get\("([A-Z_]+)"', source)}


def test_every_setting_stands_on_its_page_and_nothing_else() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([A-Z_]+)`", page, re.MULTILINE)) == read_names()
