#!/usr/bin/python
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scan_judgement
short_description: Judge again the facts that a scan has kept
version_added: 0.1.0
description:
  - Judges the facts that a run kept (O(securescan.kubernetes.scan_container#module:keep_facts)) by the same profiles or by others,
    and writes a run's folder of its own with HDF documents and a summary. No cluster is touched.
  - The same profiles give the same verdicts. What is sensitive was kept only as far as the profiles of the scan asked for it. A control
    that asks for more is Not Reviewed with that cause. It never passes.
  - A container that was not scanned then, or whose file was altered, is a record with its cause, as in a scan.
options:
  run_dir:
    description: Folder of the run that kept its facts, as RV(securescan.kubernetes.scan_container#module:run_dir) names it.
    type: path
    required: true
  summary_sha256:
    description:
      - SHA-256 of that run's summary, as the task returned it that wrote the run or decided on it last. With another one nothing is judged.
    type: str
  output_dir:
    description: Folder that gets a folder for this run, on the machine where the task runs. Two runs never share one.
    type: path
    required: true
  allow_shared_folder:
    description:
      - Whether others are allowed to write to O(run_dir) or O(output_dir), or to a folder above them. They could replace the results before a gate reads them.
      - Without it the task ends before anything is touched, and with it there is a warning. Root, whoever runs the task, and
        that user's own group are no others; a sticky folder such as C(/tmp) can be above.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    details: Judges, and writes nothing.
  diff_mode:
    support: none
    details: It changes nothing but its own results.
  idempotent:
    support: full
seealso:
  - module: securescan.kubernetes.scan_container
  - module: securescan.kubernetes.scan_threshold
author:
  - securescan.kubernetes contributors (@securescan)
extends_documentation_fragment:
  - securescan.kubernetes.attributes
  - securescan.kubernetes.cluster_name.run
  - securescan.kubernetes.judging
  - securescan.kubernetes.judging.amendments
requirements:
  - PyYAML >= 6.0
"""

EXAMPLES = r"""
- name: Judge the facts of an earlier scan by a profile with another input, without a second scan
  securescan.kubernetes.scan_judgement:
    run_dir: "{{ scan.run_dir }}"
    summary_sha256: "{{ scan.summary_sha256 }}"
    profiles: [container-baseline]
    inputs:
      forbidden_packages: [telnetd]
    output_dir: "{{ scan_output_dir }}"
  register: again
"""

RETURN = r"""
run_id:
  description: The new run's id.
  returned: success
  type: str
  sample: 20261124t090000-2b7c1d
run_dir:
  description: The new run's folder.
  returned: when not in check mode
  type: str
  sample: /var/lib/scans/prod-eu/20261124t090000-2b7c1d
summary_file:
  description: The new run's summary as JSON. It names the run whose facts were judged.
  returned: when not in check mode
  type: str
  sample: /var/lib/scans/prod-eu/20261124t090000-2b7c1d/summary.json
summary_sha256:
  description: SHA-256 of the run's summary, for the tasks that read it.
  returned: when not in check mode
  type: str
  sample: 3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea
counts:
  description: Numbers of containers of the earlier run, of those with results, without and, among those with, not judged and carried over.
  returned: success
  type: dict
  sample: {selected: 9, scanned: 6, not_scanned: 3, not_judged: 0, carried: 0}
not_scanned:
  description: The first 20 containers that were not judged, each with its error. The rest stands in the summary.
  returned: success
  type: list
  elements: dict
  sample:
    - target_id: demo/shop/Deployment/edge/edge-6c9d7-abcde/edge
      error: {code: SCAN-501, reason: no_such_program}
error:
  description: Why the task failed. See the guide on errors for the codes.
  returned: on failure
  type: dict
  sample: {code: SCAN-806, reason: bad_facts, message: "...", tried: "...", cause: "...", advice: "..."}
"""

from ..module_utils.module_run import run_as_module
from ..module_utils.options.judgement import scan_judgement_spec
from ..module_utils.tasks.judgement import run_scan_judgement


def main() -> None:
    run_as_module(scan_judgement_spec(), run_scan_judgement)


if __name__ == "__main__":
    main()
