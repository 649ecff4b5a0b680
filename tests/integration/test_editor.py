# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an editor shows of files that people write: by the real yaml-language-server, with the schemas of docs/schemas/."""

from __future__ import annotations

import functools
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest
from ansible_collections.securescan.kubernetes.tests.support.format_readers import sarif
from ansible_collections.securescan.kubernetes.tests.support.language_server import language_server
from ansible_collections.securescan.kubernetes.tests.support.node_programs import node, node_version
from ansible_collections.securescan.kubernetes.tests.support.real_systems import SECTIONS, shown

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "docs" / "schemas"
# (schema, a right file, a file with a mistake, a word of what the editor says of it)
FILES = [
    (
        "cases",
        "cases: [{name: a, kept_facts: a.json, expect: {passed: [x]}}]",
        "cases: [{name: a, kept_facts: a.json}]",
        "expect",
    ),
    (
        "waivers",
        "a: {justification: x, expiration_date: 2027-01-31}",
        "a: {justifikation: x}",
        "justification",
    ),
    (
        "attestations",
        "- {control_id: a, explanation: e, frequency: 90d, status: passed, updated: 2026-11-02, updated_by: ann}",
        "- {control_id: a}",
        "explanation",
    ),
    ("threshold", "failed: {critical.max: 0}\nmust_pass: [a]", "complience: {min: 80}", "complience"),
    ("exception-policy", "approvers: [ann]", "max_days: 0", "1"),
    ("teams", "team: {labels: [example.com/team]}", "team: {label: [a]}", "label"),
    (
        "deadlines",
        "default: {fix_within_days: {high: never}}",
        "default: {scan_every_hours: often}",
        "Expected",
    ),
    (
        "profile",
        "controls: [{id: a, title: t, impact: low, manual: true}]",
        "controls: [{id: a, title: t, imapct: low}]",
        "imapct",
    ),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workspace")
    with language_server(folder) as running:
        running.folder = folder
        yield running


def written(server, name: str, schema: str, text: str) -> pathlib.Path:
    path = server.folder / name
    path.write_text(
        f"# yaml-language-server: $schema={SCHEMAS / schema}.schema.json\n{text}\n", encoding="utf-8"
    )
    return path


@pytest.mark.parametrize(("schema", "right", "wrong", "word"), FILES, ids=[row[0] for row in FILES])
def test_an_editor_marks_mistakes_and_nothing_else(server, schema, right, wrong, word):
    assert server.problems(written(server, f"{schema}-right.yml", schema, right)) == []
    problems = server.problems(written(server, f"{schema}-wrong.yml", schema, wrong))
    assert any(word in problem for problem in problems), problems
    shown(
        "yaml-language-server",
        node_version("yaml-language-server"),
        f"marks mistakes by the schema {schema}",
        section=SECTIONS[3],
    )


def test_it_completes_keys_and_words(server):
    path = written(server, "completed.yml", "deadlines", "default:\n  fix_within_days:\n    ")
    server.problems(path)
    assert {"critical", "high", "medium", "low"} <= set(server.completions(path, 3, 4))


@pytest.mark.parametrize(
    "file",
    sorted((ROOT / "profiles").glob("*/**/*.yml")),
    ids=lambda path: str(path.relative_to(ROOT / "profiles")),
)
def test_shipped_profiles_and_cases_are_right_by_their_own_first_line(server, file):
    assert server.problems(file) == []


def settings(name: str) -> dict:
    text = (ROOT / "ci" / "vscode" / name).read_text(encoding="utf-8")
    return json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))


def test_the_settings_of_vs_code_name_every_schema_once():
    named = [pathlib.PurePath(path).name for path in settings("settings.json")["yaml.schemas"]]
    assert sorted(named) == sorted(
        path.name for path in SCHEMAS.glob("*.json") if path.name != "request.schema.json"
    )


LINES = {
    "critical: shop/a-1/app: cb-x: A title: with a colon": (
        "securescan-error",
        "shop/a-1/app",
        "cb-x",
        "A title: with a colon",
    ),
    "high: shop/a-1/app: cb-x: t": ("securescan-error", "shop/a-1/app", "cb-x", "t"),
    "medium: shop/a-1/app: cb-x: t": ("securescan-warning", "shop/a-1/app", "cb-x", "t"),
    "low: shop/a-1/app: cb-x: t": ("securescan-info", "shop/a-1/app", "cb-x", "t"),
    "error: shop/a-1/app: not_scanned: t": ("securescan-error", "shop/a-1/app", "not_scanned", "t"),
    "Gate: FAILED by the default threshold": None,
}
MATCH = """
const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
const found = given.lines.map(line => given.matchers.flatMap(one => {
  const match = new RegExp(one.pattern.regexp).exec(line);
  return match ? [[one.owner, match[one.pattern.file], match[one.pattern.code], match[one.pattern.message]]] : [];
}));
console.log(JSON.stringify(found));
"""


def problems_of(lines: list[str]) -> list[list[list[str]]]:
    """What each line is to the problem matchers: [owner, place, control, message], by the engine of VS Code's expressions."""
    matchers = settings("tasks.json")["tasks"][0]["problemMatcher"]
    given = json.dumps({"lines": lines, "matchers": matchers})
    done = subprocess.run([str(node()), "-e", MATCH], input=given, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def test_a_line_of_the_command_is_one_problem():
    for line, found in zip(LINES, problems_of(list(LINES))):
        assert found == ([list(LINES[line])] if LINES[line] else []), line


def run_task(number: int, workload: str, cluster, kubeconfig: pathlib.Path, folder: pathlib.Path):
    """A task of the type process as VS Code starts it: its words, with what was asked put in, and no shell."""
    task = settings("tasks.json")["tasks"][number]
    assert (task["type"], task["command"]) == ("process", "kubectl")
    asked = {"${input:workload}": workload, "${input:namespace}": "shop", "${workspaceFolder}": str(folder)}
    words = [
        functools.reduce(lambda text, one: text.replace(*one), asked.items(), word) for word in task["args"]
    ]
    programs = folder / "bin"
    programs.mkdir()
    (programs / "kubectl-securescan").symlink_to(ROOT / "bin" / "kubectl-securescan")
    environ = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(folder),
        "KUBECONFIG": str(kubeconfig),
        "SECURESCAN_PYTHON": sys.executable,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        [cluster.kubectl_program, *words],
        cwd=folder,
        env=environ,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_task_shows_what_a_real_scan_has_found(cluster, operator_kubeconfig, tmp_path):
    # legacy has failed controls, and the container of broken does not run
    for workload in ("deploy/legacy", "deploy/broken"):
        (tmp_path / workload).mkdir(parents=True)
        done = run_task(0, workload, cluster, operator_kubeconfig, tmp_path / workload)
        assert done.returncode in (2, 3), done
        lines = done.stdout.splitlines()
        assert lines
        for line, found in zip(lines, problems_of(lines)):
            (one,) = found
            assert one[1].startswith(f"shop/{workload.partition('/')[2]}-") and line.endswith(one[3]), line
            assert line.startswith("error: ") == (workload == "deploy/broken"), line


def test_the_task_for_a_viewer_of_sarif_writes_it(cluster, operator_kubeconfig, tmp_path):
    done = run_task(1, "deploy/legacy", cluster, operator_kubeconfig, tmp_path)
    assert done.returncode == 2, done
    (report,) = tmp_path.glob("scan-results/*/latest/results.sarif")
    assert list(sarif.runs(report))
