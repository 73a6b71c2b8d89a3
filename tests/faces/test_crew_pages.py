"""The crews' pages before their scripts run: who opens them, what they bring, what is kept for later."""

import json
import re

import pytest
from django.test import Client

from mobility.core.offline import worker_response
from tests.faces.test_shells import facts, read
from tests.fleet.rebalancing import conftest as nights

night = nights.night
draft = nights.draft
published = nights.published


@pytest.fixture
def van(sara):
    browser = Client(headers={"accept-language": "en"})
    browser.force_login(sara, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def test_the_route_is_for_crews(van, sara, giulia):
    stranger = Client()
    assert stranger.get("/crew/").headers["Location"] == "/accounts/login/?next=%2Fcrew%2F"
    stranger.force_login(giulia, backend="django.contrib.auth.backends.ModelBackend")
    assert stranger.get("/crew/").status_code == 403
    page = van.get("/crew/")
    assert page.status_code == 200
    assert read(page.content.decode()).found == []
    told = facts(page.content.decode())
    assert (told["me"], told["decides"]) == (str(sara.public_id), False)
    assert "csrftoken" in page.cookies


def test_the_worker_keeps_the_page_and_all_it_imports(van):
    answer = van.get("/crew/worker.js")
    assert answer.headers["Service-Worker-Allowed"] == "/crew/"
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Cache-Control"] == "no-cache"
    shell = json.loads(re.match(r"const SHELL = (.*);\n", answer.content.decode())[1])
    assert shell["pages"] == ["/crew/"]
    kept = set(shell["assets"])
    page = van.get("/crew/").content.decode()
    asked = set(re.findall(r'(?:href|src)="(/static/[^"#]+)', page))
    assert asked <= kept | {"/static/img/icons.svg"}
    assert {f"/static/js/crew/{name}.js" for name in ("queue", "store", "ways", "scan")} <= kept
    assert "/static/js/api.js" in kept


def test_another_content_is_another_version(tmp_path, settings):
    settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, tmp_path]
    settings.WHITENOISE_AUTOREFRESH = True
    from django.contrib.staticfiles import finders

    finders.get_finder.cache_clear()
    script = tmp_path / "own.js"

    def version():
        answer = worker_response(name="own", scope="/", pages=["/"], entries=["own.js"])
        return json.loads(answer.content.decode().split(";\n")[0].removeprefix("const SHELL = "))[
            "version"
        ]

    script.write_text("export const a = 1;\n")
    before = version()
    script.write_text("export const a = 2;\n")
    assert version() != before
    finders.get_finder.cache_clear()


def test_the_sheet_says_what_to_load_and_where_to_go(van, published, rivale):
    address = f"/crew/sheet/?plan={published.public_id}&van=0"
    page = van.get(address).content.decode()
    assert read(page).found == []
    assert "charged batteries for" in page
    assert "SURPLUS" in page
    assert '<path d="M' in page
    assert van.get(f"/crew/sheet/?plan={published.public_id}&van=9").status_code == 404
    assert van.get("/crew/sheet/?plan=no&van=0").status_code == 404
    other = Client()
    other.force_login(rivale, backend="django.contrib.auth.backends.ModelBackend")
    assert other.get(address).status_code == 404


def test_the_sheet_is_a_file_too(van, published):
    answer = van.get(f"/crew/sheet.pdf?plan={published.public_id}&van=0")
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")
    assert "inline" in answer.headers["Content-Disposition"]
