# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documents of `hdf` in the real Heimdall Lite, as a person opens them, and in the SAF CLI."""

from __future__ import annotations

import functools
import http.server
import json
import pathlib
import re
import threading
from collections import Counter
from collections.abc import Iterator

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.registry import REPORTS
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.report import write_report
from ansible_collections.securescan.kubernetes.tests.support.cases_run import CASES, write_cases_run
from ansible_collections.securescan.kubernetes.tests.support.format_readers.hdf import controls
from ansible_collections.securescan.kubernetes.tests.support.format_readers.programs import (
    run as run_program,
)
from ansible_collections.securescan.kubernetes.tests.support.format_readers.programs import saf_installation
from ansible_collections.securescan.kubernetes.tests.support.hostile_contents import write_hostile_run
from ansible_collections.securescan.kubernetes.tests.support.report_pages import browse

WORDS = ("Passed", "Failed", "Not Applicable", "Not Reviewed", "Profile Error")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def heimdall() -> Iterator[str]:
    """Its address. It comes with the SAF CLI."""
    folder = saf_installation() / "node_modules" / "@mitre" / "heimdall-lite" / "dist"
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    ) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def shown(heimdall: str, document: pathlib.Path, total: int) -> str:
    said = browse(
        "heimdall.test.mjs",
        document.parent,
        HEIMDALL=heimdall,
        DOCUMENT=str(document),
        TOTAL=str(total),
    )
    text: str = json.loads(said.partition("SHOWN ")[2].splitlines()[0])
    return text


def counts(text: str) -> dict[str, int]:
    """The numbers of its chart, which stand before their words."""
    found = re.search(
        r"Status Counts\n((?:\d+\n)+)Total\n\d+\n((?:[A-Z][A-Za-z ]+\n)+?)Severity Counts", text
    )
    assert found is not None, text[:2000]
    numbers, words = found.group(1).split(), found.group(2).strip().split("\n")
    # it draws no number for what there is none of
    return dict(zip(words, map(int, numbers))) if len(numbers) == len(words) else {}


def test_heimdall_shows_each_container_with_its_status(heimdall: str, tmp_path: pathlib.Path) -> None:
    folder = write_report(REPORTS["hdf"], write_cases_run(tmp_path), tmp_path)
    (document,) = folder.glob("run-1~*.json")
    text = shown(heimdall, document, len(CASES))
    assert counts(text) == Counter(status for _id, _tags, status, _waived in controls(folder, "run"))
    assert "1 Waived Test" in text


def test_hostile_contents_do_nothing_in_heimdall(heimdall: str, tmp_path: pathlib.Path) -> None:
    folder = write_report(REPORTS["hdf"], write_hostile_run(tmp_path), tmp_path)
    (document,) = folder.glob("run-1~*.json")
    found = controls(folder, "run")
    text = shown(heimdall, document, len(found))
    assert "Passed: 0" in text


def test_the_saf_cli_counts_the_same(tmp_path: pathlib.Path) -> None:
    folder = write_report(REPORTS["hdf"], write_cases_run(tmp_path), tmp_path)
    (document,) = folder.glob("run-1~*.json")
    saf = str(saf_installation() / "node_modules" / ".bin" / "saf")
    said = run_program([saf, "view", "summary", "-f", "json", "-i", str(document)], tmp_path)
    (summary,) = json.loads(said[said.index("[") :])
    ours = Counter(status for _id, _tags, status, _waived in controls(folder, "run"))
    names = {"passed": "Passed", "failed": "Failed", "skipped": "Not Reviewed", "no_impact": "Not Applicable"}
    names["error"] = "Profile Error"
    assert {word: summary[name]["total"] for name, word in names.items()} == ours
