# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page report.html is what its source makes, and is read in a real browser. What is asked of it stands in tests/browser/."""

from __future__ import annotations

import http.server
import os
import pathlib
import threading
from collections.abc import Iterator

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.page_file import page_template
from ansible_collections.securescan.kubernetes.tests.environment.page_build import build, python_file
from ansible_collections.securescan.kubernetes.tests.support.report_pages import (
    CHECKOUT,
    ROOT,
    browse,
    write_pages,
)

MOST_BYTES = 300_000


class Visits:
    """A server that counts who comes: nobody should."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        paths = self.paths

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                paths.append(self.path)
                self.send_error(404)

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def visits() -> Iterator[Visits]:
    server = Visits()
    yield server
    server.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, visits: Visits) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("pages")
    write_pages(folder, tmp_path_factory.mktemp("runs"), visits.address)
    return folder


def test_the_page_of_the_collection_is_the_build_of_its_source() -> None:
    built = build(ROOT / "page", check_types=True)
    assert built == page_template(), "make page"
    file = ROOT / "plugins" / "module_utils" / "reports" / "page_file.py"
    assert file.read_text(encoding="ascii").startswith(python_file(built)[:1000])
    assert len(built.encode()) < MOST_BYTES
    assert "eval(" not in built and "new Function" not in built
    assert "://" not in built.replace("http://www.w3.org/", ""), "it names no address"


@pytest.mark.parametrize("file", ["reading.test.mjs", "finding.test.mjs", "speed.test.mjs"])
def test_in_a_browser(file: str, pages: pathlib.Path) -> None:
    # ten times what is asked of the page on a machine of its own: here it is read beside other tests
    browse(file, pages, OPENS="20000", FILTERS="3000")


def test_hostile_names_and_contents_are_inert(pages: pathlib.Path, visits: Visits) -> None:
    browse("hostile.test.mjs", pages, SERVER=visits.address)
    assert visits.paths == []


def test_the_pictures_of_the_documentation(pages: pathlib.Path) -> None:
    """With SECURESCAN_WRITE_DOCS=1 they are written."""
    pictures = CHECKOUT / "docs" / "pictures"
    if os.environ.get("SECURESCAN_WRITE_DOCS") == "1":
        pictures.mkdir(exist_ok=True)
        browse("pictures.mjs", pages, PICTURES=str(pictures))
    for name in ("page.png", "page-where-dark.png"):
        assert 10_000 < (pictures / name).stat().st_size < 250_000
