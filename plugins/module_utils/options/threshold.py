# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module scan_threshold."""

from __future__ import annotations

from .spec import Spec


def scan_threshold_spec() -> Spec:
    return {
        "run_dir": {"type": "path", "required": True},
        "threshold": {"type": "raw"},
        "threshold_source": {"type": "str", "default": "the option threshold"},
        "baseline": {"type": "path"},
        "fail_on": {"type": "str", "choices": ["gate", "error", "never"], "default": "gate"},
    }
