# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parity: the same container by each approach has the same verdicts, or is Not Reviewed on one side, with its cause.

Writes docs/evidence/parity.md with SECURESCAN_WRITE_DOCS=1; otherwise the page must have the same rows and say which approach
reached which container.
"""

from __future__ import annotations

import itertools
import json
import os
import pathlib

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.status import NOT_REVIEWED, PASSED
from ansible_collections.securescan.kubernetes.tests.integration.faults.fault_table import CHECKOUT
from ansible_collections.securescan.kubernetes.tests.support.parity_workloads import (
    NAMESPACE,
    NO_DATABASE,
    NO_SHELL,
    PACKAGES,
    manifest,
    package_profile,
)
from ansible_collections.securescan.kubernetes.tests.support.scan_runs import Run, contradictions, run_scan

APPROACHES = ("exec", "sidecar", "debug", "image")
PAGE = pathlib.Path("docs", "evidence", "parity.md")
TREE = pathlib.Path(__file__).resolve().parents[2]
HEAD = """<!-- Made by tests/integration/test_parity.py (SECURESCAN_WRITE_DOCS=1); changes here are lost. -->

# Parity of the approaches

The sample workloads on a real cluster, scanned by each approach with both shipped profiles. P passed, F failed, NR not
reviewed, NA not applicable. A container that an approach cannot reach has the reason of its record instead.
The test compares every control of every container over all pairs of approaches: **no two verdicts differ** (%d controls
compared), but where one side could not see what it takes: there the control is Not Reviewed, with the cause in the result.

The distroless images and `musl` have no shell. The distroless ones are unpacked Debian packages with their records. `musl` and
`apk` hold programs that are linked against musl. The database of `apk` was written for the sample in apk's format, as no program
of apk could be had; that of `rpm` was made by rpm. The shell of both is a static busybox.

| container | image | %s |
| --- | --- |%s
"""


@pytest.fixture(scope="module")
def samples(cluster) -> None:
    """The pods of the other kinds of images, beside the sample workloads."""
    objects = json.dumps(manifest())
    cluster.load_images(objects)
    cluster.kubectl("create", "-f", "-", stdin=objects)
    try:
        cluster.kubectl("wait", "--for=condition=Ready", "pods", "--all", "-n", NAMESPACE, "--timeout=120s")
        yield
    finally:
        cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture(scope="module")
def runs(samples, helper_operator_kubeconfig, tmp_path_factory) -> dict[str, Run]:
    """All approaches over the sample workloads and the samples here."""
    return {
        approach: Run(
            run_scan(
                helper_operator_kubeconfig,
                tmp_path_factory.mktemp(approach),
                approach=approach,
                namespaces=["shop", NAMESPACE],
                debug_match_capabilities=True,
            )
        )
        for approach in APPROACHES
    }


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(APPROACHES, 2)))
def test_no_verdict_contradicts_another(runs: dict[str, Run], one: str, other: str) -> None:
    least = 2 if (one, other) == ("exec", "sidecar") else 6  # the pods of `shop` have no sidecars
    assert contradictions(runs[one], runs[other], least) == []


@pytest.mark.parametrize("name", NO_SHELL)
def test_what_has_no_shell_has_real_verdicts_by_all_but_exec(runs: dict[str, Run], name: str) -> None:
    for approach in APPROACHES[1:]:
        (target,) = runs[approach].of(name)
        assert target["outcome"] == "scanned" and target["counts"]["passed"] >= 50, (
            approach,
            target["counts"],
        )
    (target,) = runs["exec"].of(name)
    assert target["error"]["reason"] == "no_such_program"


@pytest.mark.parametrize("approach", APPROACHES)
def test_the_packages_are_those_of_the_recipe(
    samples, helper_operator_kubeconfig, tmp_path, approach: str
) -> None:
    profile = tmp_path / "profile.yml"
    profile.write_text(json.dumps(package_profile()), encoding="utf-8")
    run = Run(
        run_scan(
            helper_operator_kubeconfig,
            tmp_path,
            approach=approach,
            namespaces=[NAMESPACE],
            profiles=[str(profile)],
        )
    )
    for name in PACKAGES:
        (target,) = run.of(name)
        if approach == "exec" and name in NO_SHELL:
            continue
        verdicts = {control: verdict for (_profile, control), verdict in run.verdicts(target).items()}
        assert verdicts[f"packages-of-{name}"] == (NOT_REVIEWED if name == NO_DATABASE else PASSED), run.hdf(
            target
        )
        assert list(verdicts.values()).count(PASSED) == (name != NO_DATABASE), verdicts


def test_the_page_is_current(runs: dict[str, Run]) -> None:
    rows = list(table(runs))
    if os.environ.get("SECURESCAN_WRITE_DOCS") == "1":
        compared = sum(
            len(run.verdicts(target))
            for run in runs.values()
            for target in run.targets
            if target["outcome"] == "scanned"
        )
        text = HEAD % (compared, " | ".join(APPROACHES), " --- |" * len(APPROACHES))
        (CHECKOUT / PAGE).write_text(
            text + "".join("| {} |\n".format(" | ".join(row)) for row in rows), encoding="utf-8"
        )
        return
    shown = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (TREE / PAGE).read_text(encoding="utf-8").splitlines()
        if line.startswith("| ")
    ][2:]
    assert [reached(row) for row in shown] == [reached(row) for row in rows], (
        "run this file with SECURESCAN_WRITE_DOCS=1"
    )


def table(runs: dict[str, Run]):
    """Rows of one container of each workload: name, image, what came of each approach."""
    containers = {}
    for target in runs["exec"].targets:
        containers.setdefault((target["namespace"], target["workload"], target["container"]), target["image"])
    for (namespace, workload, name), image in sorted(containers.items()):
        cells = []
        for approach in APPROACHES:
            seen, *_others = (
                target
                for target in runs[approach].targets
                if (target["namespace"], target["workload"], target["container"])
                == (namespace, workload, name)
            )
            cells.append(result(seen))
        yield [f"{namespace}/{workload}/{name}", image, *cells]


def result(target: dict) -> str:
    if target["outcome"] != "scanned":
        return "`{}`".format(target["error"]["reason"])
    counts = target["counts"]
    return "{} P, {} F, {} NR, {} NA".format(
        counts["passed"], counts["failed"], counts["not_reviewed"], counts["not_applicable"]
    )


def reached(row: list[str]) -> list[str]:
    return row[:2] + [cell if cell.startswith("`") else "scanned" for cell in row[2:]]
