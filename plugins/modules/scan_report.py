#!/usr/bin/python
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scan_report
short_description: Write reports of a run or of a fleet run
version_added: 0.1.0
description:
  - Writes a file for each format that is asked for, from the summary and the documents of a finished run, or from a fleet run.
  - It decides nothing. Reports show a decision that M(securescan.kubernetes.scan_threshold) took, so it comes after that module.
options:
  run_dir:
    description:
      - Folder of a run, as RV(securescan.kubernetes.scan_container#module:run_dir) names it, or of a fleet run.
      - Of a fleet run O(summary_sha256) is the SHA-256 of its C(fleet.json), and it has no O(decision). O(cluster_name) is about runs alone.
      - Without it O(store) is needed. V(html) is then the page of what the store knows of all clusters, and O(output_dir) is needed, too.
    type: path
  store:
    description:
      - The path of a file (SQLite), or C(postgresql://user@host:5432/database), as M(securescan.kubernetes.scan_store) takes it. From it
        V(html) has trends, since when each finding is open, and when it is due.
    type: str
  password:
    description:
      - The password for PostgreSQL. Without it, C(PGPASSWORD) of the task's environment is taken, or the file that libpq knows
        (C(PGPASSFILE), C(~/.pgpass)).
    type: str
  allow_shared_folder:
    description: Accept a file of SQLite, or a folder for it, that others are allowed to write to. They could then change what was found.
    type: bool
    default: false
  summary_sha256:
    description:
      - SHA-256 of the run's summary, as the task returned it that wrote the run or decided on it last. With another one no report is written.
      - It tells that the run is the one that this task wrote, and whole, whoever could write to its folder since.
    type: str
  decision:
    description:
      - Which decision on the run the reports show, as RV(securescan.kubernetes.scan_threshold#module:decision) names it. Its folder is
        taken as well.
      - Without it the reports show the first decision, which stands in the run's summary.
    type: path
  decision_sha256:
    description:
      - SHA-256 of the file of O(decision), as RV(securescan.kubernetes.scan_threshold#module:decision_sha256) gives it. With another one
        no report is written.
    type: str
  formats:
    description:
      - Which reports to write. V(markdown) is C(summary.md), for people. V(html) is C(report.html), one page for everybody, which asks
        for nothing over a network. V(junit) is C(gate.junit.xml), for CI systems.
      - V(jsonl) is C(results.jsonl), a line for each control of each container, for programs. V(csv) is C(results.csv), the same as a
        table for spreadsheets.
      - V(hdf) is the folder C(heimdall), with documents of the run and of each place that Heimdall opens as one.
      - V(sarif) is C(results.sarif) with everything, V(sarif_problems) is C(problems.sarif) with the problems alone, for code scanning
        that takes every result for a problem, as GitHub's does.
      - V(ckl), V(cklb) and V(xccdf) are folders of these names with a checklist for each container and profile. V(oscal) is C(oscal.json),
        V(oscal_component) is C(oscal-component-definition.json).
      - V(ocsf) is C(results.ocsf.jsonl), V(ecs) is C(results.ecs.jsonl), V(asff) is C(results.asff.json), V(openmetrics) is
        C(results.openmetrics.txt), V(cyclonedx) is C(results.cdx.json).
      - V(servicenow) is C(servicenow.csv), a row for each control of each place, for an import set of ServiceNow.
      - A fleet run has V(json), V(csv), V(markdown) and V(html), of its own.
      - The guide on reports lists every format with its file, and the guide on formats says what each of them can tell.
      - A name that is not among them is an error that names them.
      - Without it V(markdown) and V(junit) are written of a run, V(markdown) and V(html) of a fleet run.
    type: list
    elements: str
  output_dir:
    description:
      - Folder for the reports. It is made where it does not exist.
      - Without it they are written to the run's folder, and those of a later decision to the folder of that decision. Links in a report
        are relative to that folder.
    type: path
  configuration_items:
    description: The file that says which configuration item a place is, for V(servicenow). The guide on configuration items describes it.
    type: path
attributes:
  check_mode:
    support: full
    details: Names the files that it would write, and writes nothing.
  diff_mode:
    support: none
    details: It changes nothing but its own reports.
  idempotent:
    support: full
seealso:
  - module: securescan.kubernetes.scan_threshold
author:
  - securescan.kubernetes contributors (@securescan)
extends_documentation_fragment:
  - securescan.kubernetes.attributes
  - securescan.kubernetes.cluster_name.run
"""

EXAMPLES = r"""
- name: Write the reports, also when the gate fails the play
  block:
    - name: Decide the gate
      securescan.kubernetes.scan_threshold:
        run_dir: "{{ scan.run_dir }}"
        summary_sha256: "{{ scan.summary_sha256 }}"
      register: decided
  always:
    - name: Write the reports
      securescan.kubernetes.scan_report:
        run_dir: "{{ scan.run_dir }}"
        summary_sha256: "{{ decided.summary_sha256 }}"
        decision: "{{ decided.decision }}"
        decision_sha256: "{{ decided.decision_sha256 }}"
      when: decided.gate is defined

- name: Write the page of a run
  securescan.kubernetes.scan_report:
    run_dir: "{{ scan.run_dir }}"
    formats: [html]

- name: Write the page of a fleet run
  securescan.kubernetes.scan_report:
    run_dir: /var/lib/securescan/_fleet/latest
    store: /var/lib/securescan/store.sqlite
    formats: [html]

- name: Write the page of all that the store knows
  securescan.kubernetes.scan_report:
    store: /var/lib/securescan/store.sqlite
    output_dir: /var/lib/securescan/reports

- name: Write what code scanning, a spreadsheet and Heimdall read
  securescan.kubernetes.scan_report:
    run_dir: "{{ scan.run_dir }}"
    formats: [sarif_problems, csv, hdf]
    output_dir: "{{ playbook_dir }}/reports"

- name: Write what the pipeline reads to where it looks for it
  securescan.kubernetes.scan_report:
    run_dir: "{{ scan.run_dir }}"
    formats: [junit]
    output_dir: "{{ playbook_dir }}/test-reports"
"""

RETURN = r"""
files:
  description: The reports that were written, in check mode those that would be.
  returned: success
  type: list
  elements: str
  sample: [/var/lib/scans/prod-eu/20261123t130000-1f9a2c/summary.md]
reports:
  description: What was written. Empty in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The file, or the folder of a format that has several.
      returned: always
      type: str
    files:
      description: How many files it is.
      returned: always
      type: int
    bytes:
      description: How long they are together.
      returned: always
      type: int
  sample: [{path: /var/lib/scans/prod-eu/20261123t130000-1f9a2c/results.csv, files: 1, bytes: 81234}]
error:
  description: Why the task failed. See the guide on errors for the codes.
  returned: on failure
  type: dict
  sample: {code: SCAN-204, reason: not_authenticated, message: "...", tried: "...", cause: "...", advice: "..."}
"""

from ..module_utils.module_run import run_as_module
from ..module_utils.options.report import scan_report_spec
from ..module_utils.tasks.report import run_scan_report


def main() -> None:
    run_as_module(scan_report_spec(), run_scan_report)


if __name__ == "__main__":
    main()
