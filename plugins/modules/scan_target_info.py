#!/usr/bin/python
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scan_target_info
short_description: List the containers that a selection chooses, and say how a scan would go
version_added: 0.1.0
description:
  - Lists containers by namespace, labels, workload, pod, container and image, each with its workload, image, digest, node and state.
  - Containers that do not run are listed too, with the reason.
  - With O(explain), says for each container and approach whether a scan would work, or why not, and which permissions are missing.
    The module reads the pods and asks the API server by permission reviews and server-side dry runs, which are not stored.
  - With O(footprint), lists the ephemeral containers that scans by debug have left in pods.
options:
  listed:
    description:
      - The largest number of containers in RV(targets). A warning says when there are more. With V(0) the list is empty, without a warning.
      - The file of O(output_file) holds all of them.
      - From 0 to 1000000.
    type: int
    default: 20
  output_file:
    description:
      - Path of a JSON file for the whole result with all targets, on the machine where the task runs. Mode 0600.
      - It is a report, so it does not count as a change. In check mode it is not written.
    type: path
  footprint:
    description: List the ephemeral containers that scans by debug have added to the pods of the chosen containers.
    type: bool
    default: false
  explain:
    description:
      - Say what a scan with the given options would do. All approaches are explained, whichever O(approach) is.
      - How much memory a pod uses is seen by a scan only.
    type: bool
    default: false
  concurrency:
    description: How many containers the scan would scan at the same time, for the estimate. From 1 to 1000.
    type: int
    default: 8
  timeout:
    description:
      - Limit in seconds for one container. A debug container that O(debug_keep_alive) has kept serves only if it still lives that long.
      - From 1 to 3600.
    type: float
    default: 60.0
  earlier_run:
    description:
      - Folder of an earlier run, or its summary. The estimate uses the seconds per container of that run, by approach.
      - Without it, the estimate uses the seconds of the collection's test bed; also, with a warning, when it cannot be read.
    type: path
  teams:
    description:
      - Rules for teams as the module M(securescan.kubernetes.scan_container) takes them (path of a file on the controller, or its content).
      - With O(explain) a warning names the namespaces whose labels the rules need and the credential is not allowed to read.
    type: raw
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
  - securescan.kubernetes.attributes.selection_group
  - securescan.kubernetes.approach
  - securescan.kubernetes.cluster_name
  - securescan.kubernetes.connection
  - securescan.kubernetes.forbidden
  - securescan.kubernetes.grant
  - securescan.kubernetes.selection
"""

EXAMPLES = r"""
- name: See which containers a scan would reach, one of the replicas of each workload
  securescan.kubernetes.scan_target_info:
    kubeconfig: "{{ scan_kubeconfig }}"
    namespaces: [shop]
    label_selectors: ["app.kubernetes.io/name in (api, legacy)"]
    exclude_workloads: [Deployment/legacy]
    replicas: one
  register: found

- name: Show them
  ansible.builtin.debug:
    msg: "{{ found.targets | map(attribute='target_id') | list }}"

- name: Count what is not running in all namespaces of a team
  securescan.kubernetes.scan_target_info:
    kubeconfig: "{{ scan_kubeconfig }}"
    namespace_selectors: [team=store]
    exclude_images: ["registry.example.com/mesh/*"]
    container_kinds: [container, init]
  register: store

- name: Show the numbers by state
  ansible.builtin.debug:
    var: store.counts.by_state

- name: Ask how a scan by any approach that works would go, and which permissions it needs
  securescan.kubernetes.scan_target_info:
    kubeconfig: "{{ scan_kubeconfig }}"
    namespaces: [shop]
    approach: auto
    scanner_image: "{{ scan_scanner_image }}"
    explain: true
    output_file: "{{ scan_output_dir }}/preflight.json"
  register: preflight

- name: Stop when nothing could be scanned
  ansible.builtin.assert:
    that: preflight.explained.scannable > 0
    fail_msg: "{{ preflight.explained.conclusion }}"

- name: List the ephemeral containers that scans by debug have left in pods
  securescan.kubernetes.scan_target_info:
    kubeconfig: "{{ scan_kubeconfig }}"
    namespaces: [shop]
    footprint: true
  register: left
"""

RETURN = r"""
cluster:
  description: The cluster's name, as the kubeconfig calls it, or the API server's host.
  returned: success
  type: str
  sample: demo
targets:
  description:
    - One identity for each container.
    - C(state) is one of V(running), V(waiting), V(terminated), V(unknown); C(state_reason) says why, where there is something to say.
    - C(replicas) is the number of containers that the target stands for, with O(replicas=one).
    - At most O(listed) of them. RV(counts) counts all.
    - With O(explain) also C(approaches), the verdict of each, and C(tried), the approaches that a scan would try, in order.
  returned: success
  type: list
  elements: dict
  sample:
    - target_id: demo/shop/Deployment/api/api-68fb4d7fb7-5xsg6/api
      cluster: demo
      namespace: shop
      workload_kind: Deployment
      workload: api
      pod: api-68fb4d7fb7-5xsg6
      pod_uid: 943aa124-96ea-4035-872a-38e8d3f46554
      container: api
      container_kind: container
      container_id: containerd://444377ad5b8460a89555ef7b425616ddac28b33c4c3ab509670c22f93876d8bc
      image: securescan.local/debian:1
      image_id: sha256:aa6a33d294e3cdd27a83273fc8a6c5aa138b93e7d9c830c763bc28f1d6aacdc6
      image_digest: ""
      node: demo-node
      state: running
      state_reason: ""
      operating_system: linux
      replicas: 2
counts:
  description: Numbers of the targets, and how many replicas were left out beside them.
  returned: success
  type: dict
  sample:
    targets: 1
    replicas_left_out: 1
    by_state: {running: 1}
    by_workload_kind: {Deployment: 1}
    by_container_kind: {container: 1}
looked_at:
  description:
    - Where the selection looked. C(pods) is the number of pods that met the selectors, C(namespaces) has that number for each namespace,
      C(containers) is the number of containers of the pods that no option left out.
    - C(left_out) is the number of namespaces, pods or containers that each option left out. Each is counted once. V(own_sidecar) in it
      are sidecars that are proven to be what M(securescan.kubernetes.scan_sidecar) makes of O(scanner_image), V(finished) containers of
      pods that have ended (see O(finished_pods)).
    - C(unmatched) are the first 50 of the names that gave no target, or could not be looked into, each with its error.
  returned: success
  type: dict
  sample:
    namespaces: {shop: 4}
    pods: 4
    containers: 2
    left_out: {exclude_workloads: 2}
    unmatched: []
limit_reached:
  description: Whether O(limit) left something out.
  returned: success
  type: bool
  sample: false
explained:
  description:
    - How a scan would go. C(approaches) has for each approach that is asked for the number of targets for which it works (V(works)), for which it
      does not (V(refused)), and for which only a scan can tell (V(unknown)), with the reasons, the most frequent first.
    - C(tried) has the number of targets for each list of approaches, in the order in which the scan would try them.
    - C(cross_checks) has the number of targets for each approach that would make the cross-check; an empty one stands for targets
      that none can check. It is empty without O(cross_check).
    - C(not_tried) says which of O(approaches) lack an option. C(left_out) is as in RV(looked_at), C(unmatched) too; C(counts) in it
      says whether the gate would count the name as not scanned, and C(gaps) how many it would.
    - C(scannable) is the number of targets that are left to at least one approach. C(conclusion) says it in one sentence.
    - C(missing) are the rules that the grantor lacks, with the namespaces where, and the approaches that need them.
    - C(estimate) is the number of seconds that the scan will take, and its parts.
  returned: with O(explain)
  type: dict
  sample:
    targets: 2
    scannable: 2
    not_scannable: 0
    namespaces: {"shop": {"Deployment": 2}}
    namespaces_left_out: 0
    tried: [{"approaches": ["exec"], "targets": 2}]
    cross_checks: []
    approaches:
      exec:
        works: 0
        unknown: 2
        refused: 0
        reasons:
          - status: "unknown"
            reason: "shell_unknown"
            message: "only an exec tells whether the image has a shell"
            targets: 2
            examples: ["shop/api-df4867d9-6nl2x/api", "shop/api-df4867d9-jkmkz/api"]
        reasons_left_out: 0
      debug:
        works: 0
        unknown: 0
        refused: 2
        reasons:
          - status: "refused"
            reason: "not_permitted"
            code: "SCAN-205"
            message: "system:serviceaccount:securescan-operator:operator lacks patch on pods/ephemeralcontainers"
            cause: "RBAC, in namespace shop"
            advice: "Grant the rules under `missing`."
            targets: 2
            examples: ["shop/api-df4867d9-6nl2x/api", "shop/api-df4867d9-jkmkz/api"]
        reasons_left_out: 0
    server_version: "Kubernetes v1.37.2"
    grantor: "system:serviceaccount:securescan-operator:operator"
    approach: "auto"
    order: ["exec", "sidecar", "debug"]
    not_tried: {"image": "no helper_namespace is given"}
    left_out: {"finished": 1}
    unmatched: []
    unmatched_count: 0
    gaps: 0
    missing:
      - namespaces: ["shop"]
        approaches: ["debug"]
        rules: [{"apiGroups": [""], "resources": ["pods/ephemeralcontainers"], "verbs": ["patch"]}]
        namespaces_count: 1
    estimate:
      seconds: 2
      concurrency: 8
      namespaces: 1
      seconds_per_namespace: 0.3
      parts: [{"approach": "exec", "uses": 2, "seconds": 0.9, "measured_in": "test bed"}]
    requests: 22
    conclusion: "a scan by auto can begin: 2 containers"
footprint:
  description:
    - The ephemeral containers that scans by debug have left. C(entries) holds at most 50, the oldest first; C(age) and C(oldest) are in seconds.
    - C(is_overdue) tells of one that runs for longer than it was to wait. Somebody has stopped its processes.
  returned: with O(footprint)
  type: dict
  sample:
    count: 1
    running: 0
    pods: 1
    by_namespace: {"shop": 1}
    oldest: 8
    entries:
      - namespace: "shop"
        pod: "duo"
        name: "securescan-8d954c4488-1"
        target_container: "web"
        image: "securescan.local/busybox:1"
        run_id: "20261123t171752-84c8df"
        state: "terminated"
        started: "2026-11-23T17:17:54Z"
        age: 8
        is_overdue: false
output_file:
  description: Path of the file that was written.
  returned: with O(output_file), not in check mode
  type: str
  sample: scan-results/preflight.json
error:
  description: Why the task failed. See the guide on errors for the codes.
  returned: on failure
  type: dict
  sample: {code: SCAN-204, reason: not_authenticated, message: "...", tried: "...", cause: "...", advice: "..."}
"""

from ..module_utils.module_run import run_as_module
from ..module_utils.options.target_info import scan_target_info_spec
from ..module_utils.tasks.target_info import run_scan_target_info


def main() -> None:
    run_as_module(scan_target_info_spec(), run_scan_target_info)


if __name__ == "__main__":
    main()
