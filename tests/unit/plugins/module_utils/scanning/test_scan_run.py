# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scan over the fake API server and this machine's shell: by facts, and by an engine that asks the target itself."""

from __future__ import annotations

import json
import pathlib
import threading
from typing import Any, Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Query
from ansible_collections.securescan.kubernetes.plugins.module_utils.engines.engine import (
    Engine,
    Subject,
    Verdicts,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.engines.registry import engines_for
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.scan import (
    ScanOptions,
    scan_container_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.model import (
    ControlResult,
    ProfileResult,
    Segment,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_folder import RunFolder
from ansible_collections.securescan.kubernetes.plugins.module_utils.scanning.run_recorder import RunRecorder
from ansible_collections.securescan.kubernetes.plugins.module_utils.scanning.scan_access import scan_access_of
from ansible_collections.securescan.kubernetes.plugins.module_utils.scanning.scan_progress import ScanProgress
from ansible_collections.securescan.kubernetes.plugins.module_utils.scanning.scan_run import Scan, ScanRun
from ansible_collections.securescan.kubernetes.plugins.module_utils.scanning.scan_target import scan_request
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.selection import select_targets
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.profile import chosen_profiles
from ansible_collections.securescan.kubernetes.plugins.module_utils.time_limit import TimeLimit
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer

pytest_plugins = ["ansible_collections.securescan.kubernetes.tests.support.fake_cluster"]

STARTED = "2026-01-01T00:00:00.000+00:00"


class Asking:
    """An engine that needs an open session: it asks the target two questions, and could not learn a third thing."""

    name = "asking"
    needs_session = True

    def __init__(self, failure: ScanError | None = None) -> None:
        self.failure = failure

    def queries(self) -> tuple[Query, ...]:
        return (Query("sysctl", "kernel.pid_max"),)

    def judge(self, subject: Subject) -> Verdicts:
        assert subject.session is not None
        if self.failure:
            raise self.failure
        answers = [subject.session.run(script) for script in (b"echo one", b"test -d / && echo two")]
        assert subject.facts.get_fact(self.queries()[0]).ok
        segments = [Segment("passed", answer.decode().strip(), STARTED) for answer in answers]
        control = ControlResult("asked", "It answers", "", 0.5, segments)
        return Verdicts(
            [ProfileResult("asking", "Asking", "1.0.0", "0" * 64, [control])],
            ({"fact": "third", "status": "unreadable", "cause": "nobody answered"},),
        )


@pytest.fixture
def scan(
    server: FakeApiServer, client: RestClient, tmp_path: pathlib.Path
) -> Callable[..., tuple[dict[str, Any], list[str]]]:
    """Scans the namespace by the workload baseline and further engines; the result, and what was shown."""

    def run(*further: Engine, **changes: Any) -> tuple[dict[str, Any], list[str]]:
        params = {name: rule.get("default") for name, rule in scan_container_spec().items()}
        profiles = [each.as_dict() for each in chosen_profiles(["workload-baseline"])]
        params.update(
            {"namespaces": ["shop"], "compiled_profiles": profiles, "output_dir": str(tmp_path)}, **changes
        )
        options = ScanOptions.from_params(params)
        engines = [*engines_for(options.judging.profiles), *further]
        targets = list(select_targets(client, "demo", options.targets.selection))
        folder = RunFolder(options.output_dir, "run-1")
        folder.create()
        recorder = RunRecorder(
            folder,
            cluster="demo",
            selection=options.targets.as_given,
            judging=options.judging,
            collector_version="1",
        )
        work, said = Scan(options, engines, scan_request(engines), targets), []
        with scan_access_of(options, client, "run-1", targets, []) as access:
            progress = ScanProgress(tmp_path, recorder, len(targets), TimeLimit(None), said.append)
            scan_run = ScanRun(
                work,
                recorder,
                client,
                access,
                progress=progress,
                say=said.append,
                cancel=threading.Event(),
            )
            return scan_run.run(), said

    return run


def document_of(result: dict[str, Any]) -> dict[str, Any]:
    (path,) = (pathlib.Path(result["run_dir"]) / "hdf").iterdir()
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def test_a_scan_records_what_became_of_each_target(scan: Any) -> None:
    result, said = scan()
    assert result["counts"] == {"selected": 2, "scanned": 1, "not_scanned": 1, "not_judged": 0, "carried": 0}
    assert [one["error"]["reason"] for one in result["not_scanned"]] == ["no_such_program"]
    assert (result["changed"], result["footprint"]["added"]) == (False, 0)
    assert result["requests"]["exec"] == 2
    assert said[-1] == "2/2 containers done, 1 not scanned"
    summary = json.loads(pathlib.Path(result["summary_file"]).read_text())
    assert summary["target_counts"] == result["counts"]
    assert summary["selection"]["namespaces"] == ["shop"]
    assert [profile["name"] for profile in summary["profiles"]] == ["workload-baseline"]


def test_an_engine_that_asks_the_target_itself_shares_its_one_exec(scan: Any) -> None:
    result, _said = scan(Asking(), pods=["api-*"])
    assert result["counts"] == {"selected": 1, "scanned": 1, "not_scanned": 0, "not_judged": 0, "carried": 0}
    assert result["requests"]["exec"] == 1
    document = document_of(result)
    assert [profile["name"] for profile in document["profiles"]] == ["workload-baseline", "asking"]
    (control,) = document["profiles"][1]["controls"]
    assert [segment["code_desc"] for segment in control["results"]] == ["one", "two"]
    said = document["passthrough"]["securescan_kubernetes"]
    assert said["scan"]["approach"] == "exec"
    assert {"fact": "third", "status": "unreadable", "cause": "nobody answered"} in said["unread_facts"]


def test_a_target_that_an_engine_cannot_judge_was_not_scanned(scan: Any) -> None:
    result, _said = scan(Asking(ScanError("timed_out", "it took too long")), pods=["api-*"])
    assert result["counts"] == {"selected": 1, "scanned": 0, "not_scanned": 1, "not_judged": 0, "carried": 0}
    assert result["not_scanned"][0]["error"]["reason"] == "timed_out"


def test_the_access_of_a_scan_is_gone_when_the_scan_is_over(scan: Any, server: FakeApiServer) -> None:
    scan()
    made = [request.path for request in server.requests if request.method == "POST"]
    assert any(path.endswith("/serviceaccounts") for path in made)
    assert not [path for path in server.objects.paths() if "/serviceaccounts/" in path or "/roles/" in path]
