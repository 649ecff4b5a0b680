# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file for an import set of ServiceNow."""

from __future__ import annotations

import csv
import json
import pathlib

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.report import scan_report_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.report import run_scan_report
from ansible_collections.securescan.kubernetes.tests.support.stored_runs import Nights, target

RULES = {"items": [{"workload": "api", "item": "CI0001"}, {"namespace": "shop", "item": "=SHOP"}]}


def rows(run: Run, folder: pathlib.Path, formats: tuple[str, ...] = ("servicenow",)) -> list[dict[str, str]]:
    items = folder / "items.json"
    items.write_text(json.dumps(RULES))
    given = {name: rule.get("default") for name, rule in scan_report_spec().items()}
    given.update(run_dir=run.folder, formats=list(formats), configuration_items=str(items))
    result = run_scan_report(given, TaskContext(check_mode=False, environ={}))
    with pathlib.Path(result["files"][0]).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_each_control_of_a_place_has_one_row_with_its_item(tmp_path: pathlib.Path) -> None:
    replicas = [target(f"api-{number}") for number in (1, 2)]
    bare = target("bare-1", namespace="web")
    run = Nights(tmp_path).scan(
        0, {replicas[0]: {}, replicas[1]: {"c-root": "failed"}, target("db-1"): {}}, missing=[bare]
    )
    found = rows(run, tmp_path)
    assert len(found) == 3 + 3 + 1 == len({row["correlation_id"] for row in found})
    of = {(row["workload"], row["control"]): row for row in found}
    assert of["api", "c-root"]["status"] == "failed" and of["api", "c-shell"]["status"] == "passed"
    assert {of[name, "c-root"]["configuration_item"] for name in ("api", "db")} == {"CI0001", "'=SHOP"}
    assert (of["bare", ""]["status"], of["bare", ""]["configuration_item"]) == ("not_scanned", "")
    again = rows(Nights(tmp_path).scan(1, {replicas[0]: {}}), tmp_path)
    assert {row["correlation_id"] for row in again} < {row["correlation_id"] for row in found}


def test_configuration_items_without_the_format_are_refused(tmp_path: pathlib.Path) -> None:
    run = Nights(tmp_path).scan(0, {target("api-1"): {}})
    with pytest.raises(ScanError, match="only the format servicenow has configuration_items"):
        rows(run, tmp_path, ("csv",))
