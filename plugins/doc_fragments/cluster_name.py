# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # for the modules that look at a cluster
    DOCUMENTATION = r"""
options:
  cluster_name:
    description:
      - What the cluster is called in all results. Runs, waivers and baselines are told apart and compared by this name.
      - By default it is the name of the inventory host. What a kubeconfig calls the cluster does not matter.
    type: str
"""

    # for those that read a run
    RUN = r"""
options:
  cluster_name:
    description:
      - The cluster that the run must be of, by its name in the run. A run of another cluster is refused.
      - By default it is the name of the inventory host, which scans take by default, too.
    type: str
"""
