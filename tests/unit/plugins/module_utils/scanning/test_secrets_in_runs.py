# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples of secrets wherever a container can have one: none is in any file of a run that keeps its facts."""

from __future__ import annotations

import base64
import json
import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.approach import Collected
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Fact, Facts
from ansible_collections.securescan.kubernetes.plugins.module_utils.engines.registry import engines_for
from ansible_collections.securescan.kubernetes.plugins.module_utils.kept.kept_target import keep_target
from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles.loader import load_profile
from ansible_collections.securescan.kubernetes.tests.support.secret_samples import SAMPLES, Sample
