#!/usr/bin/python
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scan_request
short_description: Put a request for a scan into the queue, take one out, or say how it ended
version_added: 0.1.0
description:
  - The queue is a folder. Event sources of this collection put requests into it, and so does O(state=queued). A request has a run id
    from then on, which its scan keeps.
  - O(state=taken) takes the request for a cluster that waits longest. One at a time is taken for a cluster. A request whose scan does not
    say its end within O(seconds) waits again, and is C(lost) after three times.
  - In check mode nothing is put in, taken or ended.
options:
  state:
    description: What is to be done.
    type: str
    choices: [queued, taken, ended]
    required: true
  queue:
    description: The folder of the queue. It is made where there is none.
    type: path
    required: true
  allow_shared_folder:
    description: Whether others are allowed to write to the folder or to one above it.
    type: bool
    default: false
  cluster:
    description: The cluster's name in the inventory. Needed for V(queued) and V(taken).
    type: str
  action:
    description: What is asked for.
    type: str
    choices: [scan, preflight, health]
    default: scan
  namespaces:
    description: Names or patterns of namespaces. A scan needs one.
    type: list
    elements: str
    default: []
  label_selectors:
    description: Label selectors over pods.
    type: list
    elements: str
    default: []
  workloads:
    description: Workloads as KIND/NAME.
    type: list
    elements: str
    default: []
  pods:
    description: Names or patterns of pods.
    type: list
    elements: str
    default: []
  containers:
    description: Names or patterns of containers.
    type: list
    elements: str
    default: []
  images:
    description: References or patterns of images.
    type: list
    elements: str
    default: []
  profiles:
    description: With V(queued), names of profiles. With V(taken), those of a request that names none.
    type: list
    elements: str
    default: []
  allowed_profiles:
    description: With V(taken), names or patterns of the profiles that a request can name. Empty means all.
    type: list
    elements: str
    default: []
  revision:
    description: Which state of the thing is meant, such as a digest. Another one is another request.
    type: str
  key:
    description: Your own name for the request. The same key again is the same request.
    type: str
  requested_by:
    description: Who asks.
    type: str
  because:
    description: Why.
    type: str
  seconds:
    description: With V(taken), how long the scan has. From 60 to 604800.
    type: int
    default: 7200
  run_id:
    description: With V(ended), the request's run id.
    type: str
  outcome:
    description: With V(ended), how it ended.
    type: str
    choices: [passed, failed, not_judged, not_scanned, lost]
  run_dir:
    description: With V(ended), the folder of its results.
    type: str
  reason:
    description: With V(ended), why.
    type: str
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: What changes is a file of the queue.
  idempotent:
    support: partial
    details: With O(key), and while the same request waits, V(queued) changes nothing. V(taken) takes the next one.
author:
  - securescan.kubernetes contributors (@securescan)
extends_documentation_fragment:
  - securescan.kubernetes.attributes
"""

EXAMPLES = r"""
- name: Ask for a scan of what was deployed
  securescan.kubernetes.scan_request:
    state: queued
    queue: /var/lib/securescan/requests
    cluster: prod-eu
    namespaces: [shop]
    workloads: [Deployment/api]
    because: release 12
  register: asked
"""

RETURN = r"""
run_id:
  description: The run id of the request; empty where none waits.
  returned: success
  type: str
  sample: 20261123t130000-1f9a2c1f9a2c
state:
  description: Where the request is now, queued, running or ended.
  returned: success
  type: str
  sample: queued
action:
  description: What it asks for.
  returned: success
  type: str
  sample: scan
request:
  description: What it asks for, in full.
  returned: success
  type: dict
  sample: {cluster: prod-eu, namespaces: [shop], workloads: [Deployment/api]}
outcome:
  description: How it ended.
  returned: success
  type: str
  sample: ""
error:
  description: Why the task failed. See the guide on errors for the codes.
  returned: on failure
  type: dict
  sample: {code: SCAN-913, reason: queue_full, message: "...", tried: "...", cause: "...", advice: "..."}
"""

from ..module_utils.module_run import run_as_module
from ..module_utils.options.request import scan_request_spec
from ..module_utils.tasks.request import run_scan_request


def main() -> None:
    run_as_module(scan_request_spec(), run_scan_request)


if __name__ == "__main__":
    main()
