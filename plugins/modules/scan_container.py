#!/usr/bin/python
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scan_container
short_description: Scan running containers for compliance
version_added: 0.1.0
description:
  - Enters each chosen container once, with the scanner's token only, collects the facts that the profiles ask for in one go,
    judges them here, and writes one HDF (InSpec exec-json) document per container.
  - A control whose facts could not be had is Not Reviewed with the cause. It never passes.
  - A container that cannot be scanned is a record with its cause and with what would work, and does not stop the others.
  - With a local connection the work is done in the controller process, with a progress line about once a second.
options:
  access:
    description:
      - The value RV(securescan.kubernetes.scan_access#module:access) of a task that made the credentials beforehand.
      - Without it the scan makes credentials of its own, over the pods that it is about to enter, and removes them at its end,
        also when it fails, is interrupted, or runs into the task's time-out.
    type: dict
  approach:
    description: How the content is reached. V(exec) runs a shell of the target's own image.
    type: str
    choices: [exec]
    default: exec
  profiles:
    description: Names of shipped profiles, or paths of profile files or folders on the controller.
    type: list
    elements: str
    default: [container-baseline]
  inputs:
    description: Values for the profiles' inputs.
    type: dict
    default: {}
  compiled_profiles:
    description: Set by the action plugin, which loads and checks profiles on the controller. Not meant for playbooks.
    type: list
    elements: dict
  waivers:
    description:
      - A waiver file in InSpec's format (path on the controller), or its content as a dictionary.
      - A waived control with C(run) false is Not Applicable until its expiry.
    type: raw
  output_dir:
    description: Folder that gets a folder for this run, on the machine where the task runs.
    type: path
    required: true
  concurrency:
    description: How many containers are scanned at the same time.
    type: int
    default: 8
  timeout:
    description: Seconds that one container may take.
    type: float
    default: 60.0
  output_limit:
    description: Bytes that one container may send.
    type: int
    default: 8388608
  renew_access:
    description:
      - What to do about containers whose pod was replaced during the scan, by a rolling update for instance.
      - The access reaches the pods that were selected, so their successors are not scanned, and the record says so. With this option
        the access is renewed once and the successors are scanned in their place.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    details: Lists what would be scanned. It enters no container and asks for no token.
  diff_mode:
    support: none
    details: It changes nothing in the cluster.
  idempotent:
    support: full
  action_group:
    support: full
seealso:
  - module: securescan.kubernetes.scan_access
  - module: securescan.kubernetes.scan_threshold
author:
  - securescan.kubernetes contributors (@securescan)
extends_documentation_fragment:
  - securescan.kubernetes.attributes
  - securescan.kubernetes.connection
  - securescan.kubernetes.grant
  - securescan.kubernetes.selection
"""

EXAMPLES = r"""
- name: Scan one application, with credentials that are made for it and removed after it
  securescan.kubernetes.scan_container:
    kubeconfig: "{{ scan_kubeconfig }}"
    namespaces: [shop]
    label_selectors: [app.kubernetes.io/name=api]
    profiles: [container-baseline]
    inputs:
      forbidden_packages: [telnetd, rsh-server]
    owner: platform-security
    output_dir: "{{ scan_output_dir }}"
  register: scan

- name: Scan with credentials that another team's play has made
  securescan.kubernetes.scan_container:
    kubeconfig: "{{ scan_kubeconfig }}"
    namespaces: [shop]
    access: "{{ made.access }}"
    output_dir: "{{ scan_output_dir }}"
"""

RETURN = r"""
run_id:
  description: The run's id.
  returned: success
  type: str
  sample: 20261123t130000-1f9a2c
run_dir:
  description: The run's folder.
  returned: when not in check mode
  type: str
  sample: /var/lib/scans/20261123t130000-1f9a2c
summary_file:
  description: The run's summary as JSON.
  returned: when not in check mode
  type: str
  sample: /var/lib/scans/20261123t130000-1f9a2c/summary.json
counts:
  description: Numbers of containers selected, scanned and not scanned.
  returned: success
  type: dict
  sample: {selected: 9, scanned: 6, not_scanned: 3}
not_scanned:
  description: The first 20 containers that were not scanned, each with its error. The rest stands in the summary.
  returned: success
  type: list
  elements: dict
  sample:
    - target_id: demo/shop/Deployment/edge/edge-6c9d7-abcde/edge
      error: {code: SCAN-501, reason: no_such_program}
requests:
  description: Requests made to the API server by the grantor and by the scanner, and the number of execs.
  returned: when not in check mode
  type: dict
  sample: {grantor: 3, scanner: 11, exec: 9}
error:
  description: Why the task failed. See the guide on errors for the codes.
  returned: on failure
  type: dict
  sample: {code: SCAN-204, reason: not_authenticated, message: "...", tried: "...", cause: "...", advice: "..."}
"""

from ..module_utils.module_run import run_as_module
from ..module_utils.options import scan_container_spec
from ..module_utils.tasks.container import run_scan_container


def main() -> None:
    run_as_module(scan_container_spec(), run_scan_container)


if __name__ == "__main__":
    main()
