#!/usr/bin/python
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scan_check
short_description: Check what a scan will read and write, before any cluster is touched
version_added: 0.1.0
description:
  - Reads the profiles, waivers, attestations, the threshold and the baseline that a scan will use, and finds out whether its results can be
    written. Fails where one of them cannot be used. No cluster is touched.
  - The roles of this collection begin with it. With O(role), it also looks at the variables of the play.
  - Profiles, waivers, attestations and a threshold's file are files of the controller. A relative path is looked for as Ansible does it,
    in the folder C(files) of the role and the play and in these themselves, then in the current directory.
options:
  role:
    description:
      - The role of this collection whose variables are checked. A variable that begins with the role's name and that nothing reads is refused,
        because a misspelt one would be ignored, also one that forbids something. So is a value that its variable cannot have.
      - The variable C(scan_foreign_variables), or that of the other role, has patterns of names that are the play's own.
    type: str
    choices: [access, fleet, scan]
  profiles:
    description: Names of shipped profiles, or paths of profile files or folders on the controller.
    type: list
    elements: str
    default: []
  inputs:
    description: Values for the profiles' inputs, by name.
    type: dict
    default: {}
  waivers:
    description: A waiver file in InSpec's format (path on the controller), or its content.
    type: raw
  attestations:
    description: A file of attestations (path on the controller), or its content.
    type: raw
  exception_policy:
    description: A policy of which waivers and attestations count (path on the controller), or its content.
    type: raw
  teams:
    description: Rules for teams and environments (path on the controller), or their content.
    type: raw
  deadlines:
    description: A policy of deadlines (path on the controller), or its content.
    type: raw
  threshold:
    description: The threshold of the gate, as a dictionary or as the path of a file on the controller.
    type: raw
  threshold_source:
    description: For internal use. What the threshold is called in errors.
    type: str
    default: the option threshold
  baseline:
    description:
      - Folder or summary file of the earlier run that the gate will compare with, on the machine where the task runs.
      - V(previous) is taken as it is. The link C(latest) is refused, because it names the new run by the time of the gate.
    type: path
  cluster_name:
    description:
      - The cluster that the baseline must be of, by its name in the run. A baseline of another cluster is refused.
      - By default it is the name of the inventory host, which scans take by default, too.
    type: str
  output_dir:
    description:
      - Folder that results will be written to, on the machine where the task runs. It does not have to exist.
      - A folder with another name is made there, or in the nearest folder above that exists, and removed at once; also in check mode.
    type: path
  private_key_path:
    description: The private key that will sign the results, as the module C(scan_sign) takes it. One that cannot be used ends the task.
    type: path
  private_key_content:
    description: The private key itself.
    type: str
  private_key_passphrase:
    description: Its passphrase.
    type: str
  sign_command:
    description: The command that will sign the results. It is not run.
    type: list
    elements: str
  public_key:
    description: The public key of O(sign_command), as a file on the controller or as a text in PEM form.
    type: str
  sign_timeout:
    description:
      - The seconds that O(sign_command) will be given for a signature.
      - From 1 to 3600.
    type: int
    default: 60
  allow_shared_folder:
    description: Accept, with a warning, that others are allowed to write to the folders of the results.
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
extends_documentation_fragment:
  - securescan.kubernetes.attributes
seealso:
  - module: securescan.kubernetes.scan_container
author:
  - securescan.kubernetes contributors (@securescan)
requirements:
  - PyYAML >= 6.0
"""

EXAMPLES = r"""
- name: Check the files of a scan before it begins
  securescan.kubernetes.scan_check:
    profiles: [container-baseline]
    threshold:
      compliance:
        min: 80
    output_dir: scan-results

- name: Refuse variables that the role scan does not know
  securescan.kubernetes.scan_check:
    role: scan
"""

RETURN = r"""
error:
  description: Why the task failed. See the guide on errors for the codes.
  returned: on failure
  type: dict
  sample: {code: SCAN-102, reason: bad_option, message: "...", tried: "...", cause: "...", advice: "..."}
"""

from ..module_utils.module_run import run_as_module
from ..module_utils.options.check import scan_check_spec
from ..module_utils.tasks.check import run_scan_check


def main() -> None:
    run_as_module(scan_check_spec(), run_scan_check)


if __name__ == "__main__":
    main()
