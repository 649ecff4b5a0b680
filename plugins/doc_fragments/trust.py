# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  trusted_keys:
    description:
      - Public keys in PEM form, as files on the controller or as texts. With them, only results that M(securescan.kubernetes.scan_sign) has signed by
        one of them are used. What is not signed, or is not as it was signed, ends the task with the reason C(not_signed) or C(bad_evidence).
      - A key that lies beside the results is never trusted by itself.
    type: list
    elements: str
  require_signature:
    description: Makes it an error when O(trusted_keys) names no key, so that an empty variable does not open a door.
    type: bool
    default: false
"""
