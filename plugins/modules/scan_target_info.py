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
  - Lists containers by namespace, labels, pod and container, each with its owner workload, image, digest, node and state.
  - Reads only.
options:
  namespaces:
    description:
      - Names or shell patterns of namespaces. A pattern needs the right to list namespaces.
    type: list
    elements: str
    required: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: It changes nothing.
  idempotent:
    support: full
  action_group:
    support: full
seealso:
  - module: securescan.kubernetes.scan_container
author:
  - securescan.kubernetes contributors (@securescan)
extends_documentation_fragment:
  - securescan.kubernetes.attributes
  - securescan.kubernetes.connection
  - securescan.kubernetes.selection
"""

EXAMPLES = r"""
- name: See which containers a scan would reach
  securescan.kubernetes.scan_target_info:
    kubeconfig: "{{ scan_kubeconfig }}"
    namespaces: [shop]
    label_selectors: ["app.kubernetes.io/name in (api, legacy)"]
  register: found

- name: Show them
  ansible.builtin.debug:
    msg: "{{ found.targets | map(attribute='target_id') | list }}"
"""

RETURN = r"""
cluster:
  description: The cluster's name, as the kubeconfig calls it, or the API server's host.
  returned: success
  type: str
  sample: demo
targets:
  description: One identity for each container.
  returned: success
  type: list
  elements: dict
  sample:
    - target_id: demo/shop/Deployment/api/api-5d8f9b7c6d-x2x7k/api
      cluster: demo
      namespace: shop
      workload_kind: Deployment
      workload: api
      pod: api-5d8f9b7c6d-x2x7k
      pod_uid: 2f6f1c52-7a35-4d0f-9f0e-0f6f3f3f7c11
      container: api
      container_kind: container
      container_id: containerd://2d1c
      image: securescan.local/debian:1
      image_id: sha256:6e8d
      image_digest: ""
      node: demo-node
      state: running
      state_reason: ""
error:
  description:
    - Why the task failed. C(code) is stable over versions.
  returned: on failure
  type: dict
  contains:
    code:
      description: Code of the error's kind.
      type: str
      returned: always
      sample: SCAN-205
    reason:
      description: Short name of the kind.
      type: str
      returned: always
      sample: not_permitted
    message:
      description: What came back.
      type: str
      returned: always
    tried:
      description: What was tried, and on what.
      type: str
      returned: always
    cause:
      description: The likely cause.
      type: str
      returned: always
    advice:
      description: The next step.
      type: str
      returned: always
"""

from ..module_utils.module_run import run_as_module
from ..module_utils.options import scan_target_info_spec
from ..module_utils.tasks.target_info import run_scan_target_info


def main() -> None:
    run_as_module(scan_target_info_spec(), run_scan_target_info)


if __name__ == "__main__":
    main()
