# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  approach:
    description:
      - How the content of a container is reached.
      - V(exec) runs a shell of the target's own image, and leaves nothing.
      - V(sidecar) runs a shell in a sidecar that M(securescan.kubernetes.scan_sidecar) has put into the pod before, with the user and
        group of the target. It leaves nothing, and needs no shell in the target.
      - V(debug) runs a shell in an ephemeral container beside the target, as the target's own user and group, without any
        capability. It needs no shell in the target, and Pod Security's level C(restricted) allows it. Its entry stays in the pod
        until the pod is replaced.
      - V(image) mounts the images of the targets, read-only and by digest, into helper pods in O(helper_namespace), and looks at
        each image once, whatever the number of containers that run it. The targets' pods are not touched. An image at rest has no
        processes, mounts, environment, sockets, kernel parameters or volumes; controls over these are Not Reviewed.
        It needs image volumes, which clusters have by default from Kubernetes 1.35.
      - V(auto) takes for each target the first of O(approaches) that has its options and reaches it. The result says why the earlier
        ones do not. Without O(scanner_image) that is V(exec) alone, which adds nothing to any pod. Rights that the credential lacks
        for one approach do not keep the others from being tried.
    type: str
    choices: [exec, sidecar, debug, image, auto]
    default: auto
  approaches:
    description:
      - The approaches that O(approach=auto) tries, in this order. V(sidecar) and V(debug) are left out without O(scanner_image),
        V(image) without O(scanner_image) or O(helper_namespace).
      - O(cross_check) takes the second approach from these, too.
    type: list
    elements: str
    choices: [exec, sidecar, debug, image]
    default: [exec, sidecar, debug, image]
  prefer:
    description:
      - What O(approach=auto) looks to. V(footprint) keeps the order of O(approaches), which by default has the least footprint first.
      - V(trust) tries those of O(approaches) in the order V(debug), V(sidecar), V(image), V(exec), so that the target's own shell
        is asked last. V(image) stands behind the two that see the running container, because it does not show what a container
        has changed since it started.
    type: str
    choices: [footprint, trust]
    default: footprint
  cross_check:
    description:
      - Whether a second approach looks at each container, and what both say is compared. Those of O(approaches) are tried whose
        options are given and whose evidence has another grade, in the order V(debug), V(sidecar), V(image), V(exec).
      - Compared are files that no volume brings, accounts, packages and the operating system; not what changes by itself, such as
        processes, sockets, and files below C(/proc), C(/run), C(/tmp) and C(/var/log). When the answers contradict each other, the
        target counts as not scanned, with C(contradicting_evidence) and the names of these facts. A difference between a running
        container and its image is a contradiction only when the container cannot have changed the file.
      - With V(possible) a target that no second approach reaches is scanned, and its evidence has the grade V(target). With
        V(required) it counts as not scanned, with C(not_cross_checked).
      - A target then takes up to three times O(timeout), and a check by V(debug) adds an ephemeral container to its pod.
    type: str
    choices: [never, possible, required]
    default: never
  helper_namespace:
    description:
      - Namespace of the helper pods of O(approach=image). It must exist and hold no target of the scan. Pod Security's level
        C(restricted) can be enforced in it. The pods are removed with the access.
    type: str
  scanner_image:
    description:
      - Image of the containers that O(approach=debug) and O(approach=image) add, and of the sidecars that O(approach=sidecar) enters; all
        three need it. Any image with a POSIX shell (C(sh)) and C(sleep).
      - A sidecar is entered only when all of it is what M(securescan.kubernetes.scan_sidecar) makes of this image, in the same words. By
        any approach, such sidecars are no targets; without this option nothing proves that they are a scan's, and they are targets.
      - For an ephemeral container it is pulled with the pod's own pull secrets, because such a container cannot bring others.
    type: str
  scanner_image_pull_secrets:
    description: Names of the Secrets in O(helper_namespace) with which its pods pull O(scanner_image) and the targets' images.
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
      - Seconds that an ephemeral container stays for later scans with this option, which then need only an exec and leave no further
        entry. Scans without it use only what they have added themselves.
      - With V(0) each is told to end when its target is done. One that cannot be told ends by itself, at most 30 seconds after
        O(timeout).
      - From 0 to 86400.
    type: int
    default: 0
  debug_match_capabilities:
    description:
      - The kernel hides the files of a container that holds capabilities from one that holds less. Only containers that run as
        root hold any. Without this option they are not scanned by O(approach=debug), unless they drop all capabilities.
      - With it, the ephemeral container gets the capabilities of the target's own spec, which Pod Security can refuse. It is never
        privileged.
    type: bool
    default: false
  debug_memory_headroom:
    description:
      - Memory of the pod that must be free, as a quantity such as V(16Mi), before O(approach=debug) scans a container. An ephemeral
        container takes its memory from the pod's limit, and when that is used up the kernel ends a process of the pod.
      - The free memory is known when the pod, or each of its containers, has a memory limit. The ephemeral container first reads
        from the target's cgroup how much the target uses, without a further request. The page cache is not counted, because the
        kernel gives it back. The memory of the pod's other containers is not seen, so a pod with several is refused only when its
        target alone uses too much.
      - When the figures are not known, the container is scanned. V(0) switches the check off.
    type: str
    default: 16Mi
"""
