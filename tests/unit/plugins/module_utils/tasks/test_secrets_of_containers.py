# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples of secrets wherever a container can have one: none is in any file of a run that keeps its facts."""

from __future__ import annotations

import base64
import json
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.judgement import (
    scan_judgement_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.report import scan_report_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles.loader import load_profile
from ansible_collections.securescan.kubernetes.plugins.module_utils.reports.registry import REPORTS
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.judgement import run_scan_judgement
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.report import run_scan_report
from ansible_collections.securescan.kubernetes.tests.fake_api_server.exec_streams import run_locally
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.grantor_tasks import TaskRunner
from ansible_collections.securescan.kubernetes.tests.support.scans_on_fake_cluster import Cluster, Scan
from ansible_collections.securescan.kubernetes.tests.support.secret_samples import SAMPLES
from ansible_collections.securescan.kubernetes.tests.support.simulated_containers import beside_target

_WAIT = "import sys; print(flush=True); sys.stdin.read()"


@pytest.fixture
def planted(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pathlib.Path]:
    """A folder with a file and a link for each sample; each is also in a variable, and in the arguments of a process."""
    folder = tmp_path / "planted"
    folder.mkdir()
    for number, sample in enumerate(SAMPLES):
        (folder / f"file-{number}").write_text(sample.text + "\n", encoding="utf-8")
        (folder / f"link-{number}").symlink_to(sample.text)
        monkeypatch.setenv(f"APP_{number}", sample.text)
    command = [sys.executable, "-c", _WAIT, *[sample.text for sample in SAMPLES]]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdin is not None
        process.stdout.readline()
        yield folder
        process.stdin.close()


def questions_about(folder: pathlib.Path) -> Iterator[tuple[str, str]]:
    """(resource, expectation that fails, and would show what was found)."""
    yield "processes: {}", 'commands: {any: {equals: "no such"}}'
    yield 'processes: {where: {command: {matches: "import sys; print"}}}', "count: 77"
    for number, sample in enumerate(SAMPLES):
        file = folder / f"file-{number}"
        yield f"file: {file}", 'content: {matches: "no such"}'
        yield f"file: {file}", 'lines: {include: "no such"}'
        yield f"command: [cat, {file}]", 'stdout: "no such"'
        yield f"command: [cat, {file}, {folder}/none]", 'stderr: "no such"'
        yield f"os_env: APP_{number}", 'content: "no such"'
        yield f"os_env: APP_{number}", 'split: {include: "no such"}'
        yield f"file: {folder}/link-{number}", 'link_target: "no such"'
        yield f"json: {{path: {file}, key: [auths]}}", 'value: "no such"'
        yield f"yaml: {{path: {file}, key: [password]}}", 'value: "no such"'
        setting = re.match(r"([\w.-]+) ?= ?.", sample.text)
        if setting:
            yield f"ini: {{path: {file}, key: {setting.group(1)}}}", 'value: "no such"'


def profile_of(folder: pathlib.Path) -> dict[str, Any]:
    lines = ["name: planted", "title: T", "version: 1.0.0", "controls:"]
    for number, (resource, expectation) in enumerate(questions_about(folder)):
        lines += [f"  - id: c-{number}", "    title: T", "    impact: high"]
        lines += [f"    tests: [{{{resource}, expect: {{{expectation}}}}}]"]
    file = folder.parent / "planted.yml"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return load_profile(str(file), [], {}).as_dict()


def add_pod(cluster: Cluster) -> None:
    texts = [sample.text for sample in SAMPLES]
    by_name = {f"example.org/s{number}": text for number, text in enumerate(texts)}
    pod = cluster.add_pod("web-1", run_locally, annotations=dict(by_name), labels=dict(by_name))
    pod["spec"].update(nodeSelector=dict(by_name), hostname=texts[0])
    pod["spec"]["containers"][0].update(
        args=texts,
        command=texts,
        env=[{"name": f"APP_{number}", "value": text} for number, text in enumerate(texts)],
        livenessProbe={"exec": {"command": texts}, "httpGet": {"path": texts[0], "port": 80}},
    )
    pod["spec"]["volumes"] = [
        {"name": "v", "csi": {"driver": "d", "volumeAttributes": dict(by_name)}},
        *({"name": f"v{number}", "nfs": {"server": text, "path": text}} for number, text in enumerate(texts)),
    ]


def forms_of(secret: str) -> set[bytes]:
    """As it stands in files: plain, in JSON, and what base64 makes of it at each of three places."""
    encoded = {
        base64.b64encode(b"x" * shift + secret.encode())[2 * shift : -4].rstrip(b"=") for shift in range(3)
    }
    forms = {secret.encode(), json.dumps(secret)[1:-1].encode(), *encoded}
    return {form for form in forms if len(form) >= 6}


def held_by(folder: pathlib.Path) -> list[str]:
    """The samples of which a file holds the secret, with the file's name."""
    contents = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert len(contents) >= 8
    return [
        f"{path.relative_to(folder)}: {sample.text!r}"
        for sample in SAMPLES
        for path, content in contents.items()
        if any(form in content for form in forms_of(sample.secret))
    ]


def test_no_file_of_a_run_holds_a_secret_that_was_planted(
    server: FakeApiServer, tmp_path: pathlib.Path, planted: pathlib.Path
) -> None:
    cluster = Cluster(server, beside_target(pathlib.Path("/")))
    scan = Scan(cluster, tmp_path)
    add_pod(cluster)
    profiles = [profile_of(planted)]
    result = scan(keep_facts=True, compiled_profiles=profiles, timeout=300.0)
    assert scan.outcomes() == {"web-1": "exec"}
    counts = scan.targets["web-1"]["counts"]
    results = scan.folder / "results"
    again = TaskRunner(server, run_scan_judgement, scan_judgement_spec)(
        run_dir=result["run_dir"], compiled_profiles=profiles, output_dir=str(results)
    )
    for run in (result, again):
        TaskRunner(server, run_scan_report, scan_report_spec)(run_dir=run["run_dir"], formats=list(REPORTS))
    held = held_by(results)
    print(f"{len(SAMPLES)} secrets in 8 places each: {len(held)} in the files of the run")
    assert held == []
    assert not [sample for sample in SAMPLES if sample.secret in json.dumps([result, again])]
    assert counts["failed"] > 6 * len(SAMPLES), "the tests have failed, and shown what they found"
    (target,) = json.loads(pathlib.Path(again["summary_file"]).read_text())["targets"]
    assert target["counts"] == counts, "judged again the same"
    attack_ends_as(
        "14-secrets-in-kept-facts", outcome=f"{len(held)} of {len(SAMPLES)} in any file of the run"
    )
