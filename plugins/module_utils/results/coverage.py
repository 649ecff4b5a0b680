# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which places a run would have found: those that it did not find are gone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .run import Run

# Options of a selection that leave no container of the chosen namespaces out. Any other one can, also one of a later version.
_WHOLE = frozenset({"namespaces", "exclude_namespaces", "container_kinds", "finished_pods", "replicas"})
# Errors by which a name stands for nothing. Any other one hides something.
_ABSENT = ("no_targets", "not_found")


@dataclass(frozen=True)
class Coverage:
    """`namespaces` and `excluded` are names or shell patterns, `kinds` those of containers."""

    namespaces: tuple[str, ...]
    excluded: tuple[str, ...]
    kinds: tuple[str, ...]

    @classmethod
    def of(cls, run: Run) -> Coverage | None:
        """None for a run that looked at chosen containers only, or could not see everything."""
        given = run.selection
        if any(value for name, value in given.items() if name not in _WHOLE) or run.judged_from is not None:
            return None
        if any(one.error.reason not in _ABSENT for one in run.unmatched):
            return None
        lists = [given.get(name) or () for name in ("namespaces", "exclude_namespaces", "container_kinds")]
        if not lists[0] or not all(isinstance(one, (list, tuple)) for one in lists):
            return None
        return cls(*(tuple(str(item) for item in one) for one in lists))

    @classmethod
    def of_text(cls, text: str) -> Coverage | None:
        return cls(*(tuple(one) for one in json.loads(text))) if text else None

    @property
    def text(self) -> str:
        return json.dumps([self.namespaces, self.excluded, self.kinds], separators=(",", ":"))

    def has(self, namespace: str, kind: str) -> bool:
        """Whether a container of this kind would have been found there."""
        return (
            _matches(namespace, self.namespaces)
            and not _matches(namespace, self.excluded)
            and (kind in self.kinds or (not self.kinds and kind == "container"))
        )


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def gone_at(runs: Sequence[tuple[int, Coverage]], namespace: str, kind: str, last_present: int) -> int | None:
    """When a place was gone: the first of these runs after its last one that would have found it. None while it is there.

    :param runs: whole runs of its cluster by the time they started
    """
    later = (at for at, coverage in runs if at > last_present and coverage.has(namespace, kind))
    return min(later, default=None)
