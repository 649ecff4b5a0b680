# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift on the real cluster: what was changed in running containers, and nothing else, with and without a shell of their own."""

from __future__ import annotations

import json
import os
import pathlib
import threading
import time

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.judgement import (
    scan_judgement_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.scan import scan_container_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.container import run_scan_container
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.judgement import run_scan_judgement
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.profile import chosen_profiles
from ansible_collections.securescan.kubernetes.tests.support import debug_fixtures
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import (
    BUSYBOX,
    DEBIAN,
    DISTROLESS,
    Scan,
    container,
    pod,
)
from ansible_collections.securescan.kubernetes.tests.support.operator_credential import HELPERS

# Done in the container's root R: a setuid program and a link in a folder of its own are added, a setting is written, one is
# removed, one gets another mode, a link another text; and one is written over with its old size, and its time set back.
CHANGES = """set -eu
mkdir -p $R/usr/tools && cp /bin/sh $R/usr/tools/miner && chmod 4755 $R/usr/tools/miner && ln -s /bin/sh $R/usr/tools/sh
echo 'x:x:0:0::/:/bin/sh' >>$R/etc/passwd
rm $R/etc/issue.net
chmod 0666 $R/etc/issue && chmod 0664 $R/usr/lib/os-release
ln -sfn /tmp/os-release $R/etc/os-release
then=$(stat -c %Y $R/etc/debian_version) && printf 9 >$R/9 && dd if=$R/9 of=$R/etc/debian_version conv=notrunc 2>/dev/null
rm $R/9 && touch -d @$then $R/etc/debian_version
"""
EXPECTED = {
    "/usr/tools": ("added", []),
    "/usr/tools/miner": ("added", []),
    "/usr/tools/sh": ("added", []),
    "/etc/passwd": ("changed", ["size", "mtime"]),
    "/etc/issue.net": ("removed", []),
    "/etc/issue": ("changed", ["mode"]),
    "/usr/lib/os-release": ("changed", ["mode"]),
    "/etc/os-release": ("changed", ["mtime", "link_target"]),
    "/etc/debian_version": ("touched", ["ctime"]),
}
CONTROLS = [
    "cd-new-setuid",
    "cd-programs-added",
    "cd-programs-changed",
    "cd-files-removed",
    "cd-settings-changed",
]


class Drifted(Scan):
    """One scan, with the drift of its targets by container."""

    def drift(self, name: str) -> dict:
        target = self.targets[name]
        assert target["outcome"] == "scanned", target["error"]
        document = json.loads((self.run_dir / target["drift"]["path"]).read_text(encoding="utf-8"))
        assert document["target"]["container"] == name and document["counts"] == target["drift"]["counts"]
        return document

    def found(self, name: str) -> dict:
        return {
            entry["path"]: (entry["change"], entry["differs"]) for entry in self.drift(name)["differences"]
        }

    def failed(self, name: str) -> list:
        return [
            control
            for control, results in self.verdicts(name).items()
            if any(status == "failed" for status, _words in results)
        ]


@pytest.fixture(scope="module")
def space(cluster):
    """Four containers that run as root without any capability: of each image one that is changed, and one that is not."""
    made = debug_fixtures.Place(cluster, f"drift-{os.getpid()}")
    debug_fixtures.make_namespace(cluster, made.name)
    as_root, listens = {"runAsNonRoot": False}, {"args": ["8080"]}
    made.add(
        *(
            pod(name, container(name, image, user=(0, 0), security=dict(as_root), **more))
            for name, image, more in (
                ("debian", DEBIAN, {}),
                ("debian-same", DEBIAN, {}),
                ("bare", DISTROLESS, listens),
                ("bare-same", DISTROLESS, listens),
            )
        )
    )
    started = max(
        state["startedAt"]
        for item in cluster.get("pods", "-n", made.name)["items"]
        for status in item["status"]["containerStatuses"]
        for state in status["state"].values()
    )
    # times are compared in whole seconds, so a change within the second of the start is not told apart
    while time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) <= started:
        time.sleep(0.1)
    cluster.kubectl("exec", "-n", made.name, "debian", "--", "sh", "-c", "R=\n" + CHANGES)
    entry = {
        **container(
            "hand", BUSYBOX, ["sh", "-c", "R=/proc/1/root\n" + CHANGES], user=(0, 0), security=dict(as_root)
        ),
        "targetContainerName": "bare",
    }
    cluster.kubectl(
        "patch",
        "pod",
        "bare",
        "-n",
        made.name,
        "--subresource=ephemeralcontainers",
        "--type=strategic",
        "-p",
        json.dumps({"spec": {"ephemeralContainers": [entry]}}),
    )
    deadline = time.monotonic() + 60
    while made.states("bare").get("hand") != "terminated" and time.monotonic() < deadline:
        time.sleep(0.2)
    (status,) = made.pod("bare")["status"]["ephemeralContainerStatuses"]
    assert status["state"]["terminated"]["exitCode"] == 0, cluster.kubectl(
        "logs", "-n", made.name, "bare", "-c", "hand"
    )
    yield made.name
    cluster.kubectl("delete", "namespace", made.name, "--wait=false")


def run_scan(kubeconfig: pathlib.Path, folder: pathlib.Path, namespace: str, **changes) -> Drifted:
    params = {name: rule.get("default") for name, rule in scan_container_spec().items()}
    params.update(
        {
            "kubeconfig": str(kubeconfig),
            "namespaces": [namespace],
            "approach": "exec",
            "scanner_image": BUSYBOX,
            "timeout": 120.0,
            "helper_namespace": HELPERS,
            "output_dir": str(folder),
            "profiles": ["container-drift"],
        },
        **changes,
    )
    params["compiled_profiles"] = [
        profile.as_dict() for profile in chosen_profiles(params["profiles"], params["inputs"])
    ]
    context = TaskContext(check_mode=False, environ=dict(os.environ), cancel=threading.Event())
    return Drifted(run_scan_container(params, context), context.warnings)


def check(scan: Drifted) -> None:
    for name in ("debian", "bare"):
        document = scan.drift(name)
        assert scan.found(name) == EXPECTED, document
        assert document["counts"] == {"added": 3, "changed": 4, "removed": 1, "touched": 1}
        (miner,) = [entry for entry in document["differences"] if entry["path"] == "/usr/tools/miner"]
        assert (miner["gained_setuid"], miner["executable"], miner["image"], miner["live"]["mode"]) == (
            True,
            True,
            None,
            0o4755,
        )
        # the helper that lists the image is not root
        assert "/root" in document["unread"] and not document["complete"]
        assert "could not be listed on both sides" in scan.targets[name]["drift"]["cause"]
        assert scan.failed(name) == CONTROLS
    for name in ("debian-same", "bare-same"):
        assert scan.found(name) == {}
        assert {
            control: {status for status, _words in results}
            for control, results in scan.verdicts(name).items()
        } == {control: {"passed"} for control in CONTROLS}


def test_what_was_changed_and_nothing_else_by_exec_and_by_debug(
    cluster, helper_operator_kubeconfig, space, tmp_path
) -> None:
    by_auto = run_scan(
        helper_operator_kubeconfig, tmp_path / "auto", space, approach="auto", drift=True, keep_facts=True
    )
    assert {name: target["approach"] for name, target in by_auto.targets.items()} == {
        "debian": "exec",
        "debian-same": "exec",
        "bare": "debug",
        "bare-same": "debug",
    }
    check(by_auto)

    # both by debug, and by the profile alone: its places are what is reported; each image is entered once
    by_debug = run_scan(helper_operator_kubeconfig, tmp_path / "debug", space, approach="debug")
    assert by_debug.result["requests"]["exec"] == 4 * 2 + 2
    for name in ("debian", "bare"):
        assert by_debug.found(name) == EXPECTED
        assert by_debug.verdicts(name) == by_auto.verdicts(name)
    assert by_debug.found("debian-same") == by_debug.found("bare-same") == {}

    # what was kept says the same again
    params = {name: rule.get("default") for name, rule in scan_judgement_spec().items()}
    params.update(
        {
            "run_dir": str(by_auto.run_dir),
            "output_dir": str(tmp_path / "again"),
            "profiles": ["container-drift"],
        }
    )
    params["compiled_profiles"] = [
        profile.as_dict() for profile in chosen_profiles(params["profiles"], params["inputs"])
    ]
    again = Drifted(run_scan_judgement(params, TaskContext(check_mode=False, environ={})), [])
    for name in again.targets:
        assert again.drift(name)["differences"] == by_auto.drift(name)["differences"]
        assert again.verdicts(name) == by_auto.verdicts(name)


def test_without_the_image_drift_is_not_reviewed(
    cluster, helper_operator_kubeconfig, space, tmp_path
) -> None:
    without = run_scan(
        helper_operator_kubeconfig, tmp_path / "without", space, helper_namespace=None, pods=["debian"]
    )
    at_rest = run_scan(
        helper_operator_kubeconfig, tmp_path / "image", space, approach="image", pods=["debian"]
    )
    for scan, words in ((without, "no helper_namespace is given"), (at_rest, "was seen by its image only")):
        assert {status for results in scan.verdicts("debian").values() for status, _words in results} == {
            "skipped"
        }
        said = scan.targets["debian"]["drift"]
        assert said["counts"] is None and not said["complete"] and words in said["cause"]
