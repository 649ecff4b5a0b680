# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters over HDF documents and run summaries, and one that names folders of runs.

Every rule is the engine's own; here are only the shapes for playbooks.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils.errors import ScanError
from ..module_utils.results.checked_json import plain
from ..module_utils.results.comparison import Failures, failures_of_documents, failures_of_run
from ..module_utils.results.control_rows import control_rows, worst_first
from ..module_utils.results.hdf import check_document, document_target_id
from ..module_utils.results.percent import rounded_down
from ..module_utils.results.run import SCHEMA, Run
from ..module_utils.results.run_folder import cluster_folder
from ..module_utils.results.status import FAILED, NOT_JUDGED, SEVERITIES, STATUSES
from ..module_utils.results.summary import merge_counts, summarize
from ..module_utils.safe_text import one_line

Documents = list[tuple[str, dict[str, Any]]]


def scan_summary(results: Any) -> dict[str, Any]:
    """{targets, controls: numbers by status and severity, profiles: the same by profile's name}"""
    run = _run(results)
    if run is not None:
        profiles: dict[str, Any] = {}
        for target in run.targets:
            for counted in target.profiles:
                _add(profiles.setdefault(counted.name, {}), counted.counts)
        return {
            "targets": run.target_counts.to_json(),
            "controls": run.controls.to_json(),
            "profiles": profiles,
        }
    documents = _documents(results)
    summaries = [summarize(document, source) for source, document in documents]
    by_profile: dict[str, Any] = {}
    for summary in summaries:
        for profile in summary.profiles:
            _add(by_profile.setdefault(profile.name, {}), profile.counts.by_status())
    scanned = len(documents)
    return {
        "targets": {
            "selected": scanned,
            "scanned": scanned,
            "not_scanned": 0,
            "not_judged": sum(summary.result == NOT_JUDGED for summary in summaries),
            "carried": 0,  # only a run knows that
        },
        "controls": merge_counts(summary.counts for summary in summaries).to_json(),
        "profiles": by_profile,
    }


def scan_compliance(results: Any, profile: str | None = None) -> float:
    """Percentage of passed among all controls that apply; of one profile where it is named.

    Rounded down to two decimals, so that a playbook which compares it does not find a limit met that is not.
    """
    run = _run(results)
    if run is not None and profile is None:
        return rounded_down(run.controls.exact_compliance)
    profiles = [
        one
        for source, document in _documents(results)
        for one in summarize(document, source).profiles
        if profile in (None, one.name)
    ]
    if not profiles:
        raise ScanError("bad_option", f"none of the documents has the profile {profile}")
    return rounded_down(merge_counts(one.counts for one in profiles).exact_compliance)


def scan_failed_controls(
    results: Any, severity: str = "none", profile: str | None = None
) -> list[dict[str, Any]]:
    """Rows of failed controls of that severity or a worse one, worst first."""
    worse = SEVERITIES[: _position(severity, SEVERITIES, "severity") + 1]
    return worst_first(
        row
        for row in control_rows(_documents(results))
        if row["status"] == FAILED and row["severity"] in worse and profile in (None, row["profile"])
    )


def scan_by_severity(results: Any, status: str = FAILED) -> dict[str, list[dict[str, Any]]]:
    """Every severity, worst first, with the rows of controls that have it and the status."""
    _position(status, STATUSES, "status")
    rows = worst_first(row for row in control_rows(_documents(results)) if row["status"] == status)
    return {severity: [row for row in rows if row["severity"] == severity] for severity in SEVERITIES}


def scan_by_tag(results: Any, tag: str, status: str | None = None) -> dict[str, list[dict[str, Any]]]:
    """The values of a tag, sorted, with the rows of controls that have them. A control may stand under several."""
    if status is not None:
        _position(status, STATUSES, "status")
    values: dict[str, list[dict[str, Any]]] = {}
    for row in worst_first(control_rows(_documents(results))):
        value = row["tags"].get(tag)
        if status in (None, row["status"]) and value is not None:
            for one in dict.fromkeys(map(str, value if isinstance(value, list) else [value])):
                values.setdefault(one, []).append(row)
    return dict(sorted(values.items()))


def scan_diff(results: Any, baseline: Any) -> dict[str, list[dict[str, str]]]:
    """{new_failures, still_failed, no_longer_failed}: lists of {place, profile, control}"""
    now, then = _failures(results), _failures(baseline)
    return {
        "new_failures": plain(now.not_in(then)),
        "still_failed": plain(now.also_in(then)),
        "no_longer_failed": plain(now.mended_since(then)),
    }


def scan_cluster_folder(output_dir: Any, cluster: Any) -> str:
    """The folder of a cluster's runs, in which the link latest is"""
    for name, value in (("output folder", output_dir), ("cluster", cluster)):
        if not isinstance(value, str) or not value:
            raise ScanError("bad_option", f"the {name} must be a text that is not empty, found {value!r}")
    return str(cluster_folder(output_dir, cluster))


def _failures(results: Any) -> Failures:
    run = _run(results)
    return failures_of_documents(_documents(results)) if run is None else failures_of_run(run)


def _run(results: Any) -> Run | None:
    """The run of which it is the summary, which must then be a whole one; None for anything else."""
    if not isinstance(results, Mapping) or results.get("schema") != SCHEMA:
        return None
    return Run.from_json(results, "the summary")


def _documents(results: Any) -> Documents:
    """One document or a list of them, each whole and each of another target."""
    if _run(results) is not None:
        raise ScanError(
            "bad_results", "this is a run's summary, which holds no results of tests; give its HDF documents"
        )
    given = results if isinstance(results, list) else [results]
    if not given:
        raise ScanError("bad_results", "there are no documents")
    documents: Documents = []
    for number, document in enumerate(given, 1):
        source = f"document {number}"
        documents.append((source, check_document(document, source)))
    targets = [document_target_id(document, source) for source, document in documents]
    twice = (
        [target for target in targets if targets.count(target) > 1]
        if len(set(targets)) < len(targets)
        else []
    )
    if twice:
        raise ScanError(
            "bad_results",
            f"two documents are about {one_line(twice[0], 300)}",
            cause="Each document must be about another target, or the same controls would count twice.",
            advice="Give each target's document once, for instance those of one run.",
        )
    return documents


def _position(word: Any, words: tuple[str, ...], option: str) -> int:
    if word not in words:
        raise ScanError(
            "bad_option", "{} must be one of {}, found {!r}".format(option, ", ".join(words), word)
        )
    return words.index(word)


def _add(total: dict[str, int], counts: Mapping[str, int]) -> None:
    for status, number in counts.items():
        total[status] = total.get(status, 0) + number


def _filter(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with the engine's errors as those of a filter."""

    @functools.wraps(function)
    def filtered(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except ScanError as error:
            raise AnsibleFilterError(f"{function.__name__}: {error}") from error

    return filtered


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        functions = (
            scan_summary,
            scan_compliance,
            scan_failed_controls,
            scan_by_severity,
            scan_by_tag,
            scan_diff,
            scan_cluster_folder,
        )
        return {function.__name__: _filter(function) for function in functions}
