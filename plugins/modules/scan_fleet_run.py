#!/usr/bin/python
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scan_fleet_run
short_description: Run a scan over many clusters, and merge such runs
version_added: 0.1.0
description:
  - Keeps one body of evidence over many clusters. It touches no cluster; M(securescan.kubernetes.scan_container) scans them.
  - The manifest is written first, with O(state=begun). Each cluster writes its own entry. O(state=ended) adds them up, compares them with
    the fleet runs before, decides and reports.
  - A cluster that did not answer, refused, broke or had too little time is an entry with its cause. What was not seen never passes.
  - It works on the controller, whatever connection the play has. The role and the playbook C(fleet) use it.
options:
  state:
    description:
      - V(begun) writes which clusters are expected, or goes on with a fleet run that was interrupted.
      - V(cluster_begun) says whether a cluster is to be scanned now. V(cluster_ended) keeps what became of it.
      - V(ended) looks at the run of each cluster, and writes fleet.json and the reports. A fleet run that is not good enough fails the task.
      - V(merged) makes one fleet run of several, such as those of an inventory's slices. Their order does not matter.
    type: str
    choices: [begun, cluster_begun, cluster_ended, ended, merged]
    required: true
  output_dir:
    description: Folder of the results, in which C(_fleet/ID) and a folder for each cluster are.
    type: path
    required: true
  allow_shared_folder:
    description: Whether others are allowed to write to O(output_dir), and to O(fleet_dirs).
    type: bool
    default: false
  fleet_run_id:
    description:
      - The id of the fleet run. O(state=begun) makes one where none is given, and O(state=merged) makes one of those of its parts.
      - The other states need it.
    type: str
  cluster_name:
    description:
      - The cluster that O(state=cluster_begun) or O(state=cluster_ended) is about, by its name in results.
      - By default it is the name of the inventory host.
    type: str
  clusters:
    description:
      - With O(state=begun), the clusters that are expected. Without them they are the hosts of the play.
      - With O(state=merged), those of the whole inventory. One that none of O(fleet_dirs) has is not reached, for the reason C(no_shard).
      - Two of one name are an error, because their results would lie in one folder.
    type: list
    elements: dict
    suboptions:
      host:
        description: The inventory host.
        type: str
        required: true
      cluster:
        description: Its name in results, where that is not the host's.
        type: str
      groups:
        description: What it belongs to, such as provider, region and version, as texts.
        type: dict
  slice:
    description:
      - With O(state=begun), C({offset, count}). Of the clusters every count-th one is expected, the first of them at offset.
    type: dict
  deadline:
    description: >-
      With O(state=begun), the seconds after which no other cluster's turn comes. Without it there is no such end. From 1 to 604800.
    type: int
  resume:
    description:
      - With O(state=begun), whether a fleet run that was interrupted is gone on with. Clusters that it has scanned are not scanned again.
      - It is the last one of the same clusters, when it has no end, no process on this machine runs it, and it began within
        O(resume_within). With O(fleet_run_id) it is that one, also when it has ended.
    type: bool
    default: true
  resume_within:
    description: How old a fleet run can be that is gone on with, in seconds. From 0 to 31536000.
    type: int
    default: 43200
  deadline_at:
    description: With O(state=cluster_begun), when the time of the fleet run ends, as RV(deadline_at) gives it.
    type: str
  terms:
    description:
      - With O(state=cluster_begun), a text that stands for how the cluster is scanned and judged. A cluster that was scanned with other
        terms in this fleet run is scanned again.
      - In a play it is a digest of the variables of the role C(scan) that say what is scanned, how it is judged, and by which gate, and of
        the files that they name.
    type: str
  scan:
    description: With O(state=cluster_ended), what M(securescan.kubernetes.scan_container) returned.
    type: raw
  failure:
    description: With O(state=cluster_ended), what a task returned that failed, C(ansible_failed_result) in a C(rescue).
    type: raw
  elsewhere:
    description:
      - With O(state=ended), clusters of the inventory that the fleet run left out. They are not told as clusters that went.
      - In a play they are the hosts that it does not have.
    type: list
    elements: str
  fleet_dirs:
    description:
      - With O(state=merged), the folders of fleet runs. One that is given twice counts once, and one that was killed counts as far as it came.
      - Of each cluster the newest whole run counts. Runs that lie in another output folder are brought into O(output_dir).
    type: list
    elements: path
  fail_on:
    description:
      - Which reasons fail the task. V(gate) is a cluster whose gate found something. V(coverage) is one of which fewer containers
        were scanned or judged than its threshold asks for, or whose time ended. V(unreachable) is one without results.
      - V(never) stands alone, and fails nothing.
    type: list
    elements: str
    default: [gate, coverage, unreachable]
  formats:
    description:
      - Which reports to write to the folder of the fleet run. V(json) is C(fleet.json), which is always written. V(csv) is C(fleet.csv), for
        spreadsheets. V(markdown) is C(summary.md), for people. V(html) is C(report.html), a page that needs nothing else.
      - A name that is not among them is an error that names them.
    type: list
    elements: str
    default: [json, csv, markdown, html]
attributes:
  check_mode:
    support: full
    details: Says what it would do, and writes nothing.
  diff_mode:
    support: none
    details: It changes nothing but its own files.
  idempotent:
    support: partial
    details: A fleet run that begins is another one. Its end and a merge can be done again, with the same result.
seealso:
  - module: securescan.kubernetes.scan_container
  - module: securescan.kubernetes.scan_threshold
author:
  - securescan.kubernetes contributors (@securescan)
extends_documentation_fragment:
  - securescan.kubernetes.attributes
"""

EXAMPLES = r"""
- name: Write which clusters are expected
  securescan.kubernetes.scan_fleet_run:
    state: begun
    output_dir: /var/lib/scans
    deadline: 14400
  register: fleet
  run_once: true

- name: Add up, compare, report and decide
  securescan.kubernetes.scan_fleet_run:
    state: ended
    output_dir: /var/lib/scans
    fleet_run_id: "{{ fleet.fleet_run_id }}"
    fail_on: [gate, unreachable]
  run_once: true

- name: Make one fleet run of those of two regions
  securescan.kubernetes.scan_fleet_run:
    state: merged
    output_dir: /var/lib/scans/all
    fleet_dirs:
      - /var/lib/scans/eu/_fleet/latest
      - /var/lib/scans/us/_fleet/latest
"""

RETURN = r"""
fleet_run_id:
  description: The id of the fleet run.
  returned: with O(state=begun), O(state=ended) and O(state=merged)
  type: str
  sample: 20261123t130000-1f9a2c
fleet_dir:
  description: Its folder.
  returned: with O(state=begun), O(state=ended) and O(state=merged)
  type: str
  sample: /var/lib/scans/_fleet/20261123t130000-1f9a2c
resumed:
  description: Whether a fleet run that was interrupted is gone on with.
  returned: with O(state=begun)
  type: bool
  sample: false
expected:
  description: The number of clusters that are expected.
  returned: with O(state=begun)
  type: int
  sample: 100
first:
  description: Hosts whose turn comes first, because the last fleet run did not reach them, or had too little time for them, or knows them not.
  returned: with O(state=begun)
  type: list
  elements: str
  sample: [prod-eu]
deadline_at:
  description: When the time of the fleet run ends; empty without a deadline.
  returned: with O(state=begun)
  type: str
  sample: "2026-11-23T17:00:00Z"
wanted:
  description: Whether the cluster is to be scanned now.
  returned: with O(state=cluster_begun)
  type: bool
  sample: true
why:
  description: Why it is not to be scanned, empty where it is.
  returned: with O(state=cluster_begun)
  type: str
  sample: the time of the fleet run has ended
entry:
  description: What became of the cluster; state, gate and reason.
  returned: with O(state=cluster_ended)
  type: dict
  sample: {state: scanned, gate: passed, reason: ""}
file:
  description: Where its entry was written.
  returned: with O(state=cluster_ended)
  type: str
  sample: /var/lib/scans/_fleet/20261123t130000-1f9a2c/clusters/prod-eu.json
gate:
  description: The decision; whether it passed, the kinds of reasons that it failed by, and the number of reasons of each kind.
  returned: with O(state=ended) and O(state=merged), also on failure
  type: dict
  sample: {passed: false, failed_by: [gate], reasons: {gate: 2, coverage: 0, unreachable: 0}}
clusters:
  description: The number of clusters by state.
  returned: with O(state=ended) and O(state=merged), also on failure
  type: dict
  sample: {scanned: 98, unreachable: 2}
changes:
  description: The number of failures that are new, fixed and reopened; empty without an earlier fleet run.
  returned: with O(state=ended) and O(state=merged), also on failure
  type: dict
  sample: {new: 3, fixed: 2, reopened: 0}
superseded:
  description: How many entries of the parts do not count, because there is something newer or more whole.
  returned: with O(state=merged)
  type: int
  sample: 0
files:
  description: The files that were written.
  returned: with O(state=ended) and O(state=merged), also on failure
  type: list
  elements: str
  sample: [/var/lib/scans/_fleet/20261123t130000-1f9a2c/fleet.json]
error:
  description: Why the task failed. See the guide on errors for the codes.
  returned: on failure
  type: dict
  sample: {code: SCAN-820, reason: fleet_gate_failed, message: "...", tried: "...", cause: "...", advice: "..."}
"""

from ..module_utils.module_run import run_as_module
from ..module_utils.options.fleet_run import scan_fleet_run_spec
from ..module_utils.tasks.fleet_run import run_scan_fleet_run


def main() -> None:
    run_as_module(scan_fleet_run_spec(), run_scan_fleet_run)


if __name__ == "__main__":
    main()
