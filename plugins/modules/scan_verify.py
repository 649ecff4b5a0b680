#!/usr/bin/python
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scan_verify
short_description: Say whether results are as they were signed, and what was changed
version_added: 0.1.0
description:
  - Compares the folder of a run or of a fleet run with the manifest that M(securescan.kubernetes.scan_sign) has signed. Every file must be there and unchanged,
    and none may be added. All runs of a fleet run are compared, too.
  - The task fails when something differs. RV(faults) names it, such as a control that passes now and was signed as failed, a waiver, an image, a time,
    a limit of the threshold, a target that is missing.
  - Files that were made after the signature, such as reports and later decisions, are named in RV(uncovered). They are no fault, and nobody vouches for them.
  - It reads the folder and nothing else, needs no cluster, and changes nothing.
options:
  run_dir:
    description: Folder of a run, or of a fleet run.
    type: path
    required: true
  trusted_keys:
    description:
      - Public keys in PEM form, as files on the controller or as texts. A signature by one of them is enough.
      - A key that lies beside the results is never trusted by itself.
    type: list
    elements: str
    required: true
  chain:
    description: Whether the chain is followed back from this run, through the folders beside it. A run that was removed is a fault.
    type: bool
    default: false
  chain_from:
    description: Id of the oldest run that must be there, where older ones were removed on purpose. Without it the chain must reach the first run.
    type: str
  chain_head:
    description:
      - RV(securescan.kubernetes.scan_sign#module:manifest_sha256) of a run as it was kept elsewhere. That run must be this one, or be in its chain.
      - Only this tells that the newest runs were cut off.
    type: str
  max_age:
    description:
      - The seconds since the signature, at most. An older one is a fault. Without it a signature can be of any age.
      - From 0 to 315360000.
    type: int
  allow_uncovered:
    description: Whether files are allowed that were made after the signature. Without it each is a fault.
    type: bool
    default: true
attributes:
  check_mode:
    support: full
    details: It changes nothing, so check mode does the same.
  diff_mode:
    support: none
  idempotent:
    support: full
seealso:
  - module: securescan.kubernetes.scan_sign
author:
  - securescan.kubernetes contributors (@securescan)
extends_documentation_fragment:
  - securescan.kubernetes.attributes
  - securescan.kubernetes.cluster_name.run
"""

EXAMPLES = r"""
- name: Verify the last run, and that no run before it was removed
  securescan.kubernetes.scan_verify:
    run_dir: /var/lib/scans/prod-eu/latest
    trusted_keys: [keys/scans.pub, keys/scans-2025.pub]
    chain: true
    chain_head: "{{ head_of_last_night }}"
"""

RETURN = r"""
verified:
  description: Whether all is as it was signed by a trusted key.
  returned: always
  type: bool
  sample: true
run_id:
  description: The run, as it was signed. Empty where no trusted key has signed.
  returned: always
  type: str
  sample: 20261123t130000-1f9a2c
key_id:
  description: The key that has signed, by the SHA-256 of its DER form. Empty where none of the trusted ones has.
  returned: always
  type: str
  sample: 0d5b9b2f8ea35d3b2a6c4b0c6d16c9fa2f5c1b8c7a3e9d0f1e2d3c4b5a697887
key:
  description: Where that key was read.
  returned: always
  type: str
  sample: the trusted key 1
signed:
  description: Who signed, when, where and with which programs, as the machine that signed says it.
  returned: always
  type: dict
  sample: {at: "2026-11-23T13:01:07Z", by: jenkins, machine: scanner-1, tools: {python: 3.11.7}}
sequence:
  description: Number of the run in its chain, 0 where it was not signed.
  returned: always
  type: int
  sample: 42
manifest_sha256:
  description: SHA-256 of the file of the manifest.
  returned: always
  type: str
  sample: 3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea
summary_sha256:
  description: SHA-256 of C(summary.json) or C(fleet.json), as it was signed. Give it to the tasks that go on with the run.
  returned: always
  type: str
  sample: 3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea
targets:
  description: Number of targets whose statements were read.
  returned: always
  type: int
  sample: 9
covered:
  description: Number of files that the signature covers.
  returned: always
  type: int
  sample: 24
faults:
  description: The first 50 things that are not as they were signed.
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description: >-
        What it is about, such as V(verdict), V(waiver), V(image), V(time), V(threshold), V(order), V(file), V(missing), V(added), V(missing_target),
        V(added_target), V(envelope), V(foreign_key), V(changed_manifest), V(replayed), V(removed_run), V(chain_head), V(link).
      returned: always
      type: str
      sample: verdict
    subject:
      description: The target, the file or the run.
      returned: always
      type: str
      sample: prod-eu/shop/api-1/app
    text:
      description: What is wrong, in words.
      returned: always
      type: str
      sample: "control container-baseline/cb-root-uid: Passed, and was signed as Failed"
fault_count:
  description: Number of all of them.
  returned: always
  type: int
  sample: 0
uncovered:
  description: The first 50 files that were made after the signature.
  returned: always
  type: list
  elements: str
  sample: [summary.md]
uncovered_count:
  description: Number of all of them.
  returned: always
  type: int
  sample: 1
chain:
  description: The first 50 runs of the chain, the newest first. Empty without O(chain).
  returned: always
  type: list
  elements: str
  sample: [20261123t130000-1f9a2c, 20261122t130000-3b7d10]
error:
  description: Why the task failed. See the guide on errors for the codes.
  returned: on failure
  type: dict
  sample: {code: SCAN-872, reason: bad_evidence, message: "...", tried: "...", cause: "...", advice: "..."}
"""

from ..module_utils.module_run import run_as_module
from ..module_utils.options.verify import scan_verify_spec
from ..module_utils.tasks.verify import run_scan_verify


def main() -> None:
    run_as_module(scan_verify_spec(), run_scan_verify)


if __name__ == "__main__":
    main()
