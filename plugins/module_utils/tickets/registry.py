# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The trackers. It lists them, nothing else."""

from __future__ import annotations

from .github import GITHUB
from .gitlab import GITLAB
from .jira import JIRA
from .request_tracker import REQUEST_TRACKER
from .servicenow import SERVICENOW
from .tracker import TrackerKind

_KINDS = (GITHUB, GITLAB, JIRA, REQUEST_TRACKER, SERVICENOW)
TRACKERS: dict[str, TrackerKind] = {kind.name: kind for kind in _KINDS}
