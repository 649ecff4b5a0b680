# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # for the modules that speak to a system of results
    DOCUMENTATION = r"""
options:
  username:
    description: The name by which we log in, where the system takes names.
    type: str
  password:
    description: The password of O(username).
    type: str
  ca_cert:
    description: The file with the certificates of the authorities (PEM) that are trusted. Without it, those of the machine are.
    type: path
  client_cert:
    description: The file with our certificate and its chain (PEM), for systems that ask for one.
    type: path
  client_key:
    description: The file with the private key of O(client_cert), without a password. Without it, the key is in O(client_cert).
    type: path
  proxy:
    description: The proxy on the way to the system. Without it, C(HTTPS_PROXY) of the environment is taken.
    type: str
  no_proxy:
    description: Hosts that are reached without a proxy, in the form of C(NO_PROXY).
    type: str
  timeout:
    description: Seconds for one request, from 1 to 3600.
    type: float
    default: 30
"""
