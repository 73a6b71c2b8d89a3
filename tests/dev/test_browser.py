"""The browser that `./dev test` brings draws plain pages and maps."""

import functools
import os
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.dev.conftest import ROOT

CHROMIUM = os.environ.get("CHROMIUM", "")
FLAGS = ["--no-sandbox", "--disable-quic", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]

pytestmark = [
    pytest.mark.long,
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium: ./dev test --browser brings one"),
]

MAP_PAGE = """<!doctype html><title>Milano</title>
<div id="map" style="width: 300px; height: 300px"></div>
<script type="module" src="/map.js"></script>"""
MAP_SCRIPT = """
import * as maplibregl from "/vendor/{library}/maplibre-gl.mjs";
const ring = [[9.1, 45.4], [9.3, 45.4], [9.3, 45.5], [9.1, 45.5], [9.1, 45.4]];
const data = {{type: "Feature", properties: {{}}, geometry: {{type: "Polygon", coordinates: [ring]}}}};
const layer = {{id: "area", type: "fill", source: "area", paint: {{"fill-color": "#ff0000"}}}};
const map = new maplibregl.Map({{
  container: "map", center: [9.2, 45.45], zoom: 12, canvasContextAttributes: {{preserveDrawingBuffer: true}},
  style: {{version: 8, sources: {{area: {{type: "geojson", data}}}}, layers: [layer]}},
}});
map.on("idle", () => {{
  const drawn = map.queryRenderedFeatures({{layers: ["area"]}}).length;
  document.getElementById("map").dataset.drawn = drawn > 0 ? "yes" : "no";
}});
"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a word."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript"}

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class names it so
        """Say nothing."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """A page with a map, served from a folder."""
    library = next((ROOT / "static/vendor").glob("maplibre-gl-*")).name
    (tmp_path / "vendor").symlink_to(ROOT / "static/vendor")
    (tmp_path / "index.html").write_text(MAP_PAGE)
    (tmp_path / "map.js").write_text(MAP_SCRIPT.format(library=library))
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def page() -> Iterator[Page]:
    """A page in the browser that we were given."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser.new_page()
        browser.close()


def test_it_draws_words(page: Page) -> None:
    page.set_content("<h1>Porta Romana</h1>")
    assert page.inner_text("h1") == "Porta Romana"
    width = page.evaluate(
        "document.fonts.ready.then(() => document.querySelector('h1').offsetHeight)"
    )
    assert width > 0


def test_it_draws_a_map(page: Page, site: str) -> None:
    page.goto(site)
    page.wait_for_selector("#map[data-drawn='yes']", timeout=30_000)
