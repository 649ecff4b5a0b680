# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the README shows is what the collection prints and ships."""

from __future__ import annotations

import pathlib
import re

import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.registry import REPORTS
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.table import render_table
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import parse_run

ROOT = pathlib.Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# the summary of a run of `make demo`
DEMO = pathlib.Path(__file__).with_name("demo_summary.json")


def test_the_table_of_the_demo_is_what_its_results_give() -> None:
    table = render_table(parse_run(DEMO.read_bytes(), DEMO.name))
    shown = re.search(r"```text\n(WORKLOAD .*?)\n```", README, re.DOTALL)
    assert shown, "no table"
    *lines, rest = shown.group(1).splitlines()
    assert rest == "..." and len(lines) > 15
    assert lines == [line.rstrip() for line in table.splitlines()][: len(lines)]


def test_the_numbers_of_controls_are_those_of_the_shipped_profiles() -> None:
    said = dict(re.findall(r"\[`([a-z-]+)`\]\(docs/profiles/[a-z-]+\.md\) \((\d+) ", README))
    counted = {}
    for profile in sorted(path.parent for path in ROOT.glob("profiles/*/profile.yml")):
        files = [profile / "profile.yml", *(profile / "controls").glob("*.yml")]
        documents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in files]
        counted[profile.name] = sum(len(document.get("controls", [])) for document in documents)
    assert {name: int(number) for name, number in said.items()} == counted
    assert f"| {sum(counted.values())} controls; your own profiles |" in README


def test_every_module_role_and_playbook_is_named() -> None:
    rows = dict(re.findall(r"^\| (modules|roles|playbooks) \| (.*) \|$", README, re.MULTILINE))
    for row, pattern in (
        ("modules", "plugins/modules/scan_*.py"),
        ("roles", "roles/*"),
        ("playbooks", "playbooks/*.yml"),
    ):
        shipped = {path.stem for path in ROOT.glob(pattern)}
        assert set(re.findall(r"`([a-z_]+)`", rows[row])) == shipped, row


def test_the_number_of_formats_is_that_of_the_registry() -> None:
    assert f"[Reports](docs/reports.md) in {len(REPORTS)} formats" in README


def test_every_file_of_requirements_is_named_and_in_the_execution_environment() -> None:
    def lines(path: pathlib.Path) -> set[str]:
        return {line for line in path.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"}

    image = lines(ROOT / "execution_environment" / "requirements.txt")
    for path in ROOT.glob("requirements*.txt"):
        assert f"({path.name})" in README, path.name
        if path.name != "requirements.txt":  # comes with the collection: meta/execution-environment.yml
            assert lines(path) <= image, path.name
