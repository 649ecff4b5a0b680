#!/usr/bin/python
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scan_access
short_description: Make or remove the credentials of one scan
version_added: 0.1.0
description:
  - Makes, per namespace, a ServiceAccount, a Role that reaches exactly the chosen pods by name, and a RoleBinding.
  - All of them carry the run id, the owner and the expiry as labels, and the Role and RoleBinding are owned by the ServiceAccount.
  - No token is made here. M(securescan.kubernetes.scan_container) asks for one when it needs it and keeps it in memory.
  - The identity that runs this module (the grantor) needs every right that it hands out.
options:
  state:
    description:
      - V(present) makes the access, or brings that of the same run up to date.
      - V(absent) removes it. Objects that are not managed by this collection are never touched.
    type: str
    choices: [present, absent]
    default: present
  run_id:
    description:
      - Names the run that the access is for. A DNS label of at most 40 characters.
      - Made up from time and chance when not given with O(state=present). Required with O(state=absent).
    type: str
  namespaces:
    description:
      - Names or shell patterns of namespaces. A pattern needs the right to list namespaces.
      - At least one with O(state=present). With O(state=absent) and none given, all namespaces are searched for the run.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
    details: The run id must be given for that.
  action_group:
    support: full
seealso:
  - module: securescan.kubernetes.scan_container
author:
  - securescan.kubernetes contributors (@securescan)
extends_documentation_fragment:
  - securescan.kubernetes.attributes
  - securescan.kubernetes.connection
  - securescan.kubernetes.grant
  - securescan.kubernetes.selection
"""

EXAMPLES = r"""
- name: Make credentials that reach the pods of one application for ten minutes
  securescan.kubernetes.scan_access:
    kubeconfig: "{{ scan_kubeconfig }}"
    namespaces: [shop]
    label_selectors: [app.kubernetes.io/name=api]
    owner: platform-security
    lifetime: 600
  register: made

- name: Remove them
  securescan.kubernetes.scan_access:
    kubeconfig: "{{ scan_kubeconfig }}"
    state: absent
    run_id: "{{ made.access.run_id }}"
    namespaces: [shop]
"""

RETURN = r"""
access:
  description: The access, as O(securescan.kubernetes.scan_container#module:access) takes it. It holds no secret.
  returned: success
  type: dict
  sample:
    run_id: 20261123t130000-1f9a2c
    lifetime: 600
    namespaces:
      - namespace: shop
        service_account: securescan-20261123t130000-1f9a2c
        pods:
          - name: api-5d8f9b7c6d-x2x7k
            uid: 2f6f1c52-7a35-4d0f-9f0e-0f6f3f3f7c11
failures:
  description: The namespaces for which no access could be made, each with its error. The others' access stands.
  returned: success
  type: list
  elements: dict
  sample: []
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
from ..module_utils.options import scan_access_spec
from ..module_utils.tasks.access import run_scan_access


def main() -> None:
    run_as_module(scan_access_spec(), run_scan_access)


if __name__ == "__main__":
    main()
