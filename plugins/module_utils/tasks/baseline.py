# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run that a gate compares with: one that is named, or the cluster's previous one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import ScanError
from ..evidence.trust import Trust
from ..results.comparison import Failures, failures_of_run
from ..results.folder_owners import check_folder
from ..results.previous_run import is_of_other_server, previous_run
from ..results.run import SUMMARY_JSON, Run, open_earlier_run
from ..results.run_folder import LATEST
from ..safe_text import one_line

PREVIOUS = "previous"
_TRIED = "reading the option baseline"


@dataclass(frozen=True)
class Baseline:
    """`failures` is None where nothing is compared, `line` says to a person what is, and `warnings` what is odd.

    `is_first`: the previous run was asked for and there is none, so that no failure can be new. `not_compared`: there are
    some, and why none could be compared with; empty else.
    """

    failures: Failures | None = None
    line: str = ""
    warnings: tuple[str, ...] = ()
    is_first: bool = False
    not_compared: str = ""


def read_baseline(given: str | None, run: Run, allow_shared: bool, trust: Trust) -> Baseline:
    """
    :param given: folder or summary file of an earlier run, or the word previous; None where nothing is compared
    :param run: the run that is judged, opened from its folder
    :param allow_shared: whether others are allowed to write to the folder of the earlier run
    :param trust: by which the earlier run must be signed
    :raises ScanError: bad_option, for the run itself and for a run over another cluster; bad_results; shared_folder; not_signed;
        bad_evidence
    """
    if given is None:
        return Baseline()
    if given == PREVIOUS:
        return _previous(run, allow_shared, trust)
    warnings = check_folder(given, allow_shared)
    baseline = open_baseline(given, run.cluster)
    if baseline.run_id == run.run_id:
        raise _not_earlier(f"{given} is the run that is judged")
    return _compared(baseline, run, warnings, trust)


def open_baseline(given: str, cluster: str) -> Run:
    """The earlier run that is named, also before there is a run to compare it with.

    :param given: folder or summary file
    :param cluster: the name that the run's cluster must have; empty where any is taken
    :raises ScanError: bad_option, for the link `latest` and for a run over another cluster; bad_results
    """
    baseline, path = open_earlier_run(given), Path(given)
    link = path.parent if path.name == SUMMARY_JSON else path
    if link.name == LATEST and link.is_symlink():
        raise _not_earlier(
            f"{given} is the link `{LATEST}`, which by the time of the gate is the run that is judged"
        )
    if cluster and baseline.cluster != cluster:
        raise ScanError(
            "bad_option",
            f"{given} is a run over the cluster {one_line(baseline.cluster, 100)}, this one is over "
            f"{one_line(cluster, 100)}",
            tried=_TRIED,
            advice="Name an earlier run over the same cluster.",
        )
    return baseline


def _not_earlier(message: str) -> ScanError:
    advice = f"Name the folder of an earlier run, or {PREVIOUS} for the last one before this."
    return ScanError("bad_option", message, tried=_TRIED, advice=advice)


def _previous(run: Run, allow_shared: bool, trust: Trust) -> Baseline:
    broken: list[str] = []
    others: list[str] = []
    earlier = previous_run(run, broken, others)
    warnings = [*broken, *others]
    if earlier is None and broken:
        why = f"no earlier run of {one_line(run.cluster, 100)} beside {run.folder} could be read"
        return Baseline(None, f"Baseline: {why}", tuple(warnings), not_compared=why)
    if earlier is None:
        line = (
            f"Baseline: there is no earlier run of {one_line(run.cluster, 100)} beside {run.folder}, so nothing was "
            "compared and no failure is called new"
        )
        return Baseline(None, line, (*warnings, line), is_first=True)
    return _compared(earlier, run, [*warnings, *check_folder(earlier.folder, allow_shared)], trust)


def _compared(baseline: Run, run: Run, warnings: list[str], trust: Trust) -> Baseline:
    trust.check(baseline.folder, baseline.sha256)
    if baseline.selection != run.selection:
        warnings.append(
            f"the baseline, run {baseline.run_id}, was over another selection: on a container that was not scanned then, "
            "every failure is new"
        )
    if is_of_other_server(baseline, run):
        warnings.append(
            f"the baseline, run {baseline.run_id}, and run {run.run_id} are both of {one_line(run.cluster, 100)}, but of "
            f"two API servers (kube-system has the uid {baseline.cluster_uid} there and {run.cluster_uid} here). That is "
            "right for a cluster that was set up anew; else two clusters have one name"
        )
    line = f"Baseline: run {baseline.run_id}, scanned at {one_line(baseline.started, 60)}"
    return Baseline(failures_of_run(baseline), line, tuple(warnings))
