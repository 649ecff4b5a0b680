#!/usr/bin/python
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scan_tickets
short_description: Keep the tickets of a tracker as the findings of runs are
version_added: 0.1.0
description:
  - Opens a ticket for each place, or for each control, that fails in a run; brings its text up to date when that changes; closes it,
    with the evidence, when a run has seen that nothing fails any more; and opens it again when it fails again.
  - A ticket is found again by a key that is the same in every run, so the same run twice changes nothing, and a run that was killed
    goes on with the same command.
  - A ticket is closed only when the run has seen everything that it is about. What was not scanned, not reviewed or ended in an
    error closes nothing.
  - Without O(tracker) it says which tickets there would be, for playbooks that write them with other collections.
options:
  run_dir:
    description: Folder of a finished run.
    type: path
    required: true
  summary_sha256:
    description: SHA-256 that the run's summary must have.
    type: str
  tracker:
    description: The kind of tracker.
    type: str
    choices: [github, gitlab, jira, request_tracker, servicenow]
  url:
    description:
      - URL of the server; of V(github) that of its API, C(https://api.github.com) or C(https://HOST/api/v3).
    type: str
  project:
    description:
      - Where the tickets are; C(owner/repository) of V(github), number or C(group/project) of V(gitlab), the key of a project of
        V(jira), a queue of V(request_tracker), a table of V(servicenow) (by default C(incident)).
    type: str
  token:
    description:
      - The token or API key. With O(username), it is the API token that goes with that name.
    type: str
  validate_certs:
    description: Whether the server's certificate is checked.
    type: bool
    default: true
  per:
    description: What a ticket is about, a V(place) with all that fails there, or a V(control) with all places where it fails.
    type: str
    choices: [place, control]
    default: place
  min_severity:
    description: Only findings of this severity or a worse one count.
    type: str
    choices: [critical, high, medium, low, none]
    default: high
  profile_errors:
    description: Whether a control that ended in an error is a finding, too. In any case it keeps a ticket from being closed.
    type: bool
    default: false
  max_new:
    description: The most tickets that are opened in one task, from 0 to 10000. The worst come first, and the next task opens more.
    type: int
    default: 20
  reopen:
    description: Whether a closed ticket is opened again when its findings are there.
    type: bool
    default: true
  labels:
    description: Labels of new tickets, besides C(securescan), of trackers that have labels.
    type: list
    elements: str
    default: []
  configuration_items:
    description: A file that says which configuration item of a CMDB a place is. The guide on configuration items has its form.
    type: path
  jira_issue_type:
    description: The type of new issues of V(jira).
    type: str
    default: Task
  servicenow_close_code:
    description: The close code of records of V(servicenow).
    type: str
    default: Solved (Permanently)
  rt_field:
    description: The custom field of V(request_tracker) by which tickets are found again.
    type: str
    default: Scan Key
  rt_closed_status:
    description: The status of closed tickets of V(request_tracker).
    type: str
    default: resolved
attributes:
  check_mode:
    support: full
    details: Reads the tracker, and says what would be opened, changed and closed.
  diff_mode:
    support: none
    details: RV(changes) says the same in check mode.
  idempotent:
    support: full
seealso:
  - module: securescan.kubernetes.scan_push
  - module: securescan.kubernetes.scan_report
author:
  - securescan.kubernetes contributors (@securescan)
extends_documentation_fragment:
  - securescan.kubernetes.system
  - securescan.kubernetes.attributes
"""

EXAMPLES = r"""
- name: Keep issues of a project of GitLab
  securescan.kubernetes.scan_tickets:
    run_dir: /var/lib/scans/prod-eu/latest
    tracker: gitlab
    url: https://gitlab.example.com
    project: platform/security
    token: "{{ vault_gitlab_token }}"
    min_severity: critical

- name: Keep incidents with their configuration items
  securescan.kubernetes.scan_tickets:
    run_dir: /var/lib/scans/prod-eu/latest
    tracker: servicenow
    url: https://example.service-now.com
    username: scanner
    password: "{{ vault_servicenow_password }}"
    configuration_items: configuration-items.yml

- name: Ask which tickets there would be, one for each control
  securescan.kubernetes.scan_tickets:
    run_dir: /var/lib/scans/prod-eu/latest
    per: control
  register: findings
"""

RETURN = r"""
tickets:
  description: What the run says of tickets that are to be open, the first 200, worst first.
  returned: success
  type: list
  elements: dict
  sample:
    - key: 3f1c2a90-8d7e6f5a4b3c2d1e0f9a8b7c
      digest: 5b6c7d8e9f0a1b2c
      state: open
      about: prod-eu/shop/Deployment/api/app
      title: "Security controls fail: shop/api (Deployment), container app, cluster prod-eu"
      severity: critical
      count: 2
      configuration_item: CI0001234
open:
  description: How many tickets are to be open.
  returned: success
  type: int
  sample: 12
solved:
  description: How many places, or controls, were seen whole with nothing that fails.
  returned: success
  type: int
  sample: 140
unseen:
  description: Why something could not be seen, the first 20. Tickets about it stay as they are.
  returned: success
  type: list
  elements: str
  sample: ["prod-eu/shop/Deployment/web/web-1/web: was not scanned (SCAN-503 no_such_program)"]
changes:
  description: What was done in the tracker, the first 200; in check mode, what would be done.
  returned: O(tracker) is given
  type: list
  elements: dict
  sample:
    - action: created
      id: "41"
      key: 3f1c2a90-8d7e6f5a4b3c2d1e0f9a8b7c
      about: prod-eu/shop/Deployment/api/app
      severity: critical
failed_tickets:
  description: The tickets that could not be written, each with its error.
  returned: O(tracker) is given
  type: list
  elements: dict
  sample: []
not_opened:
  description: How many tickets were not opened because of O(max_new).
  returned: O(tracker) is given
  type: int
  sample: 0
doubles:
  description: Open tickets with a key that another open one has. Nothing is done with them.
  returned: O(tracker) is given
  type: list
  elements: str
  sample: []
unchanged:
  description: How many open tickets are as they are to be.
  returned: O(tracker) is given
  type: int
  sample: 11
error:
  description: Why the task failed. See the guide on errors for the codes.
  returned: on failure
  type: dict
  sample: {code: SCAN-204, reason: not_authenticated, message: "...", tried: "...", cause: "...", advice: "..."}
"""

from ..module_utils.module_run import run_as_module
from ..module_utils.options.tickets import scan_tickets_spec
from ..module_utils.tasks.tickets import run_scan_tickets


def main() -> None:
    run_as_module(scan_tickets_spec(), run_scan_tickets)


if __name__ == "__main__":
    main()
