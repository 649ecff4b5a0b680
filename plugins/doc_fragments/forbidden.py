# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  forbidden_approaches:
    description:
      - Rules that forbid approaches for some pods. All rules count; none can allow what another forbids.
      - A container for which no approach is left is not scanned, and its record says so. No access is made for an approach where it
        is forbidden, so RBAC refuses it, too.
      - The labels that count are those of the pod when it is selected.
    type: list
    elements: dict
    default: []
    suboptions:
      approaches:
        description: The approaches that are forbidden.
        type: list
        elements: str
        choices: [exec, sidecar, debug, image]
        required: true
      namespaces:
        description: Names or shell patterns of the namespaces in which they are forbidden. All namespaces when empty.
        type: list
        elements: str
        default: []
      label_selectors:
        description:
          - Label selectors of the pods that the rule is for; a pod must meet all of them. Every pod when empty.
          - A rule needs this or C(namespaces). Use V(*) as a namespace to forbid something everywhere.
        type: list
        elements: str
        default: []
      reason:
        description: Why they are forbidden. The record of each container that is not scanned for this rule shows it.
        type: str
"""
