# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  async:
    description: Supports being used with the C(async) keyword.
    support: none
    details: A scan removes its access when it ends, whatever ends it. Use the keyword C(timeout), or a job of its own.
  check_mode:
    description: Can run in check mode and predict the changes without making any.
  diff_mode:
    description: Returns the changes, or in check mode the predicted changes, when in diff mode.
  idempotent:
    description: When run twice in a row with the same options, the second run changes nothing.
"""

    # for the modules that talk to a cluster
    ACTION_GROUP = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/securescan.kubernetes.scan) in C(module_defaults) to set the options of the connection once.
    support: full
    membership: [securescan.kubernetes.scan]
"""

    # for those of them that choose containers
    SELECTION_GROUP = r"""
options: {}
attributes:
  action_group:
    description: >-
      Use C(group/securescan.kubernetes.scan) in C(module_defaults) to set the options of the connection once, and
      C(group/securescan.kubernetes.selection) for those that choose containers.
    support: full
    membership: [securescan.kubernetes.scan, securescan.kubernetes.selection]
"""
