# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The profile workload-baseline against the API server's own Pod Security admission, over the profile's bad pods."""

from __future__ import annotations

import copy
import json
import re

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Facts
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.evaluation import evaluate
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.profile import chosen_profiles
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.evidence import (
    EvaluationContext,
)
from ansible_collections.securescan.kubernetes.tests.support.workload_baseline_pods import BAD, GOOD, changed

LEVELS = {"baseline": ("baseline",), "restricted": ("baseline", "restricted")}


def pods_to_admit():
    """Name -> pod, without what the server looks up elsewhere or takes only later (ephemeral containers)."""
    cases = {
        "good": copy.deepcopy(GOOD),
        **{
            f"{control}-{number}": changed(*case)
            for control, cases in BAD.items()
            for number, case in enumerate(cases)
        },
    }
    for name, pod in cases.items():
        pod.update(apiVersion="v1", kind="Pod")
        pod["metadata"].update(name=name)
        for field in ("serviceAccountName", "priorityClassName", "ephemeralContainers"):
            pod["spec"].pop(field, None)
        for container in pod["spec"]["containers"] + pod["spec"].get("initContainers", []):
            if container["securityContext"].get("privileged") or "SYS_ADMIN" in container[
                "securityContext"
            ].get("capabilities", {}).get(
                "add", []
            ):  # the API refuses these with a field that says otherwise
                container["securityContext"].pop("allowPrivilegeEscalation")
    return cases


def answers(cluster, namespace, pods):
    """Name -> created, forbidden or invalid, as the server would answer; nothing is made."""
    items = [dict(pod, metadata=dict(pod["metadata"], namespace=namespace)) for pod in pods.values()]
    done = cluster.kubectl_run(
        "create",
        "--dry-run=server",
        "--validate=false",
        "-f",
        "-",
        stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}),
    )
    found = dict.fromkeys(re.findall(r"^pod/(\S+) created", done.stdout, re.M), "created")
    for line in done.stderr.splitlines():
        name = re.search(r'pods? "([^"]+)"', line, re.I)
        if name:
            found[name.group(1)] = "forbidden" if "violates PodSecurity" in line else "invalid"
    return found


@pytest.fixture(scope="module")
def namespaces(cluster):
    names = {level: f"admission-{level}" for level in LEVELS}
    for level, name in names.items():
        # with its label: admission sees one that comes later only a moment after it is written
        labels = {"pod-security.kubernetes.io/enforce": level}
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        account = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "web", "namespace": name},
        }
        # a test run that was killed can have left them
        cluster.kubectl(
            "apply",
            "-f",
            "-",
            stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": [space, account]}),
        )
        cluster.kubectl("wait", "--for=create", "serviceaccount/default", "-n", name, "--timeout=60s")
    yield names
    for name in names.values():
        cluster.kubectl("delete", "namespace", name)


@pytest.mark.parametrize("level", list(LEVELS))
def test_the_profile_and_the_admission_agree(cluster, namespaces, level):
    """What admission forbids fails at least one control of the level, and what it admits fails none."""
    (profile,) = chosen_profiles(["workload-baseline"])
    of_level = {
        control["id"]
        for control in profile.controls
        for tag in control["tags"].get("pss", [])
        if tag.split(":")[0] in LEVELS[level]
    }
    pods = pods_to_admit()
    answered = answers(cluster, namespaces[level], pods)
    assert set(answered) == set(pods)
    differ, compared = {}, 0
    for name, answer in answered.items():
        result = evaluate(profile, Facts({}), EvaluationContext({}, pods[name], "app"))
        failed = {
            control.id
            for control in result.controls
            if control.id in of_level and any(segment.status == "failed" for segment in control.results)
        }
        if answer != "invalid":
            compared += 1
            if bool(failed) is not (answer == "forbidden"):
                differ[name] = (answer, sorted(failed))
    print(
        "{}: {} of {} pods compared, {} forbidden".format(
            level, compared, len(pods), list(answered.values()).count("forbidden")
        )
    )
    assert differ == {}
    assert compared >= 100
    assert answered["good"] == "created"
