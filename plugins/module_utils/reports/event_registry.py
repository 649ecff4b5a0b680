# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The formats of events. It lists them, nothing else."""

from __future__ import annotations

from .asff import ASFF
from .ecs import ECS
from .event import EventFormat
from .hdf_splunk import HDF_SPLUNK
from .ocsf import OCSF
from .plain_event import plain_event

PLAIN = EventFormat("json", "application/json", plain_event)
_FORMATS = (PLAIN, OCSF, ECS, ASFF, HDF_SPLUNK)
EVENT_FORMATS: dict[str, EventFormat] = {one.name: one for one in _FORMATS}
