# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  namespaces:
    description:
      - Names or shell patterns of namespaces. This or O(namespace_selectors) is needed.
      - A pattern needs the right to list namespaces.
    type: list
    elements: str
    default: []
  namespace_selectors:
    description:
      - Label selectors that the namespaces must meet, all of them, written as for C(kubectl get namespaces -l).
      - When O(namespaces) is given too, both must hold. Needs the right to list namespaces.
    type: list
    elements: str
    default: []
  exclude_namespaces:
    description: Names or shell patterns of namespaces to leave out.
    type: list
    elements: str
    default: []
  label_selectors:
    description: Label selectors that the pods must meet, all of them, written as for C(kubectl -l).
    type: list
    elements: str
    default: []
  field_selectors:
    description: Field selectors that the pods must meet, all of them, written as for C(kubectl --field-selector).
    type: list
    elements: str
    default: []
  workloads:
    description:
      - Workloads as V(KIND/NAME), such as V(Deployment/api), V(Deployment/*) or V(*/api). Both parts can be shell patterns.
      - The kind is that of the pod's owner, of any API. Of a ReplicaSet or Job it is that of what controls it, such as V(Deployment).
        A pod without owner is V(Pod/NAME), a static pod is V(Node/NAME).
      - Case does not matter in the kind. The plurals and short names of Kubernetes' own kinds are understood, such as V(deploy), V(sts) and V(ds).
      - Needs the right to list ReplicaSets or Jobs in namespaces whose pods have such owners.
    type: list
    elements: str
    default: []
  exclude_workloads:
    description: Workloads to leave out, written as in O(workloads).
    type: list
    elements: str
    default: []
  pods:
    description: Names or shell patterns of pods. All pods when empty.
    type: list
    elements: str
    default: []
  exclude_pods:
    description: Names or shell patterns of pods to leave out.
    type: list
    elements: str
    default: []
  containers:
    description: Names or shell patterns of containers. All containers when empty.
    type: list
    elements: str
    default: []
  exclude_containers:
    description: Names or shell patterns of containers to leave out.
    type: list
    elements: str
    default: []
  images:
    description:
      - Image references or shell patterns of them, such as V(registry.example.com/*) or V(*@sha256:0123*). All images when empty.
      - Compared with the reference in the pod's spec, and with the image id that the node reports. V(*) also stands for slashes.
    type: list
    elements: str
    default: []
  exclude_images:
    description: Images to leave out, written as in O(images).
    type: list
    elements: str
    default: []
  container_kinds:
    description:
      - Kinds of containers. V(container) also takes the init containers that run as long as their pod (sidecars).
    type: list
    elements: str
    choices: [container, init, ephemeral]
    default: [container]
  finished_pods:
    description:
      - Whether pods that have ended are taken, too. Their phase is V(Succeeded) or V(Failed), such as those of Jobs that are done and
        those that were evicted.
      - They are left out otherwise, and their containers counted as V(finished). Nothing runs in them, so only the approach V(image)
        can look at them.
    type: bool
    default: false
  replicas:
    description:
      - V(one) takes one of those containers of a namespace that have the same workload, name, kind and image, and whose pods' specs have the
        same hash. Labels make no replica. Running containers come first, then the first by name. The result has the number of the others.
      - Replicas that run different content under the same image name are not the same.
    type: str
    choices: [all, one]
    default: all
  limit:
    description:
      - The largest number of containers that are chosen. When more match, a warning says so. No limit when not given.
      - From 1 to 1000000.
    type: int
  allow_empty:
    description:
      - Whether an empty selection is allowed. Otherwise it is an error, which says where the selection looked.
      - With it, a namespace, workload, pod or container that is named, not by a pattern, and gives no target does not count against the
        gate's coverage either. What the credential is not allowed to see, or could not be read, counts all the same.
    type: bool
    default: false
"""
