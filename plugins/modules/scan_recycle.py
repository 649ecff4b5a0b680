#!/usr/bin/python
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scan_recycle
short_description: Replace the pods that hold ephemeral containers of scans by debug
version_added: 0.1.0
description:
  - A scan by debug leaves the entry of an ended ephemeral container in the pod. The entry disappears when the pod is replaced. This
    module replaces the chosen pods that hold such entries. M(securescan.kubernetes.scan_target_info) with C(footprint) lists them without a change.
  - Each pod is evicted through the eviction API, so PodDisruptionBudgets hold. An eviction that a budget refuses is tried again until
    O(wait_timeout) is over.
  - One pod at a time per workload. The next one follows when the evicted pod has ended and as many pods of its controller are ready
    as before. When that does not happen in time, the other pods of the workload are left alone.
  - Only pods of a ReplicaSet, StatefulSet, DaemonSet or Job are evicted, for these make another. A Job counts an evicted pod as
    failed, unless its C(podFailurePolicy) says otherwise. Other pods, and those in which a debug container still runs, are records
    with the cause.
  - The module works with the identity of the task and needs rights that scans do not need.
    C(docs/manifests/recycle-clusterrole.yml) holds them.
options:
  wait_timeout:
    description: Limit in seconds for one pod, from the first attempt to evict it until its successor is ready. From 1 to 86400.
    type: float
    default: 300.0
  concurrency:
    description: Number of workloads that are worked on at the same time. From 1 to 1000.
    type: int
    default: 4
attributes:
  check_mode:
    support: full
    details: Each eviction is asked for by a dry run, each on its own; a budget that allows one eviction can refuse the next.
  diff_mode:
    support: full
    details: Lists the pods.
  idempotent:
    support: full
    details: A pod that was replaced holds no entries.
seealso:
  - module: securescan.kubernetes.scan_target_info
  - module: securescan.kubernetes.scan_container
author:
  - securescan.kubernetes contributors (@securescan)
extends_documentation_fragment:
  - securescan.kubernetes.attributes
  - securescan.kubernetes.attributes.selection_group
  - securescan.kubernetes.connection
  - securescan.kubernetes.selection
"""

EXAMPLES = r"""
- name: See which pods would be replaced
  securescan.kubernetes.scan_recycle:
    kubeconfig: "{{ admin_kubeconfig }}"
    namespaces: [shop]
  check_mode: true
  diff: true
  register: would

- name: Show the pods that could not be replaced, and why
  ansible.builtin.debug:
    msg: "{{ would.not_recycled | map(attribute='error.message') | list }}"

- name: Replace them in the namespaces whose owners agree to it
  securescan.kubernetes.scan_recycle:
    kubeconfig: "{{ admin_kubeconfig }}"
    namespace_selectors: [example.com/recycle=allowed]
    allow_empty: true
    wait_timeout: 120
"""

RETURN = r"""
cluster:
  description: The cluster's name, as the kubeconfig calls it, or the API server's host.
  returned: success
  type: str
  sample: demo
counts:
  description:
    - C(pods) is the number of chosen pods that hold entries. C(recycled) were replaced, C(not_recycled) were not, C(gone) were
      replaced by somebody else meanwhile.
  returned: success
  type: dict
  sample: {pods: 3, recycled: 2, not_recycled: 1, gone: 0}
recycled:
  description: The pods that were (in check mode, would be) replaced, at most 20.
  returned: success
  type: list
  elements: dict
  sample:
    - namespace: shop
      pod: edge-7f9c6d5b8-2xkqp
      workload_kind: Deployment
      workload: edge
      ephemeral_containers: [securescan-8d954c4488-1]
not_recycled:
  description:
    - The pods that were not, at most 20, each with its C(error). C(evicted) is true where the pod was evicted and no other has become
      ready in its place.
  returned: success
  type: list
  elements: dict
  sample:
    - namespace: shop
      pod: duo
      workload_kind: Pod
      workload: duo
      ephemeral_containers: [securescan-8d954c4488-1]
      evicted: false
      error: {code: SCAN-411, reason: pod_not_replaceable, message: "no controller owns it", tried: "...", cause: "...", advice: "..."}
requests:
  description: Number of API requests.
  returned: success
  type: int
  sample: 14
error:
  description: Why the task failed. See the guide on errors for the codes.
  returned: on failure
  type: dict
  sample: {code: SCAN-204, reason: not_authenticated, message: "...", tried: "...", cause: "...", advice: "..."}
"""

from ..module_utils.module_run import run_as_module
from ..module_utils.options.recycle import scan_recycle_spec
from ..module_utils.tasks.recycle import run_scan_recycle


def main() -> None:
    run_as_module(scan_recycle_spec(), run_scan_recycle)


if __name__ == "__main__":
    main()
