# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages for a browser: of a run, of a fleet, of hostile containers, and the tests in tests/browser/ over them."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess

from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.html import write_page
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.markdown import REPORT as MARKDOWN
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.page_source import PageSource
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.gate import decide
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run, open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.threshold import DEFAULT_THRESHOLD
from ansible_collections.securescan.kubernetes.tests.cluster import debian_packages
from ansible_collections.securescan.kubernetes.tests.environment.page_build import node_modules
from ansible_collections.securescan.kubernetes.tests.support.sample_page import sample_source
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_target,
    rendered,
    write_run,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_run import HOSTILE, write_sample_run

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The tests run in a copy of the checkout, which is kept in its folder build/.
_IN_COPY = ("build", "collections", "ansible_collections", "securescan", "kubernetes")
CHECKOUT = ROOT.parents[4] if ROOT.parts[-5:] == _IN_COPY else ROOT


def attacks(server: str) -> list[str]:
    """Names and contents that try to run a script in the page, or to call home."""
    script = f"globalThis.pwned=1;fetch('{server}/script')"
    return [
        f'<img src=x onerror="{script}">',
        f"</script><script>{script}</script>",
        f"<!--<script>{script}</script>-->",
        f'"><svg onload="{script}">',
        f"javascript:{script}",
        f"<style>@import '{server}/style'</style>",
        f'<meta http-equiv="refresh" content="0;url={server}/meta">',
        f'<base href="{server}/"><link rel=stylesheet href=x>',
        f"]]>\u2028\u2029{server}/plain",
        "{{ constructor.constructor('globalThis.pwned=1')() }}",
        "__proto__",
        "constructor",
        "../../../../etc/passwd",
        HOSTILE,
    ]


def write_page_file(path: pathlib.Path, source: PageSource) -> None:
    with path.open("w", encoding="utf-8") as stream:
        write_page(source, stream)


def hostile_run(folder: pathlib.Path, server: str) -> Run:
    documents = []
    for number, text in enumerate(attacks(server)):
        target = make_target(
            f"pod-{number}",
            text,
            namespace=text,
            workload=text,
            workload_kind=text,
            node=text,
            image=text,
            image_digest=text,
        )
        control = make_control(
            text, "failed", impact=0.9, title=text, desc=text, descriptions={"fix": text}, tags={text: [text]}
        )
        control.results[0] = type(control.results[0])(
            "failed", text, "2026-11-23T10:00:00Z", 0.1, message=text
        )
        documents.append((target, make_document(target, control)))
    return open_run(str(write_run(folder, "run-1", documents)))


def passed_run(folder: pathlib.Path, *statuses: str) -> Run:
    """A run that passed the gate: its only container has a control of low severity with each of the statuses. Without any,
    nothing was to be scanned."""
    controls = [make_control(f"c-{number}", status, impact=0.1) for number, status in enumerate(statuses)]
    documents = [(make_target(), make_document(make_target(), *controls))] if controls else []
    run = open_run(str(write_run(folder, "run-1", documents, allow_empty=not documents)))
    named = [(target.hdf, document) for target, (_target, document) in zip(run.targets, documents)]
    gate = decide(DEFAULT_THRESHOLD, named, run.expected_targets(), is_empty=not documents)
    assert gate.passed, gate.reasons
    return run.with_gate(gate)


def write_pages(pages: pathlib.Path, work: pathlib.Path, server: str) -> None:
    """Writes run.html, alone.html, hostile.html, fleet.html, large.html (10,000 targets), and of runs that passed their gate
    passed.html, empty.html, partly.html, altered.html. summaries.json has the summary.md of some."""
    run = write_sample_run(work / "sample")
    alone = make_document(make_target(), make_control("c", "failed", impact=0.9))
    folder = write_run(work / "alone", "run-1", [(make_target(), alone)])
    write_page_file(pages / "alone.html", PageSource.of_run(open_run(str(folder))))
    runs = {
        "run": run,
        "passed": passed_run(work / "passed", "passed"),
        "empty": passed_run(work / "empty"),
        "partly": passed_run(work / "partly", "passed", "passed", "passed", "passed", "skipped"),
    }
    for name, one in runs.items():
        write_page_file(pages / f"{name}.html", PageSource.of_run(one))
    summaries = {f"{name}.html": rendered(MARKDOWN, one) for name, one in runs.items()}
    (pages / "summaries.json").write_text(json.dumps(summaries), encoding="utf-8")
    altered = passed_run(work / "altered", "passed")
    for document in (pathlib.Path(altered.folder) / "hdf").iterdir():
        document.write_text("{}")
    write_page_file(pages / "altered.html", PageSource.of_run(altered))
    write_page_file(pages / "hostile.html", PageSource.of_run(hostile_run(work / "hostile", server)))
    write_page_file(pages / "fleet.html", sample_source(12, 1500))
    write_page_file(pages / "large.html", sample_source(100, 12_900, replicas=1))


def browse(file: str, pages: pathlib.Path, **variables: str) -> str:
    """Runs a file of tests/browser/ with a real Chromium. Returns what it printed.

    :raises AssertionError: one of its tests failed
    """
    debian_packages.ensure(["chromium"])
    environment = {
        **os.environ,
        "NODE_MODULES": str(node_modules(ROOT / "page")),
        "PAGES": str(pages),
        "CHROMIUM": str(debian_packages.path_of("chromium")),
        **variables,
    }
    done = subprocess.run(
        ["node", "--test", "--test-reporter=spec", str(ROOT / "tests" / "browser" / file)],
        env=environment,
        check=False,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    return done.stdout
