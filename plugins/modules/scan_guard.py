#!/usr/bin/python
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scan_guard
short_description: Hold the identities of scans, and those who make them, to what RBAC cannot express
version_added: 0.1.0
description:
  - Makes ValidatingAdmissionPolicies with their bindings. Those that apply to the ServiceAccounts of scans (C(securescan-*)) say
    which programs a scanner is allowed to start, which containers it is allowed to enter, and what the containers and helper pods
    that it adds are allowed to have. What they do not name is refused.
  - One policy applies to everybody, and keeps pods and Secrets from using the ServiceAccount of a scan.
  - One policy applies to the grantors that O(grantors) and O(grantor_groups) name. It holds them to the accesses of scans.
    Without it, a grantor that is bound in the whole cluster can make itself an administrator.
  - It is made once per cluster, and holds all scans from then on. It needs Kubernetes 1.30 or newer. Scans work without it, too.
  - The policies know the containers that this release of the collection makes. After an upgrade, run this module again before
    the next scan.
  - The same objects with the default options stand in C(docs/manifests/guard.yml), for clusters that are managed by manifests.
    The guide C(docs/guard.md) says exactly what the policies forbid, and what they cannot forbid.
  - C(docs/manifests/guard-clusterrole.yml) holds the rights that this module needs. Scans do not need them.
options:
  state:
    description:
      - V(present) makes the policies and bindings, or restores the rules of those that exist, whoever has changed them.
      - V(absent) removes them. On a cluster that knows no such policies there is nothing to remove.
      - Objects of these names that are not managed by this collection are never touched.
    type: str
    choices: [present, absent]
    default: present
  scanner_images:
    description:
      - The images that ephemeral containers and helper pods of scans are allowed to have, exactly as
        O(securescan.kubernetes.scan_container#module:scanner_image)
        names them.
      - Any image is allowed when the list is empty. Containers with that image still get no privileges.
    type: list
    elements: str
    default: []
  scanner_image_pull_secrets:
    description:
      - Names of the Secrets with which helper pods are allowed to pull images, as
        O(securescan.kubernetes.scan_container#module:scanner_image_pull_secrets) names them. None when the list is empty.
      - A ServiceAccount C(default) that has such Secrets gives them to helper pods, too; then name these here.
    type: list
    elements: str
    default: []
  grantors:
    description:
      - The users that make accesses for scans, as the API server names them, such as C(system:serviceaccount:ops:scanner).
      - They are held to ServiceAccounts, tokens, Roles and RoleBindings of scans, and enter no pod themselves. Nobody else makes the
        ServiceAccount of a scan, or gets its token. Name only identities that do nothing but scans.
      - Nobody is held when this and O(grantor_groups) are empty.
    type: list
    elements: str
    default: []
  grantor_groups:
    description: Groups whose members make accesses for scans. As O(grantors).
    type: list
    elements: str
    default: []
  closed_namespaces:
    description:
      - Namespaces in which the named grantors are not allowed to make accesses, so that no container there can be scanned.
      - A grantor can have every container entered in the namespaces where it is bound. Close those whose pods could take over
        the cluster, unless you trust the grantor with that.
    type: list
    elements: str
    default: [kube-system]
  account_namespace:
    description:
      - The namespace for the ServiceAccounts of scans, as O(securescan.kubernetes.scan_access#module:account_namespace) names it.
        The named grantors are then not allowed to make ServiceAccounts, or to get tokens, in another one.
    type: str
  enter_targets:
    description:
      - Whether scanners are allowed to enter containers that are not their own. The approach V(exec) needs that.
      - With V(false) they are allowed to enter only their helper pods and the containers whose names start with C(securescan-).
        Scans by the approach V(exec) then fail.
    type: bool
    default: true
  debug_match_capabilities:
    description:
      - Whether an ephemeral container beside a target that runs as root is allowed to hold the capabilities of the target's own spec.
        Scans with O(securescan.kubernetes.scan_container#module:debug_match_capabilities) need that.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    details: The API server is asked by a dry run.
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: securescan.kubernetes.scan_access
  - module: securescan.kubernetes.scan_container
author:
  - securescan.kubernetes contributors (@securescan)
extends_documentation_fragment:
  - securescan.kubernetes.attributes
  - securescan.kubernetes.attributes.action_group
  - securescan.kubernetes.connection
"""

EXAMPLES = r"""
- name: Hold all scans of this cluster to one scanner image
  securescan.kubernetes.scan_guard:
    kubeconfig: "{{ admin_kubeconfig }}"
    scanner_images:
      - registry.example.com/tools/busybox@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef

- name: No scanner enters a container of an application
  securescan.kubernetes.scan_guard:
    kubeconfig: "{{ admin_kubeconfig }}"
    enter_targets: false

- name: Hold the grantor to the accesses of scans, with their ServiceAccounts in one namespace
  securescan.kubernetes.scan_guard:
    kubeconfig: "{{ admin_kubeconfig }}"
    grantors: ["system:serviceaccount:ops:scanner"]
    account_namespace: securescan-accounts

- name: Remove the guard
  securescan.kubernetes.scan_guard:
    kubeconfig: "{{ admin_kubeconfig }}"
    state: absent
"""

RETURN = r"""
policies:
  description: The names of the policies; their bindings have the same ones.
  returned: success
  type: list
  elements: str
  sample:
    - securescan-guard-exec
    - securescan-guard-ephemeral
    - securescan-guard-helper
    - securescan-guard-writes
    - securescan-guard-accounts
    - securescan-guard-grantors
error:
  description: Why the task failed. See the guide on errors for the codes.
  returned: on failure
  type: dict
  sample: {code: SCAN-303, reason: guard_unsupported, message: "...", tried: "...", cause: "...", advice: "..."}
"""

from ..module_utils.module_run import run_as_module
from ..module_utils.options.guard import scan_guard_spec
from ..module_utils.tasks.guard import run_scan_guard


def main() -> None:
    run_as_module(scan_guard_spec(), run_scan_guard)


if __name__ == "__main__":
    main()
