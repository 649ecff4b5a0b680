# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""report.html as a browser shows it."""

from __future__ import annotations

import json
import pathlib
import re
from functools import lru_cache
from typing import Any

from ansible_collections.securescan.kubernetes.tests.support.report_pages import browse

from .format_reader import FormatReader, Words

_COUNT = re.compile(r"^1 (.+)$", re.MULTILINE)
_PLACE = re.compile(r"^cluster (.+)\nnamespace (.+)\nworkload (.+)\ncontainer (.+)$", re.MULTILINE)


@lru_cache(maxsize=1)
def _containers(path: pathlib.Path, _changed: int) -> list[tuple[str, str, str]]:
    """(target id, its result, the word of its control or nothing): a container of one pod and at most one control."""
    said = browse("rows.test.mjs", path.parent)
    found: list[dict[str, Any]] = json.loads(said.partition("ROWS ")[2].splitlines()[0])
    containers = []
    for one in found:
        place = _PLACE.search(one["text"])
        assert place is not None, one["text"]
        cluster, namespace, workload, container = place.groups()
        target_id = "/".join((cluster, namespace, workload, workload.partition("/")[2], container))
        count = _COUNT.search(one["text"].partition("all that did not pass")[2])
        containers.append((target_id, one["row"][2].partition(" ")[2], count.group(1) if count else ""))
    return containers


def _read(path: pathlib.Path) -> list[tuple[str, str, str]]:
    return _containers(path, path.stat().st_mtime_ns)


def read(path: pathlib.Path) -> Words:
    return {(target_id, "", ""): word for target_id, _result, word in _read(path) if word}


def targets(path: pathlib.Path) -> dict[str, str]:
    return {target_id: result for target_id, result, word in _read(path) if not word}


READER = FormatReader("html", "Chromium, which must ask for nothing and run nothing else", read, targets)
