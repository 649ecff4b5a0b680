# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  label_selectors:
    description: Label selectors that the pods must meet, all of them, as C(kubectl -l) takes them.
    type: list
    elements: str
    default: []
  field_selectors:
    description: Field selectors that the pods must meet, all of them, as C(kubectl --field-selector) takes them.
    type: list
    elements: str
    default: []
  pods:
    description: Names or shell patterns of pods. All pods when empty.
    type: list
    elements: str
    default: []
  containers:
    description: Names or shell patterns of containers. All containers when empty.
    type: list
    elements: str
    default: []
  allow_empty:
    description: Whether it is fine that nothing matches. Otherwise that is an error.
    type: bool
    default: false
"""
