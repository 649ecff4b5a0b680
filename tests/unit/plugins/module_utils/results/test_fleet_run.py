# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet run as typed values: what comes back is what was written, what does not fit is named, and its runs are the ones it
has seen."""

from __future__ import annotations

import json
import pathlib
from dataclasses import fields
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.cluster_entry import (
    STATES,
    ClusterEntry,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.fleet_gate import decide_fleet
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.fleet_run import (
    FleetRun,
    fleet_run_bytes,
    open_fleet_run,
    parse_fleet_run,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_fleet import (
    make_fleet,
    write_cluster_run,
    write_fleet,
    write_sample_fleet,
)

SCHEMA = pathlib.Path(__file__).parents[5] / "docs" / "fleet.schema.json"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> FleetRun:
    return write_sample_fleet(tmp_path_factory.mktemp("results"))


def document_of(fleet: FleetRun) -> dict[str, Any]:
    """A copy that a test may change."""
    document: dict[str, Any] = json.loads(fleet_run_bytes(fleet))
    return document


def test_what_is_written_is_what_was_read(fleet: FleetRun) -> None:
    data = (pathlib.Path(fleet.folder) / "fleet.json").read_bytes()
    assert fleet_run_bytes(fleet) == data, "to the byte, keys in their order"
    assert parse_fleet_run(data, "fleet.json", fleet.folder) == fleet
    assert {entry.state for entry in fleet.clusters} == set(STATES), "the sample has every state"


def test_its_runs_come_one_by_one_in_the_order_of_its_clusters(fleet: FleetRun) -> None:
    names = [run.cluster if run else None for run in fleet.runs()]
    assert names == [entry.cluster if entry.has_run else None for entry in fleet.clusters]
    assert names.count(None) == 4


def test_a_run_that_was_changed_afterwards_is_refused(tmp_path: pathlib.Path) -> None:
    fleet = write_fleet(tmp_path, [write_cluster_run(tmp_path, "alpha", {"c-1": "failed"})])
    summary = tmp_path / fleet.clusters[0].run_dir / "summary.json"
    summary.write_bytes(summary.read_bytes() + b"\n")
    with pytest.raises(ScanError, match="is not the run that the fleet run has seen of alpha"):
        list(fleet.runs())


def test_an_output_folder_that_was_moved_keeps_its_runs(tmp_path: pathlib.Path) -> None:
    write_fleet(tmp_path / "here", [write_cluster_run(tmp_path / "here", "alpha", {"c-1": "failed"})])
    (tmp_path / "here").rename(tmp_path / "there")
    (run,) = open_fleet_run(str(tmp_path / "there/_fleet/fleet-1")).runs()
    assert run is not None and run.cluster == "alpha"


def test_the_file_has_the_form_of_its_schema(fleet: FleetRun) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(SCHEMA.read_text())
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    document = document_of(fleet)
    validator.validate(document)
    assert set(schema["required"]) == set(document)
    assert schema["$defs"]["entry"]["required"] == [field.name for field in fields(ClusterEntry)]
    assert schema["$defs"]["state"]["enum"] == list(STATES)
    assert not validator.is_valid({**document, "clusters": [{"cluster": "x"}]})


BROKEN_PLACES: list[tuple[str, Any, str]] = [
    ("schema_version", 2, "is not a fleet run of schema version 1"),
    ("schema", "securescan.kubernetes/fleet", "is not a fleet run"),
    ("fleet_run_id", "../up", "is no id of a fleet run"),
    ("fleet_run_id", "latest", "is no id of a fleet run"),
    ("merged_from", ["a/b"], "is no id of a fleet run"),
    ("fail_on", ["anything"], "fail_on must be a list of"),
    ("expected", ["alpha"], "one entry for each that was expected"),
    ("slice", {"offset": 2, "count": 2}, "offset must be 0 or more"),
    ("finished", "", "what is finished has a decision"),
    ("clusters.0.run_dir", "/etc/passwd", "run_dir must be"),
    ("clusters.0.run_dir", "../other/run-1", "run_dir must be"),
    ("clusters.0.run_dir", "alpha/../run-1", "run_dir must be"),
    ("clusters.0.summary_sha256", "", "a run has an id, a folder and the SHA-256"),
    ("clusters.0.run_dir", "", "a run has an id, a folder and the SHA-256"),
    ("clusters.0.state", "fine", "clusters\\[0\\].state must be"),
    ("clusters.0.targets.judged", 99, "do not fit together"),
    ("clusters.0.cluster", "", "must be names"),
    ("clusters.0.error", [], "clusters\\[0\\].error"),
    ("gate.passed", True, "passed, failed_by and reasons do not fit together"),
    ("comparison.counts.new", 0, "longer than their numbers"),
]


@pytest.mark.parametrize(("place", "value", "said"), BROKEN_PLACES)
def test_what_does_not_fit_is_refused_by_its_place(
    fleet: FleetRun, place: str, value: Any, said: str
) -> None:
    document = document_of(fleet)
    *path, last = place.split(".")
    at: Any = document
    for key in path:
        at = at[int(key) if isinstance(at, list) else key]
    at[last] = value
    with pytest.raises(ScanError, match=said) as caught:
        parse_fleet_run(json.dumps(document).encode(), "fleet.json")
    assert caught.value.kind.reason == "bad_results"


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"[" * 100_000, b'{"schema": 1, "schema": 2}'])
def test_what_is_no_fleet_run_is_refused(data: bytes) -> None:
    with pytest.raises(ScanError, match=r"fleet\.json: is not"):
        parse_fleet_run(data, "fleet.json")


def test_a_link_in_the_place_of_the_file_is_not_followed(fleet: FleetRun, tmp_path: pathlib.Path) -> None:
    (tmp_path / "fleet.json").symlink_to(pathlib.Path(fleet.folder) / "fleet.json")
    with pytest.raises(ScanError, match="it is a link"):
        open_fleet_run(str(tmp_path))


def test_every_key_is_needed(fleet: FleetRun) -> None:
    document = document_of(fleet)
    may_be_null = {"deadline", "slice", "comparison"}
    for key in set(document) - may_be_null:
        with pytest.raises(ScanError):
            parse_fleet_run(json.dumps({k: v for k, v in document.items() if k != key}).encode(), "f")


def test_the_gate_names_each_cluster_by_the_kind_of_its_reason(fleet: FleetRun) -> None:
    reasons = {(reason.cluster, reason.kind) for reason in decide_fleet(fleet.clusters, ["gate"]).reasons}
    assert {cluster: kind for cluster, kind in reasons if cluster in ("beta", "gamma", "delta", "zeta")} == {
        "beta": "gate",
        "gamma": "coverage",
        "delta": "coverage",
        "zeta": "unreachable",
    }
    assert all(cluster != "alpha" for cluster, _kind in reasons)


@pytest.mark.parametrize(
    ("fail_on", "failed_by"),
    [
        (["gate"], ("gate",)),
        (["unreachable", "gate"], ("gate", "unreachable")),
        (["never"], ()),
    ],
)
def test_fail_on_says_which_kinds_count(
    fleet: FleetRun, fail_on: list[str], failed_by: tuple[str, ...]
) -> None:
    gate = decide_fleet(fleet.clusters, fail_on)
    assert (gate.passed, gate.failed_by) == (not failed_by, failed_by)
    assert gate.numbers["unreachable"] == 4, "what was not asked for is told all the same"


def test_a_fleet_without_clusters_is_not_covered() -> None:
    assert make_fleet([]).gate is not None
    assert decide_fleet([], ["coverage"]).failed_by == ("coverage",)
