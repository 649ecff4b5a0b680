# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet over a mesh of Receptor, as AWX has it: two regions scan with ansible-runner, the third node merges.

The nodes are real and on this machine. The clusters of both regions are the real one, under names of their own.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.fleet_run import open_fleet_run
from ansible_collections.securescan.kubernetes.tests.support.access_tasks import run_task
from ansible_collections.securescan.kubernetes.tests.support.accesses_left import KINDS, LABEL, left
from ansible_collections.securescan.kubernetes.tests.support.real_systems import SECTIONS, shown
from ansible_collections.securescan.kubernetes.tests.support.receptor_mesh import Mesh, wait_until

REGIONS = {"eu": ("prod-eu-1", "prod-eu-2"), "us": ("prod-us-1", "prod-us-2")}


@pytest.fixture
def mesh(tmp_path) -> Iterator[Mesh]:
    made = Mesh(tmp_path, tuple(REGIONS))
    try:
        made.wait_for_regions()
        yield made
    finally:
        made.close()


class Fleet:
    """The project that both regions get, and the merge on the hub."""

    def __init__(self, folder: pathlib.Path, kubeconfig: pathlib.Path) -> None:
        self.folder = folder
        self.kubeconfig = kubeconfig

    def payload(self, region: str) -> pathlib.Path:
        """What `ansible-runner transmit` writes for a region: the play and the region's part of the inventory."""
        private = self.folder / f"{region}-private"
        for name in ("project", "inventory", "env"):
            (private / name).mkdir(parents=True)
        (private / "project" / "fleet.yml").write_text(
            yaml.safe_dump([{"import_playbook": "securescan.kubernetes.fleet"}])
        )
        variables = {
            "scan_kubeconfig": str(self.kubeconfig),
            "scan_namespaces": "shop",
            "scan_fail_on": "never",
            "fleet_fail_on": "never",
            "fleet_output_dir": "{{ lookup('ansible.builtin.env', 'AWX_ISOLATED_DATA_DIR') }}/scans",
        }
        hosts = {"all": {"hosts": {name: {} for name in REGIONS[region]}, "vars": variables}}
        (private / "inventory" / "hosts.yml").write_text(yaml.safe_dump(hosts))
        environ = {"ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"]}
        (private / "env" / "envvars").write_text(json.dumps(environ))
        path = self.folder / f"{region}.payload"
        with path.open("wb") as stream:
            subprocess.run(
                [_runner(), "transmit", str(private), "-p", "fleet.yml", "--ident", region],
                check=True,
                stdout=stream,
            )
        return path

    def process(self, region: str, streamed: bytes) -> pathlib.Path:
        """The folder of the region's fleet run, as it came back to the hub."""
        out = self.folder / f"{region}-out"
        out.mkdir()
        done = subprocess.run(
            [_runner(), "process", str(out), "--ident", region],
            input=streamed,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert done.returncode == 0, done.stdout.decode()[-4000:]
        return out / "artifacts" / region / "scans" / "_fleet" / "latest"

    def merged(self, *shards: pathlib.Path) -> pathlib.Path:
        """The folder of the fleet run that the hub makes of these, over the whole inventory."""
        every = [{"host": name} for names in REGIONS.values() for name in names]
        task = {
            "state": "merged",
            "output_dir": str(self.folder / "all"),
            "fleet_dirs": list(map(str, shards)),
            "clusters": every,
            "fail_on": ["never"],
        }
        play = [
            {
                "hosts": "localhost",
                "connection": "local",
                "gather_facts": False,
                "tasks": [{"securescan.kubernetes.scan_fleet_run": task}],
            }
        ]
        (self.folder / "merge.yml").write_text(yaml.safe_dump(play))
        program = pathlib.Path(sys.executable).parent / "ansible-playbook"
        done = subprocess.run(
            [str(program), "merge.yml"],
            cwd=self.folder,
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert done.returncode == 0, done.stdout
        return self.folder / "all" / "_fleet" / "latest"


def _runner() -> str:
    return str(pathlib.Path(sys.executable).parent / "ansible-runner")


@pytest.fixture
def fleet(cluster, operator_kubeconfig, tmp_path) -> Iterator[Fleet]:
    """At its end what a killed region has left in the cluster is swept, as if its time were over."""
    before = set(left(cluster).split())
    yield Fleet(tmp_path, operator_kubeconfig)

    def is_swept() -> bool:
        expired = "securescan.kubernetes/expires=20200101T000000Z"
        # one of them can go while they are labelled
        cluster.kubectl_run("label", "--overwrite", KINDS, "-n", "shop", "-l", LABEL, expired)
        run_task(operator_kubeconfig, state="swept", namespaces=["shop"])
        return set(left(cluster).split()) <= before

    wait_until(is_swept)


def entries(folder: pathlib.Path) -> dict[str, object]:
    return {entry.cluster: entry for entry in open_fleet_run(str(folder)).clusters}


def test_two_regions_scan_and_one_node_merges_and_a_region_that_is_killed_is_told(mesh, fleet):
    units = {region: mesh.submit(region, fleet.payload(region)) for region in REGIONS}
    progress = mesh.folder / "us" / "job"
    wait_until(lambda: any("progress.json" in files for _path, _folders, files in os.walk(progress)))
    mesh.kill("us")
    eu = fleet.process("eu", mesh.results(units["eu"]))
    found = entries(fleet.merged(eu))
    assert {name: found[name].state for name in REGIONS["eu"]} == dict.fromkeys(
        REGIONS["eu"], "partly_scanned"
    )
    for name in REGIONS["us"]:
        assert found[name].state == "not_reached" and found[name].error is not None, found[name]

    # what the dead region's disk still has counts as far as it came, once it is back
    salvaged = next(progress.glob("artifacts/*/scans/_fleet/*/fleet.json")).parent
    found = entries(fleet.merged(salvaged, eu))
    for name in REGIONS["us"]:
        # one that had ended before the region died is what it was
        ended = {"partly_scanned"} if list(salvaged.parents[1].glob(f"{name}/*/summary.json")) else set()
        assert found[name].state in {"out_of_time", "broken", "not_reached", "not_scanned", *ended}, name
    shutil.rmtree(fleet.folder / "all")
    what = "a region that is killed while it scans is told, and what its disk has counts once it is back"
    shown("Receptor", mesh.version(), what, SECTIONS[0])


def test_both_regions_come_back(mesh, fleet):
    units = {region: mesh.submit(region, fleet.payload(region)) for region in REGIONS}
    shards = [fleet.process(region, mesh.results(unit)) for region, unit in units.items()]
    first = fleet.merged(*shards)
    found = entries(first)
    assert sorted(found) == sorted(name for names in REGIONS.values() for name in names)
    assert {entry.targets.scanned for entry in found.values()} == {6}
    one_way = (first / "fleet.json").read_bytes()
    shutil.rmtree(fleet.folder / "all")
    assert (fleet.merged(*reversed(shards), shards[0]) / "fleet.json").read_bytes() == one_way
    what = "two regions scan by ansible-runner, and a third node merges their fleet runs"
    shown("Receptor", mesh.version(), what, SECTIONS[0])
