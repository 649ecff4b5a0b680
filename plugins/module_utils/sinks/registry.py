# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of sinks, one file each."""

from __future__ import annotations

from collections.abc import Mapping

from . import defectdojo, emass, heimdall, webhook
from .sink import SinkKind

SINKS: Mapping[str, SinkKind] = {
    kind.name: kind
    for kind in (
        defectdojo.DEFECTDOJO,
        emass.EMASS,
        heimdall.HEIMDALL,
        webhook.WEBHOOK,
    )
}
