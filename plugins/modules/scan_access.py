#!/usr/bin/python
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scan_access
short_description: Make, remove, sweep or prove the credentials of scans
version_added: 0.1.0
description:
  - Makes, per namespace, a ServiceAccount, a Role that reaches exactly the chosen pods by name, and a RoleBinding.
  - All of them carry the run id, the owner and the expiry as labels, and the Role and RoleBinding are owned by the ServiceAccount,
    unless O(account_namespace) puts that into another namespace. When one Role cannot hold the names of all pods, there are several.
  - The selectors are resolved to pods when the access is made. A pod that comes later is not reachable.
  - No token is made here, unless O(scanner_kubeconfig) asks for one. M(securescan.kubernetes.scan_container) asks for its own
    when it needs it and keeps it in memory.
  - The identity that runs this module (the grantor) needs every right that it hands out. The ClusterRole in
    C(docs/manifests/grantor-clusterrole.yml) holds exactly the rights that are needed, with
    C(docs/manifests/grantor-debug-clusterrole.yml) for O(approach=debug).
  - In a namespace where the access cannot be made whole, every object that was made is removed again.
options:
  state:
    description:
      - V(present) makes the access, or brings that of the same run up to date.
      - V(absent) removes it. Objects that are not managed by this collection are never touched.
      - V(swept) removes the objects of all runs that are past their expiry, by the clock of the machine that this runs on. Objects
        without a readable expiry are reported and stay.
      - V(proven) shows what the scanner's tokens cannot do. It makes an access as V(present) does, asks the API server with each token
        for rights that no scan needs (SelfSubjectAccessReview, SelfSubjectRulesReview), sends some requests that must be refused, such
        as to enter a pod that was not chosen, and removes the access. Each request is harmless if it is not refused. The task fails
        when anything is allowed that should not be.
    type: str
    choices: [present, absent, swept, proven]
    default: present
  run_id:
    description:
      - The id of the run that the access is for. A DNS label of at most 40 characters.
      - When not given with O(state=present), it is made from the time and random characters. Required with O(state=absent).
    type: str
  approach:
    description:
      - The approach that the access is for. V(exec) lets the scanner enter the chosen pods. V(debug) also lets it put ephemeral containers into
        them.
      - V(sidecar) needs the same rights as V(exec), and an access for V(debug) serves scans by all three.
    type: str
    choices: [exec, sidecar, debug]
    default: exec
  scanner_kubeconfig:
    description:
      - Path of a kubeconfig to write for the scanner, with its tokens and one context for each namespace, named like it. Mode 0600.
        On the machine where this module runs.
      - The result holds the path, never a token. The file is written anew when the access or its expiry changed.
      - With O(state=absent) the file is removed, if it is that of the run. Only files that this module wrote are replaced or removed.
      - A credential for the proxy is not written.
    type: path
  access:
    description:
      - The value RV(securescan.kubernetes.scan_access#module:access) of a task that made the credentials beforehand. With
        O(state=proven) this access is proven, and stays. Without it one is made for the proof, and removed.
    type: dict
  also_allowed:
    description:
      - Rights that every identity of the cluster is meant to have, such as C(create projectrequests.project.openshift.io). They are no
        failure of O(state=proven).
      - Those that Kubernetes itself gives to every authenticated identity need not be named.
    type: list
    elements: str
    default: []
  namespaces:
    description:
      - Names or shell patterns of namespaces. A pattern needs the right to list namespaces.
      - This or O(namespace_selectors) is needed with O(state=present). Otherwise all namespaces are searched when neither is given.
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
    details: With O(state=present) the run id must be given for that.
seealso:
  - module: securescan.kubernetes.scan_container
author:
  - securescan.kubernetes contributors (@securescan)
extends_documentation_fragment:
  - securescan.kubernetes.attributes
  - securescan.kubernetes.attributes.selection_group
  - securescan.kubernetes.connection
  - securescan.kubernetes.forbidden
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

- name: Remove the access that killed scans have left, in all namespaces
  securescan.kubernetes.scan_access:
    kubeconfig: "{{ scan_kubeconfig }}"
    state: swept

- name: Show that the token of a scan could do nothing but enter these pods
  securescan.kubernetes.scan_access:
    kubeconfig: "{{ scan_kubeconfig }}"
    state: proven
    namespaces: [shop]
    label_selectors: [app.kubernetes.io/name=api]

- name: Write a kubeconfig that reaches nothing but these pods, for a look by hand
  securescan.kubernetes.scan_access:
    kubeconfig: "{{ scan_kubeconfig }}"
    namespaces: [shop]
    pods: [api-*]
    run_id: look-by-hand
    lifetime: 600
    scanner_kubeconfig: "{{ playbook_dir }}/scanner.kubeconfig"
"""

RETURN = r"""
access:
  description:
    - The access, as O(securescan.kubernetes.scan_container#module:access) takes it. It holds no secret.
    - C(pods) is the number of pods that it reaches in a namespace. C(packed_pods) holds their names and uids, for machines, in some
      30 characters for each; the Roles name them, too.
  returned: success, with O(state=present) or O(state=absent)
  type: dict
  sample:
    run_id: 20261123t130000-1f9a2c
    approach: exec
    namespaces:
      - namespace: shop
        service_account: securescan-20261123t130000-1f9a2c
        service_account_namespace: shop
        service_account_uid: 1b1d2a0e-64d2-4ee8-8d5b-7f1b0a8e2f60
        approach: exec
        expires: "2026-11-23T13:10:00Z"
        pods: 1
    packed_pods: eNozNuGqVirOyC9QslKIVkosyNQ1TbFIs0wyTzZL0a0wqjDPVoqt1c+XCaoy9eWfz8efb29fIwgAoZoPaQ==
    refused: []
failure_count:
  description: Number of namespaces for which no access could be made. The others' access stands.
  returned: success, with O(state=present) or O(state=absent)
  type: int
  sample: 0
failures:
  description: The first 50 of these namespaces, each with its error.
  returned: success, with O(state=present) or O(state=absent)
  type: list
  elements: dict
  sample: []
scanner_kubeconfig:
  description: Path of the scanner's kubeconfig.
  returned: when O(scanner_kubeconfig) is given with O(state=present)
  type: str
  sample: /home/operator/scanner.kubeconfig
swept:
  description: The objects that were removed (in check mode, would be), and those that were kept, with the reason.
  returned: when O(state=swept), also on failure
  type: dict
  contains:
    removed_count:
      description: Number of objects removed.
      type: int
      returned: always
    removed:
      description: The first 50 of them.
      type: list
      elements: dict
      returned: always
      sample:
        - kind: Role
          namespace: shop
          name: securescan-20261123t130000-1f9a2c
          run_id: 20261123t130000-1f9a2c
          owner: ansible
          expires: 20261123T140000Z
    kept_count:
      description: Number of objects of this collection that were kept.
      type: int
      returned: always
    kept:
      description: The first 50 of them, each with C(why).
      type: list
      elements: dict
      returned: always
proof:
  description: What the scanner's tokens were refused, and what they were not.
  returned: when O(state=proven), also when something is allowed that should not be
  type: dict
  contains:
    proven:
      description: Whether everything that was asked and tried was refused. False in check mode without O(access), where nothing is asked.
      type: bool
      returned: always
    run_id:
      description: The run of the access.
      type: str
      returned: always
    namespaces:
      description: Number of namespaces, each with a token of its own.
      type: int
      returned: always
    pods:
      description: Number of pods that the tokens reach.
      type: int
      returned: always
    rules_incomplete:
      description: Number of namespaces where the API server says that its list of rules is not whole, because an authorizer cannot list.
      type: int
      returned: always
    allowed_count:
      description: Number of things that are allowed and should not be.
      type: int
      returned: always
    allowed:
      description: The first 50 of them. C(how) is C(asked), C(listed) or C(tried).
      type: list
      elements: dict
      returned: always
      sample: [{namespace: shop, how: tried, what: list secrets, answer: it was answered}]
    refused:
      description: What was refused in every namespace.
      type: list
      elements: dict
      returned: always
      sample: [{how: tried, what: enter a pod that was not chosen}]
error:
  description: Why the task failed. See the guide on errors for the codes.
  returned: on failure
  type: dict
  sample: {code: SCAN-204, reason: not_authenticated, message: "...", tried: "...", cause: "...", advice: "..."}
"""

from ..module_utils.module_run import run_as_module
from ..module_utils.options.access import scan_access_spec
from ..module_utils.tasks.access import run_scan_access


def main() -> None:
    run_as_module(scan_access_spec(), run_scan_access)


if __name__ == "__main__":
    main()
