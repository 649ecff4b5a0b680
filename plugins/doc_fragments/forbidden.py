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
      - A container that no approach is left for is not scanned, and says so. No access is made for an approach where it is
        forbidden, so RBAC refuses it, too.
      - They are decided by the pod's labels when it is selected.
    type: list
    elements: dict
    default: []
    suboptions:
      approaches:
        description: What is forbidden.
        type: list
        elements: str
        choices: [exec, sidecar, debug, image]
        required: true
      namespaces:
        description: Names or shell patterns of namespaces in which it is. In all, where there are none.
        type: list
        elements: str
        default: []
      label_selectors:
        description:
          - Label selectors that a pod must all meet for the rule to hold for it. Every pod, where there are none.
          - A rule needs this or C(namespaces). Use V(*) as a namespace to forbid something everywhere.
        type: list
        elements: str
        default: []
      reason:
        description: Why; stands in the record of each container that is not scanned for it.
        type: str
"""
