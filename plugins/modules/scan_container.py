#!/usr/bin/python
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scan_container
short_description: Scan running containers for compliance
version_added: 0.1.0
description:
  - Enters each chosen container once, with the scanner's token only, collects the facts that the profiles ask for in one go,
    judges them here, and writes one HDF (InSpec exec-json) document per container.
  - A control whose facts could not be had is Not Reviewed with the cause. It never passes.
  - A container that cannot be scanned is a record with its cause and with what would work, and does not stop the others.
  - With a local connection the work is done in the controller process, with a progress line about once a second.
options:
  access:
    description:
      - The value RV(securescan.kubernetes.scan_access#module:access) of a task that made the credentials beforehand.
      - Without it the scan makes credentials of its own, over the pods that it is about to enter, and removes them at its end,
        also when it fails, is interrupted, or runs into the task's time-out.
    type: dict
  approach:
    description:
      - How the content is reached.
      - V(exec) runs a shell of the target's own image, and leaves nothing.
      - V(sidecar) runs a shell in a sidecar that M(securescan.kubernetes.scan_sidecar) has put into the pod before, with a user and
        group that the target has. It leaves nothing, and needs no shell in the target.
      - V(debug) runs a shell in an ephemeral container beside the target, as the target's own user and group, without any
        capability. It needs no shell in the target, and Pod Security's level C(restricted) allows it. Its entry stays in the pod
        until that is replaced.
      - V(image) mounts the images of the targets, read-only and by digest, into helper pods in O(helper_namespace), and looks at
        each image once, whatever the number of containers that run it. The targets' pods are not touched. What an image at rest
        does not have (processes, mounts, the environment, sockets, kernel parameters, what lies in volumes) is not reviewed.
        It needs image volumes, which clusters have by default from Kubernetes 1.35.
      - V(auto) takes for each target the first of O(approaches) that reaches it, and the result says why the earlier ones do not.
    type: str
    choices: [exec, sidecar, debug, image, auto]
    default: exec
  approaches:
    description:
      - What O(approach=auto) tries, in this order. V(debug) is left out without O(scanner_image), V(image) also without
        O(helper_namespace).
    type: list
    elements: str
    choices: [exec, sidecar, debug, image]
    default: [exec, sidecar, debug, image]
  helper_namespace:
    description:
      - The namespace for the helper pods of O(approach=image), which must be there and hold no target of the scan. It may enforce
        Pod Security's level C(restricted). The pods are removed with the access.
    type: str
  scanner_image:
    description:
      - Image of the containers that O(approach=debug) and O(approach=image) add, which need it. Any with a POSIX shell (C(sh)) and
        C(sleep).
      - For an ephemeral container it is pulled with the pod's own pull secrets, since such a container cannot bring others.
    type: str
  scanner_image_pull_secrets:
    description: Names of Secrets in O(helper_namespace) by which its pods pull O(scanner_image) and the targets' images.
    type: list
    elements: str
    default: []
  scanner_image_pull_policy:
    description: When O(scanner_image) is pulled, as in a pod's spec.
    type: str
    choices: [Always, IfNotPresent, Never]
    default: IfNotPresent
  debug_keep_alive:
    description:
      - Seconds that an ephemeral container stays for later scans, which then need only an exec and leave no further entry.
      - With V(0) each is told to end when its target is done. One that could not be told ends by itself, half a minute after
        O(timeout) at the latest.
    type: int
    default: 0
  debug_match_capabilities:
    description:
      - The kernel hides the files of a container that holds capabilities from one that holds less. Only containers that run as
        root hold any. Without this option they are not scanned by O(approach=debug), unless they drop all capabilities.
      - With it, the ephemeral container gets the capabilities that the target's own spec says, which Pod Security may refuse. It
        is never privileged.
    type: bool
    default: false
  debug_memory_headroom:
    description:
      - How much of the pod's memory must be left, as a quantity such as V(16Mi), before O(approach=debug) looks at anything. An
        ephemeral container takes its memory from the pod's limit, and where that is used up the kernel ends a process of the pod.
      - It is known where the pod, or each of its containers, has a memory limit. What the target takes is read from its cgroup, as
        the first thing in the ephemeral container, without a further request; what files take is not counted, for the kernel gives
        it back. Other containers of the pod are not seen, so a pod with several is refused only where its target alone takes too
        much.
      - Where the figures cannot be had the container is scanned. V(0) never looks.
    type: str
    default: 16Mi
  profiles:
    description: Names of shipped profiles, or paths of profile files or folders on the controller.
    type: list
    elements: str
    default: [container-baseline, workload-baseline]
  inputs:
    description: Values for the profiles' inputs.
    type: dict
    default: {}
  compiled_profiles:
    description: Set by the action plugin, which loads and checks profiles on the controller. Not meant for playbooks.
    type: list
    elements: dict
  waivers:
    description:
      - A waiver file in InSpec's format (path on the controller), or its content as a dictionary.
      - A waived control with C(run) false is Not Applicable until its expiry.
      - "An entry may say with C(targets) for which containers it is, as a list of rules such as
        C({namespace: shop, workload: Deployment/legacy}). A rule's keys are C(cluster), C(namespace), C(workload), C(pod),
        C(container) and C(image), its values names or shell patterns."
    type: raw
  attestations:
    description:
      - A file of attestations as C(saf attest create) writes it (JSON or YAML, path on the controller), or its content as a list.
      - An attestation gives its status to a control that is Not Reviewed, until its expiry. Other controls stay as they are.
      - An entry may say with C(targets) for which containers it is, as in O(waivers).
    type: raw
  keep_facts:
    description:
      - Keep of each container what the scan has seen, in the folder C(facts) of the run, so that M(securescan.kubernetes.scan_judgement)
        can judge it again.
      - Nothing secret is kept. Of environment variables there are the names, and a fact in which something looks like a password,
        a key or a token is left out.
    type: bool
    default: false
  drift:
    description:
      - Compare the files of each running container with those of its image. What was added, changed or removed since the
        container started stands in the folder C(drift) of the run, the numbers in the summary.
      - It needs O(scanner_image) and O(helper_namespace), since the images are mounted into helper pods as by O(approach=image),
        each once for all containers that run it. The containers themselves are reached by O(approach), which cannot be
        V(image).
      - A profile with tests of drift, such as C(container-drift), makes the same comparison for its own paths without this
        option. Where it lacks what it needs, its controls are Not Reviewed.
    type: bool
    default: false
  drift_paths:
    description:
      - What O(drift) compares, as absolute paths of directories with all that is below them, or of files.
      - Volumes and other mounts are left out. A path that is on one cannot be compared, and the report says so.
    type: list
    elements: str
    default: [/]
  output_dir:
    description: Folder that gets a folder for this run, on the machine where the task runs.
    type: path
    required: true
  concurrency:
    description: How many containers are scanned at the same time.
    type: int
    default: 8
  timeout:
    description: Seconds that one container may take.
    type: float
    default: 60.0
  output_limit:
    description: Bytes that one container may send.
    type: int
    default: 8388608
  renew_access:
    description:
      - What to do about containers whose pod was replaced during the scan, by a rolling update for instance.
      - The access reaches the pods that were selected, so their successors are not scanned, and the record says so. With this option
        the access is renewed once and the successors are scanned in their place.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    details: Lists what would be scanned, and the ephemeral containers that would be added. It enters no container and asks for no token.
  diff_mode:
    support: none
    details: The ephemeral containers that were, or would be, added are in RV(footprint).
  idempotent:
    support: partial
    details: O(approach=debug) adds an ephemeral container where none runs that can be used again.
seealso:
  - module: securescan.kubernetes.scan_access
  - module: securescan.kubernetes.scan_judgement
  - module: securescan.kubernetes.scan_threshold
author:
  - securescan.kubernetes contributors (@securescan)
extends_documentation_fragment:
  - securescan.kubernetes.attributes
  - securescan.kubernetes.attributes.action_group
  - securescan.kubernetes.connection
  - securescan.kubernetes.forbidden
  - securescan.kubernetes.grant
  - securescan.kubernetes.selection
"""

EXAMPLES = r"""
- name: Scan one application, with credentials that are made for it and removed after it
  securescan.kubernetes.scan_container:
    kubeconfig: "{{ scan_kubeconfig }}"
    namespaces: [shop]
    label_selectors: [app.kubernetes.io/name=api]
    profiles: [container-baseline]
    inputs:
      forbidden_packages: [telnetd, rsh-server]
    attestations:
      - control_id: reviewed-by-hand
        explanation: The image's build was reviewed with the team.
        frequency: quarterly
        status: passed
        updated: "2026-11-02"
        updated_by: platform-security
        targets: [{namespace: shop, workload: Deployment/api}]
    keep_facts: true
    owner: platform-security
    output_dir: "{{ scan_output_dir }}"
  register: scan

- name: Scan containers without a shell
  securescan.kubernetes.scan_container:
    kubeconfig: "{{ scan_kubeconfig }}"
    namespaces: [shop]
    images: ["*/distroless-*"]
    approach: debug
    scanner_image: "{{ scan_scanner_image }}"
    output_dir: "{{ scan_output_dir }}"

- name: Find out which files of running containers differ from those of their images
  securescan.kubernetes.scan_container:
    kubeconfig: "{{ scan_kubeconfig }}"
    namespaces: [shop]
    workloads: [Deployment/api, Deployment/edge]
    approach: auto
    scanner_image: "{{ scan_scanner_image }}"
    helper_namespace: "{{ scan_helper_namespace }}"
    profiles: [container-drift]
    drift: true
    drift_paths: [/usr, /etc, /app]
    output_dir: "{{ scan_output_dir }}"

- name: Scan with credentials that another team's play has made
  securescan.kubernetes.scan_container:
    kubeconfig: "{{ scan_kubeconfig }}"
    namespaces: [shop]
    access: "{{ made.access }}"
    output_dir: "{{ scan_output_dir }}"
"""

RETURN = r"""
run_id:
  description: The run's id.
  returned: success
  type: str
  sample: 20261123t130000-1f9a2c
run_dir:
  description: The run's folder.
  returned: when not in check mode
  type: str
  sample: /var/lib/scans/20261123t130000-1f9a2c
summary_file:
  description: The run's summary as JSON.
  returned: when not in check mode
  type: str
  sample: /var/lib/scans/20261123t130000-1f9a2c/summary.json
counts:
  description: Numbers of containers selected, scanned and not scanned.
  returned: success
  type: dict
  sample: {selected: 9, scanned: 6, not_scanned: 3}
not_scanned:
  description: The first 20 containers that were not scanned, each with its error. The rest stands in the summary.
  returned: success
  type: list
  elements: dict
  sample:
    - target_id: demo/shop/Deployment/edge/edge-6c9d7-abcde/edge
      error: {code: SCAN-501, reason: no_such_program}
footprint:
  description: The ephemeral containers that were (in check mode, would be) added, and the first 20 of them. Their entries stay in the pods.
  returned: success
  type: dict
  sample:
    added: 1
    ephemeral_containers:
      - namespace: shop
        pod: edge-6c9d7-abcde
        name: securescan-24694eb4bd-1
requests:
  description: Requests made to the API server by the grantor and by the scanner, and the number of execs.
  returned: when not in check mode
  type: dict
  sample: {grantor: 3, scanner: 11, exec: 9}
error:
  description: Why the task failed. See the guide on errors for the codes.
  returned: on failure
  type: dict
  sample: {code: SCAN-204, reason: not_authenticated, message: "...", tried: "...", cause: "...", advice: "..."}
"""

from ..module_utils.module_run import run_as_module
from ..module_utils.options.scan import scan_container_spec
from ..module_utils.tasks.container import run_scan_container


def main() -> None:
    run_as_module(scan_container_spec(), run_scan_container)


if __name__ == "__main__":
    main()
