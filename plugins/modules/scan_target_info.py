#!/usr/bin/python
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scan_target_info
short_description: List the containers that a selection means
version_added: 0.1.0
description:
  - Lists containers by namespace, labels, workload, pod, container and image, each with its workload, image, digest, node and state.
  - Containers that do not run are listed too, with the reason.
  - Reads only.
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
  - securescan.kubernetes.attributes.action_group
  - securescan.kubernetes.connection
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
    - C(replicas) is the number of containers that it stands for, with O(replicas=one).
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
    - What was looked at. C(pods) are those that met the selectors, C(namespaces) has their number for each namespace,
      C(containers) are those of the pods that no option left out.
    - C(left_out) is the number of namespaces, pods or containers that each option left out. Each is counted once.
  returned: success
  type: dict
  sample:
    namespaces: {shop: 4}
    pods: 4
    containers: 2
    left_out: {exclude_workloads: 2}
limit_reached:
  description: Whether O(limit) left something out.
  returned: success
  type: bool
  sample: false
error:
  description: Why the task failed. See the guide on errors for the codes.
  returned: on failure
  type: dict
  sample: {code: SCAN-204, reason: not_authenticated, message: "...", tried: "...", cause: "...", advice: "..."}
"""

from ..module_utils.module_run import run_as_module
from ..module_utils.options import scan_target_info_spec
from ..module_utils.tasks.target_info import run_scan_target_info


def main() -> None:
    run_as_module(scan_target_info_spec(), run_scan_target_info)


if __name__ == "__main__":
    main()
