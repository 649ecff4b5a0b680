# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  owner:
    description: Who the access is made for. Each of its objects has it as a label.
    type: str
    default: ansible
  lifetime:
    description:
      - Lifetime of the access and of its tokens, in seconds.
      - The API's minimum for a token is 600 seconds.
      - From 600 to 86400.
    type: int
    default: 3600
  account_namespace:
    description:
      - A namespace for the ServiceAccounts of scans, in which nobody makes pods. C(docs/manifests/account-namespace.yml) makes one.
      - Without it, the ServiceAccounts are in the namespaces of the targets. There, everybody who is allowed to make pods can run
        one as such a ServiceAccount while the scan lasts, and enter the chosen pods with its token, unless the guard
        (M(securescan.kubernetes.scan_guard)) keeps pods from using it.
      - There is still one ServiceAccount for each namespace with targets, so no token reaches the pods of two namespaces.
    type: str
"""
