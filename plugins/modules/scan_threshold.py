#!/usr/bin/python
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scan_threshold
short_description: Decide whether a run's results meet a threshold
version_added: 0.1.0
description:
  - Judges every profile of every target of a run by a threshold in SAF's format, and keeps the decision with the run.
  - A decision is never rewritten. The first one stands in the run's summary. A later one, by another threshold or over a run that was
    changed since, gets a folder of its own below C(decisions/) of the run. The same decision asked for again writes nothing.
  - M(securescan.kubernetes.scan_report) writes reports that show it.
  - It fails closed. Missing, truncated, changed, foreign or surplus documents, a summary that does not fit them, unknown keys and
    containers that were not scanned fail the gate or the task. They never pass.
options:
  run_dir:
    description: Folder of a run, as RV(securescan.kubernetes.scan_container#module:run_dir) names it.
    type: path
    required: true
  summary_sha256:
    description:
      - SHA-256 of the run's summary, as the task returned it that wrote the run or decided on it last. Another one fails the gate.
      - It tells that the run is the one that this task wrote, and whole, whoever could write to its folder since.
    type: str
  max_age:
    description:
      - The seconds since the containers were scanned, at most. An older run fails the gate. Without it a run can be of any age.
      - From 0 to 315360000.
    type: int
  allow_shared_folder:
    description:
      - Whether others are allowed to write to O(run_dir) or O(baseline), or to a folder above them. They could replace the results before a gate reads them.
      - Without it the task ends before anything is touched, and with it there is a warning. Root, whoever runs the task, and
        that user's own group are no others; a sticky folder such as C(/tmp) can be above.
    type: bool
    default: false
  threshold:
    description:
      - A threshold in SAF's format, as a dictionary or as the path of a file on the controller.
      - Without it, no failed control of severity high or critical, no profile error, every selected container scanned, and every
        control of severity high or critical reviewed.
      - The last three hold for every threshold that does not name C(error), C(coverage) or C(reviewed) itself, in any form.
        RV(gate.added_limits) shows which.
      - Compliance is compared exactly; SAF rounds it to a whole number first.
      - Beside SAF's keys there are some which SAF does not know.
      - C(reviewed.min) is the percentage of the controls that must have been reviewed, among those that a program can review;
        C(reviewed.critical.min) and so on is that of a severity. Manual controls, waived ones and those that do not apply are not
        counted.
      - C(evidence.min) is C(beside) or C(image), the least grade of evidence of each container (or C(target), any that is known).
      - C(skipped_profiles.max) is the largest number of profiles that are allowed not to support the platform of a container.
      - C(coverage.min) is the percentage of the selected containers that must have been scanned. A container on which a profile judged
        no control, or that no profile fits, does not count.
      - C(new_failures.max) is the largest number of controls that are allowed to fail now without having failed in O(baseline).
        A control that failed on several
        replicas of a workload counts once.
      - C(must_pass) is a list of control ids, or a dictionary of such lists by profile. Each of them must be Passed on every
        container that has it, and at least one container must have it.
    type: raw
  threshold_source:
    description: Where the threshold came from, as the decision names it. Set by the action plugin for a file.
    type: str
    default: the option threshold
  baseline:
    description:
      - Folder or summary file of an earlier run. A control that fails now, and did not fail then on the same container of the same workload, is a new
        failure. On a container that was not scanned then, every failure is new.
      - V(previous) is the last run of the same cluster before this one, among the folders beside O(run_dir). One with the same selection
        comes first. One of another API server is passed over. Where there is none yet, a warning says so, and no failure is new.
      - When the threshold has no C(new_failures.max), no new failure is allowed.
      - The link C(latest) is refused, because it names the run that is judged and not an earlier one. So is a run over another cluster.
    type: path
  fail_on:
    description:
      - V(gate) fails the task when the threshold is not met.
      - V(error) fails it only when a container could not be scanned or judged, a control ended in a profile error, or the run is not
        as its scan wrote it.
      - V(never) reports only.
      - The reason in RV(error) tells why a task failed. C(gate_failed) is for something that the threshold does not allow,
        C(not_scanned) for containers that could not be scanned, C(not_judged) for controls that could not be judged, C(bad_results) for a run that is not as
        its scan wrote it. Where there are several, it is the first of C(bad_results), C(gate_failed), C(not_scanned) and C(not_judged);
        RV(gate.reason_counts) has the number of each.
    type: str
    choices: [gate, error, never]
    default: gate
  table:
    description:
      - Which containers have a row in the table that is printed. Those that need somebody come first.
      - V(full) has a row for each container of a run of up to 50, and for each that did not pass of a larger one.
      - V(failed) has a row for each that did not pass. V(none) prints the numbers, causes and the decision without a table.
      - It never has more than 50 rows; a line says how many containers are not shown. The run's summary and its Markdown list them.
    type: str
    choices: [full, failed, none]
    default: full
attributes:
  check_mode:
    support: full
    details: Decides, and writes nothing.
  diff_mode:
    support: none
    details: It changes nothing but the run's own decisions.
  idempotent:
    support: full
seealso:
  - module: securescan.kubernetes.scan_container
  - module: securescan.kubernetes.scan_report
author:
  - securescan.kubernetes contributors (@securescan)
extends_documentation_fragment:
  - securescan.kubernetes.attributes
  - securescan.kubernetes.cluster_name.run
  - securescan.kubernetes.trust
"""

EXAMPLES = r"""
- name: Fail the play when the results are not good enough
  securescan.kubernetes.scan_threshold:
    run_dir: "{{ scan.run_dir }}"
    summary_sha256: "{{ scan.summary_sha256 }}"
    threshold:
      compliance: {min: 80}
      failed:
        critical: {max: 0}
        high: {max: 0}
      coverage: {min: 100}

- name: Judge only the run of this job, from within the last hour, by strict limits, without failing the play
  securescan.kubernetes.scan_threshold:
    run_dir: "{{ scan.run_dir }}"
    summary_sha256: "{{ scan.summary_sha256 }}"
    max_age: 3600
    threshold:
      failed: {total: {max: 0}}
      reviewed: {critical: {min: 100}, high: {min: 90}}
      evidence: {min: beside} # the targets' own shells are not enough
    fail_on: never

- name: Fail on new failures, and on controls that must pass and do not
  securescan.kubernetes.scan_threshold:
    run_dir: "{{ again.run_dir }}"
    baseline: "{{ scan.run_dir }}"
    threshold:
      new_failures: {max: 0}
      must_pass:
        container-baseline: [cb-root-uid]
"""

RETURN = r"""
run_id:
  description: The run that was judged.
  returned: always
  type: str
  sample: 20261123t130000-1f9a2c
age:
  description: Seconds since its containers were scanned. None where the run does not say when.
  returned: always
  type: int
  sample: 42
summary_sha256:
  description: SHA-256 of the run's summary, with the first decision on the run, for the tasks that read it.
  returned: always
  type: str
  sample: 3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea
gate:
  description: The decision.
  returned: always
  type: dict
  contains:
    passed:
      description: Whether every limit was met on every profile of every target.
      type: bool
      returned: always
      sample: false
    kind:
      description: What it failed for, as O(fail_on) explains; empty when it passed.
      type: str
      returned: always
      sample: gate_failed
    decided_at:
      description: When it was taken, in UTC. Empty for a decision of an older release.
      type: str
      returned: always
      sample: "2026-11-23T13:00:42Z"
    decided_by:
      description: The name of the user who ran the task, on the machine where it ran.
      type: str
      returned: always
      sample: jenkins
    coverage:
      description: Percentage of the selected containers that were scanned, and on which each profile judged something.
      type: float
      returned: always
      sample: 66.66
    baseline:
      description: The run that was compared with, empty without one.
      type: str
      returned: always
      sample: run 20261123t130000-1f9a2c
    new_failures:
      description: Number of controls that failed now and not in the baseline run. All of them stand in the summary.
      type: int
      returned: always
      sample: 0
    added_limits:
      description: Limits that hold though the threshold does not name them, by their key.
      type: dict
      returned: always
      sample: {error.total.max: 0, coverage.min: 100, reviewed.critical.min: 100, reviewed.high.min: 100}
    reasons:
      description: Up to 10 reasons in words. All of them stand in the summary.
      type: list
      elements: str
      returned: always
      sample:
        - "2 targets of shop/legacy: workload-baseline: failed.critical.max: found 1 (wb-privileged), must be at most 0"
    reason_count:
      description: Number of unmet limits. Reasons that say the same of several containers are one of RV(gate.reasons).
      type: int
      returned: always
      sample: 5
    reason_counts:
      description: Number of reasons of each kind.
      type: dict
      returned: always
      sample: {bad_results: 0, gate_failed: 4, not_scanned: 1, not_judged: 0}
decision:
  description:
    - The file in which the decision stands. C(summary.json) of the run for the first one, C(decision.json) in a folder of its own for a later one.
    - In check mode it is not there; it is where the decision would be written.
  returned: always
  type: str
  sample: /var/lib/scans/prod-eu/20261123t130000-1f9a2c/summary.json
decision_sha256:
  description: SHA-256 of that file.
  returned: always
  type: str
  sample: 3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea
decisions:
  description: The last 20 decisions on the run, the oldest first and this one last, each with what it was by and where it stands.
  returned: always
  type: list
  elements: dict
  sample:
    - decided_at: "2026-11-23T13:00:42Z"
      decided_by: jenkins
      passed: false
      threshold: the default threshold
      path: /var/lib/scans/prod-eu/20261123t130000-1f9a2c/summary.json
files:
  description: The file of the decision. None in check mode.
  returned: always
  type: list
  elements: str
error:
  description: Why the task failed. See the guide on errors for the codes.
  returned: on failure
  type: dict
  sample: {code: SCAN-204, reason: not_authenticated, message: "...", tried: "...", cause: "...", advice: "..."}
"""

from ..module_utils.module_run import run_as_module
from ..module_utils.options.threshold import scan_threshold_spec
from ..module_utils.tasks.threshold import run_scan_threshold


def main() -> None:
    run_as_module(scan_threshold_spec(), run_scan_threshold)


if __name__ == "__main__":
    main()
