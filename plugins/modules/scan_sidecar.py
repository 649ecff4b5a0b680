#!/usr/bin/python
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scan_sidecar
short_description: Put sidecars for scans into workloads, or take them out
version_added: 0.1.0
description:
  - Adds a native sidecar to the pod templates of workloads, from which the approach V(sidecar) of
    M(securescan.kubernetes.scan_container) looks at the other containers of a pod. A scan then adds nothing to pods.
  - A sidecar runs as the user and group of the containers that it looks at, holds no capability, and does nothing but wait.
    There is one sidecar for each user and group among the containers of a template; most templates need one.
  - The containers of the pods share their processes from then on (C(shareProcessNamespace)).
  - The workload's own rollout replaces the pods; the module waits for it.
  - C(docs/manifests/sidecar-clusterrole.yml) holds the rights that this module needs. Scans do not need them.
  - For workloads that are kept in git, the module makes a kustomize component and values for Helm charts with the same sidecars.
  - It needs Kubernetes 1.29 or newer. The guide is C(docs/sidecar.md).
options:
  state:
    description:
      - V(present) adds the sidecars that the pod templates need.
      - V(absent) takes them out of the templates again. Changes that others have made meanwhile stay.
    type: str
    choices: [present, absent]
    default: present
  namespace:
    description: The namespace of the workloads.
    type: str
    required: true
  workloads:
    description:
      - The workloads as V(KIND/NAME), such as V(Deployment/api). Kinds are Deployment, StatefulSet, DaemonSet, CronJob and Job;
        C(kubectl)'s short names are understood. No patterns.
      - The template of a Job cannot be changed. It is refused, unless O(manifests_only) is set.
      - All workloads are checked, with a dry run of each change, before any is changed.
    type: list
    elements: str
    required: true
  scanner_image:
    description:
      - Image of the sidecar. Any with a POSIX shell (C(sh)) and C(sleep). Needed with O(state=present).
      - Scans must name it in the same words (O(securescan.kubernetes.scan_container#module:scanner_image)); otherwise they do not enter
        the sidecar.
      - It is pulled with the pods' own pull secrets.
    type: str
  scanner_image_pull_policy:
    description: When O(scanner_image) is pulled, as in a pod's spec.
    type: str
    choices: [Always, IfNotPresent, Never]
    default: IfNotPresent
  run_as_user:
    description:
      - Number of the user of those containers whose user is not known. It is known where the template's security contexts say it,
        or where the nodes report it of the workload's youngest pod.
      - From 0 to 2147483647.
    type: int
  run_as_group:
    description: Number of the group of those containers whose group is not known. It is known in the same cases. From 0 to 2147483647.
    type: int
  resources:
    description: Requests and limits of a sidecar, as in a pod's spec. An empty dictionary sets none.
    type: dict
    default:
      requests: {cpu: 10m, memory: 16Mi}
      limits: {cpu: 500m, memory: 128Mi}
  wait:
    description:
      - Whether to wait until the pods of Deployments, StatefulSets and DaemonSets have the new template and the old pods
        have gone. The pods of a CronJob get it with its next run; with the update strategy C(OnDelete) pods get it when somebody
        deletes them.
      - The wait ends early, with the cause, when a sidecar cannot start, when Pod Security, a quota or a policy refuses the pods, and
        when a Deployment makes no progress. The change stays.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait for all of them. From 1 to 86400.
    type: int
    default: 300
  manifests_only:
    description: Change nothing in the cluster, and return the manifests.
    type: bool
    default: false
  output_dir:
    description:
      - Folder for the manifests, on the machine where the task runs. It is created when it is missing. Other files in it are left
        alone.
      - It is a kustomize component, to be listed under C(components), with one patch for each workload, and a file of values for each.
    type: path
attributes:
  check_mode:
    support: full
    details: The API server is asked by a dry run.
  diff_mode:
    support: full
    details: Of other init containers only the names are shown.
  idempotent:
    support: full
seealso:
  - module: securescan.kubernetes.scan_container
  - module: securescan.kubernetes.scan_guard
author:
  - securescan.kubernetes contributors (@securescan)
extends_documentation_fragment:
  - securescan.kubernetes.attributes
  - securescan.kubernetes.attributes.action_group
  - securescan.kubernetes.connection
"""

EXAMPLES = r"""
- name: Make manifests for those who keep the workload in git
  securescan.kubernetes.scan_sidecar:
    kubeconfig: "{{ admin_kubeconfig }}"
    namespace: billing
    workloads: [Deployment/edge]
    scanner_image: "{{ scan_scanner_image }}"
    manifests_only: true
    output_dir: "{{ scan_output_dir }}/sidecar"

- name: Add the sidecar, and wait until all pods have it
  securescan.kubernetes.scan_sidecar:
    kubeconfig: "{{ admin_kubeconfig }}"
    namespace: billing
    workloads: [Deployment/edge]
    scanner_image: "{{ scan_scanner_image }}"

- name: Scan from the sidecar a container that has no shell
  securescan.kubernetes.scan_container:
    kubeconfig: "{{ scan_kubeconfig }}"
    namespaces: [billing]
    workloads: [Deployment/edge]
    approach: sidecar
    scanner_image: "{{ scan_scanner_image }}" # the same, in the same words
    output_dir: "{{ scan_output_dir }}"

- name: Take the sidecars out again
  securescan.kubernetes.scan_sidecar:
    kubeconfig: "{{ admin_kubeconfig }}"
    namespace: billing
    workloads: [Deployment/edge]
    state: absent
"""

RETURN = r"""
workloads:
  description: One entry for each workload, with the change that was made.
  returned: success, and on a failure after something was changed
  type: list
  elements: dict
  contains:
    workload:
      description: Its kind and name.
      type: str
      sample: Deployment/api
    changed:
      description: Whether its pod template was changed, or would be.
      type: bool
    sidecars:
      description: The names of the sidecars that it needs.
      type: list
      elements: str
      sample: [securescan-sidecar-10001-10001]
    not_served:
      description: The containers that no sidecar can look at, with the reason.
      type: dict
      sample: {}
    rolled_out:
      description: Whether all of its pods are known to have the template.
      type: bool
    error:
      description: Why it failed.
      returned: on failure
      type: dict
manifests:
  description: The files of the manifests, by name.
  returned: with O(state=present)
  type: dict
  sample: {kustomization.yaml: "...", deployment-api.patch.yaml: "...", deployment-api.values.yaml: "..."}
output_dir:
  description: The folder with the manifests.
  returned: with O(output_dir)
  type: str
error:
  description: Why the task failed. See the guide on errors for the codes.
  returned: on failure
  type: dict
  sample: {code: SCAN-520, reason: rollout_failed, message: "...", tried: "...", cause: "...", advice: "..."}
"""

from ..module_utils.module_run import run_as_module
from ..module_utils.options.sidecar import scan_sidecar_spec
from ..module_utils.tasks.sidecar import run_scan_sidecar


def main() -> None:
    run_as_module(scan_sidecar_spec(), run_scan_sidecar)


if __name__ == "__main__":
    main()
