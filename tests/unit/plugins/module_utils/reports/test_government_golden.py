# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the government formats make of a small run, compared with files that a person has read.

SECURESCAN_WRITE_GOLDEN=1 writes the files anew; read what has changed before it is committed.
"""

from __future__ import annotations

import os
import pathlib

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.registry import REPORTS
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.report import write_report
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run, open_run
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_target,
    write_run,
)

GOLDEN = pathlib.Path(__file__).parent / "golden_government"
FORMATS = ("ckl", "cklb", "xccdf", "oscal", "oscal_component")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    texts = {
        "desc": "Only root has user id 0.",
        "descriptions": {"rationale": "Whoever has it is root.", "check": "Read it.", "fix": "Remove <it>."},
        "tags": {"nist": ["AC-6", "AC-6(10)"], "cci": ["CCI-000366"]},
    }
    target = make_target()
    document = make_document(
        target, make_control("c-failed", "failed", impact=0.9, **texts), make_control("c-unread", "skipped")
    )
    return open_run(str(write_run(tmp_path_factory.mktemp("results"), "run-1", [(target, document)])))


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_as_its_golden_file(name: str, run: Run, tmp_path: pathlib.Path) -> None:
    path = write_report(REPORTS[name], run, tmp_path)
    if path.is_dir():
        (path,) = path.iterdir()
    # a digest is of the documents, which hold the version of the collection
    data = path.read_bytes().replace(run.sha256.encode(), b"SHA-256 OF THE SUMMARY")
    golden = GOLDEN / f"{name}{path.suffix}"
    if os.environ.get("SECURESCAN_WRITE_GOLDEN"):
        golden.write_bytes(data)
    assert data == golden.read_bytes(), (
        f"{golden.name}: look at the difference, then SECURESCAN_WRITE_GOLDEN=1"
    )


def test_every_golden_file_is_of_a_format() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {*FORMATS}
