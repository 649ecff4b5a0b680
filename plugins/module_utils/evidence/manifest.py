# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest of a run or of a fleet run: every file with its digest and size, and by what, whom and when all of it was made.

A statement of in-toto. Its subjects are the files, so that a program which knows no more than in-toto can tell whether a file is
covered. Its predicate, of the type RUN_TYPE or FLEET_TYPE:

    run               what a run's summary says of it, see `facts_of_run`; of a fleet run, see `facts_of_fleet_run`
    signed            {at, by, machine, tools {name: version}}
    scanners          of a run: the users that reached its targets, as the API server has seen them, sorted
    statements        whether each target's statement is signed on its own (`signed`) or only listed here (`listed`)
    chain             {sequence, previous {run_id, manifest_sha256, summary_sha256} or null}
    runs              of a fleet run: list of {cluster, run_id, run_dir, summary_sha256, manifest_sha256}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..results.checked_json import JsonObject, JsonRecord, plain
from ..results.fleet_run import FLEET_JSON, FleetRun
from ..results.run import SUMMARY_JSON, Run
from ..safe_text import kept_values
from .envelope import Envelope
from .listing import is_safe_path
from .problems import bad_evidence
from .statement import SHA256, Statement, Subject, parse_statement

_PREDICATES = "https://github.com/securescan/securescan.kubernetes/attestation"
RUN_TYPE = f"{_PREDICATES}/run/v1"
FLEET_TYPE = f"{_PREDICATES}/fleet-run/v1"
SIGNED, LISTED, NO_STATEMENTS = "signed", "listed", ""


@dataclass(frozen=True)
class CoveredFile:
    """`size` is in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True)
class PreviousRun(JsonRecord):
    """The run before one in its chain. `manifest_sha256` is that of the file of its envelope."""

    run_id: str
    manifest_sha256: str
    summary_sha256: str

    @classmethod
    def from_json(cls, given: JsonObject) -> PreviousRun:
        return cls(given.text("run_id"), given.text("manifest_sha256"), given.text("summary_sha256"))


@dataclass(frozen=True)
class ChainPlace(JsonRecord):
    """The place of a run among those of its folder: the first has number 1 and no previous one."""

    sequence: int
    previous: PreviousRun | None

    @classmethod
    def from_json(cls, given: JsonObject) -> ChainPlace:
        previous = given.object_or_none("previous")
        return cls(given.whole_number("sequence"), PreviousRun.from_json(previous) if previous else None)


@dataclass(frozen=True)
class SignedRun(JsonRecord):
    """A cluster's run in a fleet run. `manifest_sha256` is empty where it was not signed itself."""

    cluster: str
    run_id: str
    run_dir: str
    summary_sha256: str
    manifest_sha256: str

    @classmethod
    def from_json(cls, given: JsonObject) -> SignedRun:
        return cls(
            **{
                name: given.text(name)
                for name in ("cluster", "run_id", "run_dir", "summary_sha256", "manifest_sha256")
            }
        )


@dataclass(frozen=True)
class Manifest:
    """`files` by their paths within the folder. `run` are the facts, `signed` who signed, when and with what, `scanners` the
    users that scanned."""

    is_fleet: bool
    files: Mapping[str, CoveredFile]
    run: Mapping[str, Any]
    signed: Mapping[str, Any]
    statements: str
    chain: ChainPlace
    runs: tuple[SignedRun, ...] = ()
    scanners: tuple[str, ...] = ()

    @property
    def run_id(self) -> str:
        return str(self.run["run_id"])

    @property
    def main_file(self) -> str:
        """The file that tells all others: summary.json or fleet.json."""
        return FLEET_JSON if self.is_fleet else SUMMARY_JSON

    @property
    def sha256(self) -> str:
        """That of the main file."""
        return self.files[self.main_file].sha256

    def statement(self) -> Statement:
        # the main file first: who names one subject names that
        paths = sorted(self.files, key=lambda path: (path != self.main_file, path))
        return Statement(
            tuple(Subject(path, {SHA256: self.files[path].sha256}, self.files[path].size) for path in paths),
            FLEET_TYPE if self.is_fleet else RUN_TYPE,
            {
                "run": self.run,
                "signed": self.signed,
                "statements": self.statements,
                "chain": self.chain.to_json(),
                **({"runs": plain(self.runs)} if self.is_fleet else {"scanners": list(self.scanners)}),
            },
        )


def read_manifest(envelope: Envelope, source: str) -> Manifest:
    """The manifest in an envelope whose signature was verified.

    :raises ScanError: `bad_evidence`, also for a file whose path leads out of the folder, and for one that stands there twice;
        `bad_results`, where a part of it has another shape
    """
    statement = parse_statement(envelope.payload, source, (RUN_TYPE, FLEET_TYPE))
    is_fleet = statement.predicate_type == FLEET_TYPE
    given = JsonObject(statement.predicate, source)
    manifest = Manifest(
        is_fleet,
        _files(statement, source),
        given.mapping("run"),
        given.mapping("signed"),
        given.one_of("statements", (SIGNED, LISTED, NO_STATEMENTS)),
        ChainPlace.from_json(given.object("chain")),
        tuple(SignedRun.from_json(one) for one in given.objects("runs")) if is_fleet else (),
        () if is_fleet else given.texts("scanners"),
    )
    given.object("run").text("run_id")
    if manifest.main_file not in manifest.files:
        raise bad_evidence(source, f"its manifest lacks {manifest.main_file}")
    if any(not is_safe_path(run.run_dir) for run in manifest.runs):
        raise bad_evidence(source, "the path of a run in its manifest leads out of the folder of results")
    return manifest


def _files(statement: Statement, source: str) -> dict[str, CoveredFile]:
    files: dict[str, CoveredFile] = {}
    for subject in statement.subjects:
        if not is_safe_path(subject.name):
            raise bad_evidence(
                source, f"the path {subject.name[:100]!r} in its manifest leads out of the folder"
            )
        if subject.name in files:
            raise bad_evidence(source, f"its manifest has {subject.name[:100]!r} twice")
        if subject.size is None or len(subject.digest.get(SHA256, "")) != 64:
            raise bad_evidence(
                source, f"its manifest lacks the SHA-256 or the size of {subject.name[:100]!r}"
            )
        files[subject.name] = CoveredFile(subject.digest[SHA256], subject.size)
    return files


def facts_of_run(run: Run) -> dict[str, Any]:
    """What a manifest says of a run. Where the summary was changed, these tell in which point."""
    # strict parsers of JSON, such as cosign's, refuse what is no Unicode
    return _kept(
        {
            "run_id": run.run_id,
            "cluster": run.cluster,
            "cluster_uid": run.cluster_uid,
            "started": run.started,
            "finished": run.finished,
            "selection": plain(run.selection),
            "collection": run.collection.to_json(),
            "collector_version": run.collector_version,
            "judged_from": plain(run.judged_from),
            "profiles": plain(run.profiles),
            "inputs_sha256": run.inputs_sha256,
            # of all waivers and attestations, as they applied when the run began
            "amendments_sha256": run.amendments_sha256,
            "deadlines_sha256": run.deadlines_sha256,
            "target_counts": run.target_counts.to_json(),
            "controls": run.controls.to_json(),
            "threshold": run.gate.threshold.to_json() if run.gate else None,
            "decision": _decision(run),
        }
    )


def _decision(run: Run) -> dict[str, Any] | None:
    gate = run.gate
    if gate is None:
        return None
    return {
        "passed": gate.passed,
        "kind": gate.kind,
        "decided_at": gate.decided_at,
        "decided_by": gate.decided_by,
        "coverage": gate.coverage,
        "baseline": gate.baseline,
        "reason_counts": gate.reason_counts,
    }


def facts_of_fleet_run(fleet_run: FleetRun) -> dict[str, Any]:
    """The same of a fleet run."""
    return _kept(
        {
            "run_id": fleet_run.fleet_run_id,
            "started": fleet_run.started,
            "finished": fleet_run.finished,
            "collection": fleet_run.collection.to_json(),
            "expected": list(fleet_run.expected),
            "merged_from": list(fleet_run.merged_from),
            "fail_on": list(fleet_run.fail_on),
            "decision": plain(fleet_run.gate),
        }
    )


def _kept(values: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = kept_values(values)
    return kept
