#!/usr/bin/python
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scan_profile
short_description: Load and check profiles
version_added: 0.1.0
description:
  - Loads profiles with their inputs and checks them by the rules of the profile language, without touching any cluster.
  - With O(tests), also judges the cases that lie beside each profile and fails where a verdict is not the expected one.
  - Profiles are files of the controller, so this always runs there.
options:
  tests:
    description:
      - Run the tests of the profiles, which stand in files of the folder C(tests) beside C(profile.yml). A profile without any is
        an error. See the guide on writing profiles.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: It changes nothing.
  idempotent:
    support: full
seealso:
  - module: securescan.kubernetes.scan_container
author:
  - securescan.kubernetes contributors (@securescan)
extends_documentation_fragment:
  - securescan.kubernetes.attributes
  - securescan.kubernetes.judging
requirements:
  - PyYAML >= 6.0
"""

EXAMPLES = r"""
- name: Check the shipped profile with an input of our own
  securescan.kubernetes.scan_profile:
    profiles: [container-baseline]
    inputs:
      forbidden_packages: [telnetd, rsh-server]

- name: Test both shipped profiles over facts of a sample workload
  securescan.kubernetes.scan_profile:
    profiles: [container-baseline, workload-baseline]
    tests: true
"""

RETURN = r"""
profiles:
  description: What was loaded.
  returned: success
  type: list
  elements: dict
  sample:
    - name: container-baseline
      title: Container baseline
      version: 0.1.0
      sha256: 4f0c
      controls: 24
tests:
  description: What the tests of each profile gave; C(untested) are the profile's own controls that no case names.
  returned: with O(tests), also on failure
  type: list
  elements: dict
  sample:
    - profile: mine
      cases: 2
      expectations: 6
      failures:
        - {place: "mine/tests/api.yml:9", case: the sample workload, control: my-user, expected: passed, found: failed, message: "..."}
      untested: []
error:
  description: Why the task failed. See the guide on errors for the codes.
  returned: on failure
  type: dict
  sample: {code: SCAN-204, reason: not_authenticated, message: "...", tried: "...", cause: "...", advice: "..."}
"""

from ..module_utils.module_run import run_as_module
from ..module_utils.options.profile import scan_profile_spec
from ..module_utils.tasks.profile import run_scan_profile


def main() -> None:
    run_as_module(scan_profile_spec(), run_scan_profile)


if __name__ == "__main__":
    main()
