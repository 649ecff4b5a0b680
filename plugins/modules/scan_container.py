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
  - Enters each chosen container once, with the scanner's token only, collects in one exec the facts that the profiles ask for,
    judges them where the task runs, and writes one HDF (InSpec exec-json) document per container.
  - Looks at the pod before and after it enters a container. One that was restarted or changed since it was chosen has no result.
  - Each document says how far its evidence can be trusted. A second approach can check it (O(cross_check)).
  - A control whose facts could not be read is Not Reviewed with the cause. It never passes.
  - A container that cannot be scanned is a record with its cause and its remedy, and does not stop the others.
  - With a local connection the scan runs in the controller process and shows a progress line about once a second.
options:
  access:
    description:
      - The value RV(securescan.kubernetes.scan_access#module:access) of a task that made the credentials beforehand.
      - Without it the scan makes credentials of its own, for the pods that it will enter, and removes them at its end,
        also when it fails, is interrupted, or runs into the task's time-out.
    type: dict
  run_id:
    description:
      - The run's id, where somebody was told one before, such as by RV(securescan.kubernetes.scan_request#module:run_id). A DNS label of
        at most 40 characters. With O(access) that one's is taken.
    type: str
  keep_facts:
    description:
      - Keep the facts of each container in the folder C(facts) of the run, so that M(securescan.kubernetes.scan_judgement)
        can judge it again.
      - Command lines, contents of files, output of programs and values of environment variables are not kept, but for the single
        settings that the profiles read and the answers to their tests. What is left is searched for what looks like a password,
        a key or a token, and left out where something does. This search is a help and no promise.
    type: bool
    default: false
  drift:
    description:
      - Compare the files of each running container with those of its image. The folder C(drift) of the run holds the files that
        were added, changed or removed since the container started; the summary holds their numbers.
      - It needs O(scanner_image) and O(helper_namespace), because the images are mounted into helper pods as with O(approach=image),
        each image once for all containers that run it. O(approach) reaches the containers themselves and cannot be V(image).
      - A profile with tests of drift, such as C(container-drift), makes the same comparison for its own paths without this
        option. Without O(scanner_image) or O(helper_namespace) its controls are Not Reviewed.
    type: bool
    default: false
  drift_paths:
    description:
      - Absolute paths that O(drift) compares, of directories with everything below them, or of files.
      - Volumes and other mounts are left out. A path on a mount cannot be compared, and the report says so.
    type: list
    elements: str
    default: [/]
  teams:
    description:
      - Rules that say to which team and environment a namespace belongs (path of a file on the controller, or its content as a dictionary).
      - "C(team) and C(environment) name keys of the namespace's C(labels) and C(annotations), the first that it has counts. C(namespaces) is
        a list of the operator's own rules with the patterns C(cluster) and C(namespace) and the names C(team) and C(environment);
        these go before labels and annotations."
      - A namespace is read only where labels or annotations are needed, with the right C(get) on namespaces. Of one that cannot be read,
        and of one whose label is no name, the team is empty, with a warning.
    type: raw
  deadlines:
    description:
      - A policy that says how often a container is to be scanned, and how soon a failed control is to be fixed (path of a file on the
        controller, or its content as a dictionary).
      - "C(default), and each name under C(environments), can have C(scan_every_hours) and C(fix_within_days), the latter by severity. A value
        is a number, or V(never)."
      - The run then has the file C(deadlines.json). What is overdue stands in reports and metrics, and counts for the keys C(overdue)
        and C(overdue_scans) of a threshold.
    type: raw
  output_dir:
    description:
      - Folder that gets a folder for the cluster (O(cluster_name)), in which there is one for each run, on the machine where the task runs.
        Two runs never share one. The link C(latest) in the cluster's folder is its run that ended last.
    type: path
    required: true
  allow_shared_folder:
    description:
      - Whether others are allowed to write to O(output_dir), or to a folder above it. They could replace the results before a gate reads them.
      - Without it the task ends before anything is touched, and with it there is a warning. Root, whoever runs the task, and
        that user's own group are no others; a sticky folder such as C(/tmp) can be above.
    type: bool
    default: false
  concurrency:
    description: Number of containers that are scanned at the same time. From 1 to 1000.
    type: int
    default: 8
  timeout:
    description:
      - Limit in seconds for one container.
      - Searching its texts for the patterns of profiles has what is left of it, 10 seconds at most and 1 second at least. A text that could
        not be searched in that time is not reviewed, also where a pattern must not be found.
      - From 1 to 3600.
    type: float
    default: 60.0
  output_limit:
    description: Limit in bytes for the reply of one container. From 1024 to 67108864.
    type: int
    default: 8388608
  renew_access:
    description:
      - Scan the successors of pods that were replaced during the scan, for example by a rolling update, and of containers that were
        restarted or changed in their pods.
      - The access reaches the pods that were selected. Without this option their successors are not scanned, and the record says so.
        With it the access is renewed once and the successors are scanned in their place.
    type: bool
    default: false
  deadline:
    description:
      - Seconds that the scan has, with all that comes before its first container. From 1 to 604800.
      - When they are over, containers that are being scanned are left, the access is removed, and the summary is written. What was not
        scanned by then is not scanned for the reason C(not_reached), and comes first in the next scan.
      - Removing the access has 30 seconds more. What could not be removed by then is named by the error C(access_remains).
    type: float
  deadline_at:
    description:
      - The time at which the scan ends in the same way, such as V(2026-11-30T04:00:00Z), or in seconds since 1970. One value can so be
        given to the scans of many clusters.
      - With O(deadline), the sooner of the two holds.
    type: str
  resume:
    description:
      - Whether what an interrupted scan of the same selection has finished is carried over, from the folder of its run.
      - Only what nothing has changed for is carried over, that is the pod, the container, its image and the pod's spec, the profiles, their
        inputs, waivers and attestations, and the collection itself. With a sensitive input nothing is.
      - The results of a scan that ended are not carried over by this option.
    type: bool
    default: true
  resume_max_age:
    description: Seconds after which the results of an interrupted scan are not carried over. From 0 to 2592000.
    type: float
    default: 21600.0
  due_only:
    description:
      - Scan only what is due, and carry over the results of earlier runs for the rest, with their age. They are looked for in the folders
        of the cluster's runs.
      - A container is due when it has no result that is younger than O(due_after), or something has changed that O(resume) looks at. A pod
        that has taken the place of another one, of the same workload, image and spec, has that one's result.
    type: bool
    default: false
  due_after:
    description:
      - Seconds after which a result is too old for O(due_only). From 0 to 315360000.
      - Without O(due_only) it decides about the order only, in which come containers of workloads that were never scanned, then those
        whose result is older, then those that failed, then the rest.
    type: float
    default: 86400.0
  store:
    description:
      - A store in which results of earlier runs are looked for, instead of the folders of the cluster's runs (a path, or
        C(postgresql://user@host:port/database)). This task does not write to it.
      - A result whose document the store has not kept is not carried over, and neither is one for a scan with O(keep_facts) or O(drift).
    type: str
  store_password:
    description: Password of the store's user. Without it, it is taken from where libpq looks for one.
    type: str
attributes:
  check_mode:
    support: full
    details: Lists the containers that would be scanned, and the ephemeral containers that would be added. It enters no container and asks for no token.
  diff_mode:
    support: partial
    details: In check mode the diff holds the objects of the access. The ephemeral containers that were, or would be, added are in
      RV(footprint).
  idempotent:
    support: partial
    details: O(approach=debug) adds an ephemeral container, unless one runs that O(debug_keep_alive) has kept for scans like this.
seealso:
  - module: securescan.kubernetes.scan_access
  - module: securescan.kubernetes.scan_judgement
  - module: securescan.kubernetes.scan_threshold
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
  - securescan.kubernetes.judging
  - securescan.kubernetes.judging.amendments
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
      - control_id: cb-shadow-passwords
        explanation: In the image, as root, every account is locked.
        frequency: 90d
        status: passed
        updated: "2026-11-02"
        updated_by: platform-security
        covers_unread: true # no manual control, and its file could not be read
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

- name: Scan by what the target can deceive the least, check each answer by a second approach, and keep others from the scanner
  securescan.kubernetes.scan_container:
    kubeconfig: "{{ scan_kubeconfig }}"
    namespaces: [shop]
    approach: auto
    prefer: trust
    cross_check: required
    scanner_image: "{{ scan_scanner_image }}"
    helper_namespace: "{{ scan_helper_namespace }}"
    account_namespace: securescan-accounts
    output_dir: "{{ scan_output_dir }}"

- name: List the files of running containers that differ from those of their images
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
  sample: /var/lib/scans/prod-eu/20261123t130000-1f9a2c
summary_file:
  description: The run's summary as JSON.
  returned: when not in check mode
  type: str
  sample: /var/lib/scans/prod-eu/20261123t130000-1f9a2c/summary.json
summary_sha256:
  description: SHA-256 of the run's summary, for the tasks that read it.
  returned: when not in check mode
  type: str
  sample: 3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea
counts:
  description: Numbers of containers selected, scanned, not scanned and, among the scanned ones, not judged and carried over from an earlier run.
  returned: success
  type: dict
  sample: {selected: 9, scanned: 6, not_scanned: 3, not_judged: 0, carried: 0}
not_scanned:
  description: The first 20 containers that were not scanned, each with its error. The rest stands in the summary.
  returned: success
  type: list
  elements: dict
  sample:
    - target_id: demo/shop/Deployment/edge/edge-6c9d7-abcde/edge
      error: {code: SCAN-501, reason: no_such_program}
unmatched:
  description:
    - The first 20 of the names that gave no target, or could not be looked into, each with its error. The rest stands in the summary.
    - They count as selected and not scanned, unless O(allow_empty) is set and there is nothing of that name.
  returned: success
  type: list
  elements: dict
  sample:
    - kind: namespace
      name: billingg
      namespace: ""
      error: {code: SCAN-206, reason: not_found, message: "namespace billingg does not exist"}
would_scan:
  description: The first 20 containers that would be looked at, each with the approaches that its pod does not refuse.
  returned: in check mode
  type: list
  elements: dict
  sample:
    - target_id: demo/shop/Deployment/api/api-df4867d9-6nl2x/api
      approaches: [exec, debug]
left_out:
  description:
    - Why containers that the options chose are no targets of their own, and how many. V(own_sidecar) is a sidecar that is proven to be
      what M(securescan.kubernetes.scan_sidecar) makes of O(scanner_image), V(replica_alike) a container for which another stands with
      O(replicas=one), V(finished) one of a pod that has ended (see O(finished_pods)).
  returned: success
  type: dict
  sample: {own_sidecar: 2}
footprint:
  description:
    - The ephemeral containers that were (in check mode, would be) added, and the first 20 of them. Their entries stay in the pods.
    - C(not_ended) are those that did not end, although they were told to, or of which nobody could see that they ended.
  returned: success
  type: dict
  sample:
    added: 1
    ephemeral_containers:
      - namespace: shop
        pod: edge-6c9d7-abcde
        name: securescan-24694eb4bd-0f3b9c51d2e8a746
    not_ended: []
requests:
  description: Requests made to the API server by the grantor and by the scanner, and the number of execs.
  returned: when not in check mode
  type: dict
  sample: {grantor: 5, scanner: 6, exec: 2}
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
