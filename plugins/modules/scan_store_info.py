#!/usr/bin/python
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scan_store_info
short_description: Ask a store what is open, what changed, and what was not covered
version_added: 0.1.0
description:
  - Answers a query from a store that M(securescan.kubernetes.scan_store) has filled. The store has views of the same names and meaning,
    for SQL and Grafana; the guide on the store lists them.
  - Times are RFC 3339 in UTC. A day without a time means its last second in O(at) and O(until), and its first in O(since).
options:
  query:
    description:
      - V(open_now) and V(open_at) are what is open (failed, or ended in an error) on places that are there.
      - V(changes) is what was opened, changed, fixed, closed otherwise and opened again.
      - V(coverage) is how much of each cluster was scanned last, V(not_scanned) what was not, and why.
      - V(age) is how old the newest result of each place is, V(time_to_fix) how long findings of each severity took.
      - V(compliance_over_time) is the number of controls by status, over time, for each group of O(by).
      - V(image_places) is which places run an image, V(place_history) what became of the controls of one place.
      - V(runs) is which runs the store has, and which of them are half there.
      - V(document) writes the HDF document of one scan to O(output), to the byte as the scan wrote it.
    type: str
    required: true
    choices: [open_now, open_at, changes, coverage, not_scanned, age, time_to_fix, compliance_over_time, image_places, place_history, runs,
      document]
  at:
    description: The moment that the query is about. By default it is now.
    type: str
  since:
    description: The first moment of a query about a time.
    type: str
  until:
    description: The last moment of a query about a time.
    type: str
  cluster:
    description: Only this cluster.
    type: str
  namespace:
    description: Only namespaces of this name.
    type: str
  team:
    description: Only namespaces of this team.
    type: str
  environment:
    description: Only namespaces of this environment.
    type: str
  workload:
    description: Only workloads of this name.
    type: str
  place:
    description: Only this place, as cluster/namespace/kind/workload/container.
    type: str
  profile:
    description: Only controls of this profile.
    type: str
  control:
    description: Only this control.
    type: str
  severity:
    description: Only findings of this severity.
    type: str
  image:
    description: The image of V(image_places) (with O(query)), as a reference, the beginning of one, or a digest.
    type: str
  by:
    description: The groups of V(compliance_over_time) (with O(query)); fleet, cluster, namespace, team, workload, profile or control.
    type: str
  limit:
    description: The most rows that are returned, from 1 to 1000000. Job systems drop results of more than about 700,000 characters.
    type: int
    default: 100
  run_id:
    description: The run of O(query=document).
    type: str
  target_id:
    description: The target of O(query=document), as the run's summary names it.
    type: str
  output:
    description: The file of O(query=document).
    type: path
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
  - module: securescan.kubernetes.scan_store
author:
  - securescan.kubernetes contributors (@securescan)
extends_documentation_fragment:
  - securescan.kubernetes.attributes
  - securescan.kubernetes.store
"""

EXAMPLES = r"""
- name: Ask what is open in production
  securescan.kubernetes.scan_store_info:
    store: /var/lib/scans/store.db
    query: open_now
    environment: production
    severity: critical
  register: open

- name: Ask what a team has fixed in November
  securescan.kubernetes.scan_store_info:
    store: /var/lib/scans/store.db
    query: changes
    team: shop
    since: "2026-11-01"
    until: "2026-11-30"
  register: november

- name: Ask where an image runs
  securescan.kubernetes.scan_store_info:
    store: /var/lib/scans/store.db
    query: image_places
    image: registry.example.com/shop/api
  register: running

- name: Write the document of a scan out again
  securescan.kubernetes.scan_store_info:
    store: /var/lib/scans/store.db
    query: document
    cluster: prod-eu
    run_id: 20261123t130000-1f9a2c
    target_id: prod-eu/shop/Deployment/api/api-7d4b9/app
    output: /tmp/api.json
"""

RETURN = r"""
store:
  description: The store's address, without a password.
  returned: success
  type: str
  sample: /var/lib/scans/store.db
query:
  description: The query that was answered.
  returned: success
  type: str
  sample: open_now
rows:
  description: The rows of the answer; the guide on the store says what each query has in them.
  returned: O(query) is not V(document)
  type: list
  elements: dict
  sample:
    - cluster: prod-eu
      place: prod-eu/shop/Deployment/api/app
      profile: container-baseline
      control: cb-root-user
      severity: high
      status: failed
      opened: "2026-11-02T02:00:00Z"
truncated:
  description: Whether there are more rows than O(limit).
  returned: O(query) is not V(document)
  type: bool
  sample: false
output:
  description: The file of the document.
  returned: O(query=document)
  type: str
  sample: /tmp/api.json
sha256:
  description: SHA-256 of the document, which is that of the run's summary.
  returned: O(query=document)
  type: str
  sample: 9b1f0b3c6f4f7a4de2b2b0c4d7f1a6a0b0c7e29f6e6d2f1e5a4c3b2a19080706
error:
  description: Why the task failed. See the guide on errors for the codes.
  returned: on failure
  type: dict
  sample: {code: SCAN-831, reason: store_unreachable, message: "...", tried: "...", cause: "...", advice: "..."}
"""

from ..module_utils.module_run import run_as_module
from ..module_utils.options.store_info import scan_store_info_spec
from ..module_utils.tasks.store_info import run_scan_store_info


def main() -> None:
    run_as_module(scan_store_info_spec(), run_scan_store_info)


if __name__ == "__main__":
    main()
