# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All resources of the language by name.

Each file in resources/ lists the resources of one subject; a new resource of a known subject changes nothing
here. The files are imported by name, because Ansible sends to a host only what a module imports by name.
"""

from __future__ import annotations

from .resource import Resource
from .resources import (
    accounts,
    commands,
    container,
    drift,
    file_search,
    files,
    image,
    kernel,
    language_packages,
    mounts,
    network,
    operating_system,
    packages,
    pod,
    processes,
    service_account,
    settings,
)

_ALL = (
    *files.RESOURCES,
    *file_search.RESOURCES,
    *drift.RESOURCES,
    *accounts.RESOURCES,
    *packages.RESOURCES,
    *language_packages.RESOURCES,
    *processes.RESOURCES,
    *commands.RESOURCES,
    *network.RESOURCES,
    *mounts.RESOURCES,
    *kernel.RESOURCES,
    *operating_system.RESOURCES,
    *settings.RESOURCES,
    *pod.RESOURCES,
    *service_account.RESOURCES,
    *container.RESOURCES,
    *image.RESOURCES,
)

RESOURCES: dict[str, Resource] = {resource.name: resource for resource in _ALL}
