# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The outputs that the guides show are what the playbooks print, from a first scan to a fleet with a dead cluster."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest
import yaml
from ansible_collections.securescan.kubernetes.tests.support.shown_outputs import shown

FLEET = "securescan.kubernetes.scan_fleet"
DEAD = {"scan_host": "https://127.0.0.1:1", "scan_api_key": "none", "scan_ca_cert": ""}


class Operator:
    """Somebody who follows the guides: an inventory, a folder, and a shell."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.output = ""
        self.status = 0

    def inventory(self, clusters: dict[str, dict], **group: object) -> None:
        group = {"ansible_python_interpreter": sys.executable, **group}
        content = {"clusters": {"hosts": clusters, "vars": group}}
        (self.folder / "inventory.yml").write_text(yaml.safe_dump(content))

    def play(self, playbook: str, *arguments: str, **environ: str) -> str:
        """What stands on the terminal."""
        program = pathlib.Path(sys.executable).parent / "ansible-playbook"
        name = f"securescan.kubernetes.{playbook}"
        done = subprocess.run(
            [str(program), name, "-i", "inventory.yml", *arguments],
            cwd=self.folder,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1", "PWD": str(self.folder), **environ},
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.output, self.status = done.stdout, done.returncode
        return done.stdout

    def shown(self, page: str, name: str, output: str) -> None:
        shown(page, name, output, {str(self.folder): "/home/ops"})


@pytest.fixture(scope="module")
def operator(cluster, operator_kubeconfig, tmp_path_factory):
    made = Operator(tmp_path_factory.mktemp("operator-folder"))
    made.kubeconfig = operator_kubeconfig
    return made


def from_to(output: str, first: str, last: str) -> str:
    """The lines from the one that begins with `first` up to the one that begins with `last`, which is left out."""
    lines = [line for line in output.splitlines() if " containers done, " not in line]
    start = next(number for number, line in enumerate(lines) if line.startswith(first))
    end = next(number for number, line in enumerate(lines) if number > start and line.startswith(last))
    return "\n".join(lines[start:end])


def test_a_preflight_and_a_first_scan_of_one_cluster(operator):
    operator.inventory({"prod-eu": {}}, scan_kubeconfig=str(operator.kubeconfig))
    output = operator.play("preflight", "-e", "scan_namespaces=shop")
    assert operator.status == 0, output
    operator.shown("playbooks.md", "preflight", from_to(output, "PREFLIGHT", "ok:"))
    output = operator.play("scan", "-e", "scan_namespaces=shop")
    assert operator.status == 2, output
    operator.shown("playbooks.md", "scan", from_to(output, "[prod-eu]", "[ERROR]"))


def test_two_clusters_and_a_dead_one(operator):
    operator.inventory({"prod-eu": {}, "prod-us": {}, "lab": DEAD}, scan_kubeconfig=str(operator.kubeconfig))
    output = operator.play("scan", "-e", "scan_namespaces=shop", ANSIBLE_CALLBACKS_ENABLED=FLEET)
    assert operator.status == 4, output
    operator.shown("playbooks.md", "fleet", output[output.index("SCANNED CLUSTERS") :])
    folders = sorted(path.name for path in (operator.folder / "scan-results").iterdir())
    assert folders == ["prod-eu", "prod-us"]
    output = operator.play("report", "-e", "scan_fail_on=never")
    assert "there is no finished run" in output and "failed=1" in output
