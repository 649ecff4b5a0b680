#!/usr/bin/python
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scan_waiver_info
short_description: Review waivers and attestations against results
version_added: 0.1.0
description:
  - Says which waivers and attestations need somebody, and why, from the files of them and from results that they are for.
  - No cluster is touched. The guide on exceptions shows a review.
options:
  run_dir:
    description: Folder of a run, or of a fleet run, of which O(summary_sha256) is then the SHA-256 of C(fleet.json).
    type: path
  store:
    description:
      - The path of a file (SQLite), or C(postgresql://user@host:5432/database), as M(securescan.kubernetes.scan_store) takes it. The newest
        results of all clusters in it are looked at, in place of O(run_dir).
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
    description: SHA-256 of the run's summary, as the task returned it that wrote the run or decided on it last. Another run is refused.
    type: str
  waivers:
    description:
      - A waiver file in InSpec's format (path on the controller), or its content as a dictionary.
      - Without it and O(attestations), those are reviewed that the results carry. Then it cannot be known which of them match nothing.
    type: raw
  attestations:
    description:
      - A file of attestations in the format of C(saf attest create) (JSON or YAML, path on the controller), or its content as a list.
    type: raw
  exception_policy:
    description: A policy of which waivers and attestations count (path on the controller), or its content, as for a scan.
    type: raw
  expiring_days:
    description: What ends within this number of days is V(expiring) (with O(kinds)). From 0 to 3660 days.
    type: int
    default: 30
  wide_places:
    description: An entry that is for more places than this is V(too_wide) (with O(kinds)). From 1 to 1000000 places.
    type: int
    default: 50
  long_days:
    description: An entry that lasts longer is V(long_lived) (with O(kinds)). From 1 to 3660 days.
    type: int
    default: 366
  kinds:
    description:
      - What is looked for.
      - V(expired) is over. V(not_counted) is not approved, or breaks another rule of O(exception_policy).
      - V(orphaned) names a control that no profile of the results has. V(unused) matches no container of them.
      - V(hides_pass) is a waiver whose control passes anyway. V(not_needed) is an attestation whose control a program has judged.
      - V(expiring) ends soon. V(too_wide) is for every container, or for many places. V(long_lived) has no end, or one far away.
    type: list
    elements: str
    choices: [expired, not_counted, orphaned, unused, hides_pass, not_needed, expiring, too_wide, long_lived]
    default: [expired, not_counted, orphaned, unused, hides_pass, not_needed, expiring, too_wide, long_lived]
  output:
    description: A file for the review as Markdown.
    type: path
  limit:
    description: The most entries that are returned, from 1 to 1000000. Job systems drop results of more than about 700,000 characters.
    type: int
    default: 200
  fail_on:
    description: V(action) fails the task where an entry needs somebody. The review is returned and written all the same.
    type: str
    choices: [never, action]
    default: never
attributes:
  check_mode:
    support: full
    details: It changes nothing but the file of O(output), which is not written.
  diff_mode:
    support: none
    details: It changes nothing but the file of O(output).
  idempotent:
    support: full
seealso:
  - module: securescan.kubernetes.scan_container
  - module: securescan.kubernetes.scan_store
author:
  - securescan.kubernetes contributors (@securescan)
extends_documentation_fragment:
  - securescan.kubernetes.attributes
  - securescan.kubernetes.cluster_name.run
requirements:
  - PyYAML >= 6.0
"""

EXAMPLES = r"""
- name: Review the waivers of the last run
  securescan.kubernetes.scan_waiver_info:
    run_dir: scan-results/prod-eu/latest
    waivers: waivers.yml
    exception_policy:
      approvers: [security@shop.example]
      max_days: 180
    output: waivers.md
  register: review

- name: Fail where a waiver of any cluster has expired, or ends within two weeks
  securescan.kubernetes.scan_waiver_info:
    run_dir: /var/lib/securescan/_fleet/latest
    waivers: waivers.yml
    kinds: [expired, expiring]
    expiring_days: 14
    fail_on: action

- name: Review what the newest results of all clusters carry
  securescan.kubernetes.scan_waiver_info:
    store: /var/lib/securescan/store.sqlite
"""

RETURN = r"""
entries:
  description: The waivers and attestations, those that need somebody first.
  returned: success
  type: list
  elements: dict
  contains:
    about:
      description: waiver or attestation.
      type: str
      sample: waiver
    control_id:
      description: The control.
      type: str
      sample: cb-root-uid
    reason:
      description: The justification, or the explanation.
      type: str
      sample: The vendor's image needs it until release 4.
    owner:
      description: The owner, or who attested.
      type: str
      sample: shop
    requested_by:
      description: Who asked for it.
      type: str
      sample: ann@shop.example
    requested:
      description: When.
      type: str
      sample: "2026-11-02"
    approved_by:
      description: Who approved it.
      type: str
      sample: security@shop.example
    approved:
      description: When.
      type: str
      sample: "2026-11-04"
    ticket:
      description: The ticket.
      type: str
      sample: RISK-17
    expires:
      description: From when it counts for nothing; empty for one without end.
      type: str
      sample: "2027-01-31"
    days_left:
      description: Days until then, null where there is no end.
      type: int
      sample: 62
    age_days:
      description: Days since it was approved, else since it was requested, null where the entry does not say.
      type: int
      sample: 26
    scope:
      description: For which containers it is; empty for all.
      type: str
      sample: namespace=shop
    in_force:
      description: Whether it counts.
      type: bool
      sample: true
    why_not:
      description: Why it counts for nothing.
      type: str
      sample: ""
    containers:
      description: On how many containers of the results it names a control.
      type: int
      sample: 6
    places:
      description: Of how many workloads' containers these are.
      type: int
      sample: 3
    findings:
      description: What needs somebody, as O(kinds) names it, and why.
      type: list
      elements: dict
      sample: [{kind: expiring, text: "ends in 12 days, on 2026-12-05"}]
truncated:
  description: Whether there are more entries than O(limit).
  returned: success
  type: bool
  sample: false
counts:
  description: The number of entries with a finding of each kind.
  returned: success
  type: dict
  sample: {expired: 1, not_counted: 0, orphaned: 0, unused: 0, hides_pass: 0, not_needed: 0, expiring: 1, too_wide: 0, long_lived: 0}
needing:
  description: The number of entries that need somebody.
  returned: success
  type: int
  sample: 2
containers:
  description: The number of containers that were looked at.
  returned: success
  type: int
  sample: 9
judged:
  description: How many of them have results.
  returned: success
  type: int
  sample: 6
output:
  description: The file of O(output), empty without one.
  returned: success
  type: str
  sample: waivers.md
error:
  description: Why the task failed. See the guide on errors for the codes.
  returned: on failure
  type: dict
  sample: {code: SCAN-891, reason: exceptions_need_action, message: "...", tried: "...", cause: "...", advice: "..."}
"""

from ..module_utils.module_run import run_as_module
from ..module_utils.options.waiver_info import scan_waiver_info_spec
from ..module_utils.tasks.waiver_info import run_scan_waiver_info


def main() -> None:
    run_as_module(scan_waiver_info_spec(), run_scan_waiver_info)


if __name__ == "__main__":
    main()
