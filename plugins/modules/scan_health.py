#!/usr/bin/python
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scan_health
short_description: Say whether scans of a cluster work, and whether they find what they must find
version_added: 0.1.0
description:
  - Makes seven checks, each of which says in its own words what is wrong. C(docs/health.md) of the collection has them all.
  - C(reach) asks whether the API server answers and knows the credential. C(rights) asks for every right that a scan of the selection needs,
    and C(limits) whether O(denied_rights) are refused. C(access) makes the access of a scan for one container, gets its token, and sees
    that the token can do no more than it should.
  - C(image) starts a pod with O(scanner_image). C(canaries) scans a pod that is known to be good and one that is known to be bad. C(leftovers)
    looks for accesses whose time is over and for debug containers that should have ended.
  - What the module makes, it removes, also when it fails or is interrupted. The task fails with the reason C(unhealthy) when a check failed.
options:
  canary_namespace:
    description: The namespace of the canaries. Without O(helper_namespace) the pod of the check C(image) is made in it, too.
    type: str
  canary_image:
    description:
      - An image with a shell and C(sleep), of which two pods are made and scanned, one with all that a good pod has and one that runs as root
        without limits. Both end by themselves after ten minutes.
      - Without it, canaries are pods that are there, chosen by O(canary_good_selectors) and O(canary_bad_selectors), or there is no check.
    type: str
  canary_command:
    description: What the canaries run.
    type: list
    elements: str
    default: [sleep, "600"]
  canary_good_selectors:
    description: Label selectors of pods in O(canary_namespace) that are known to be good.
    type: list
    elements: str
    default: []
  canary_bad_selectors:
    description: Label selectors of pods in O(canary_namespace) that are known to be bad.
    type: list
    elements: str
    default: []
  canary_controls:
    description: Ids of controls that must be Passed on each good canary and Failed on each bad one.
    type: list
    elements: str
    default: [cb-main-process-user, wb-privilege-escalation, wb-memory-limit]
  canary_timeout:
    description: Seconds until a pod runs that was made, from 1 to 600.
    type: float
    default: 120.0
  denied_rights:
    description:
      - Rights that the credential must not have in the whole cluster, each a verb and a resource, with its group behind a dot. C(*) means each.
      - The default is what no scan needs and what would let its holder take over the cluster.
    type: list
    elements: str
    default:
      - "* *.*"
      - impersonate users
      - get secrets
      - create clusterrolebindings.rbac.authorization.k8s.io
      - escalate clusterroles.rbac.authorization.k8s.io
  timeout:
    description: Limit in seconds for the scan of one canary. From 1 to 3600.
    type: float
    default: 60.0
  compiled_profiles:
    description: Set by the action plugin, which loads and checks profiles on the controller. Not meant for playbooks.
    type: list
    elements: dict
attributes:
  check_mode:
    support: partial
    details: Only the checks that make nothing are made; the others are skipped.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: What it makes, it removes.
seealso:
  - module: securescan.kubernetes.scan_target_info
  - module: securescan.kubernetes.scan_container
author:
  - securescan.kubernetes contributors (@securescan)
extends_documentation_fragment:
  - securescan.kubernetes.attributes
  - securescan.kubernetes.attributes.selection_group
  - securescan.kubernetes.connection
  - securescan.kubernetes.cluster_name
  - securescan.kubernetes.selection
  - securescan.kubernetes.approach
  - securescan.kubernetes.forbidden
  - securescan.kubernetes.grant
  - securescan.kubernetes.judging
"""

EXAMPLES = r"""
- name: Look whether scans of the cluster work, and find what they must find
  securescan.kubernetes.scan_health:
    kubeconfig: "{{ operator_kubeconfig }}"
    namespaces: [shop]
    canary_namespace: canaries
    canary_image: registry.example.com/busybox:1.36

- name: Take pods as canaries that are there
  securescan.kubernetes.scan_health:
    kubeconfig: "{{ operator_kubeconfig }}"
    namespaces: [shop]
    canary_namespace: canaries
    canary_good_selectors: [canary=good]
    canary_bad_selectors: [canary=bad]
    canary_controls: [cb-world-writable]
"""

RETURN = r"""
cluster:
  description: What the cluster is called.
  returned: always
  type: str
  sample: demo
healthy:
  description: Whether no check failed.
  returned: always
  type: bool
  sample: true
checks:
  description: Each check with its C(status) (passed, failed or skipped), what was found, and what to do.
  returned: always
  type: list
  elements: dict
  sample:
    - {check: reach, status: passed, text: "Kubernetes v1.36.0 knows the credential as system:serviceaccount:ops:scan", advice: ""}
    - {check: canaries, status: skipped, text: none is named, advice: ""}
leftovers:
  description: Numbers of what scans have left, by kind. Entries of ephemeral containers that have ended are no failure.
  returned: when they were looked for
  type: dict
  sample: {access: 0, running_container: 0, ephemeral_container: 3}
error:
  description: Why the task failed. See the guide on errors for the codes.
  returned: on failure
  type: dict
  sample: {code: SCAN-853, reason: unhealthy, message: "...", tried: "...", cause: "...", advice: "..."}
"""

from ..module_utils.module_run import run_as_module
from ..module_utils.options.health import scan_health_spec
from ..module_utils.tasks.health import run_scan_health


def main() -> None:
    run_as_module(scan_health_spec(), run_scan_health)


if __name__ == "__main__":
    main()
