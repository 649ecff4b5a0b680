# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Places without a result that is young enough, as requests: what a store says is overdue is to be scanned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ..errors import ScanError
from ..requests.request import MOST_ITEMS, SCAN, Request, read_request
from ..store.questions.age import AGE, PlaceAge
from ..store.questions.question import Asked
from ..store.store import Store

_MOST_PLACES = 5000


def overdue_requests(store: Store, cluster: str = "") -> Iterator[Request]:
    """A request for each namespace with overdue places, or several where more workloads are overdue than one request names.

    Which age is too old is said by the deadlines in the store. Without a deadline nothing is overdue.

    :param cluster: empty for all
    :raises ScanError: as the store's
    """
    overdue: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in store.ask(AGE.name, Asked(cluster=cluster, limit=_MOST_PLACES)).rows:
        if isinstance(row, PlaceAge) and row.overdue:
            overdue[row.cluster, row.namespace].add(_workload(row.place))
    for (name, namespace), workloads in sorted(overdue.items()):
        ordered = sorted(workloads)
        for start in range(0, len(ordered), MOST_ITEMS):
            some = tuple(ordered[start : start + MOST_ITEMS])
            asked = {
                "action": SCAN,
                "cluster": name,
                "namespaces": [namespace],
                "because": f"{len(some)} workloads are overdue",
            }
            try:
                yield read_request({**asked, "workloads": list(some)})
            except ScanError:
                # the names of workloads are those that owners of pods have chosen: one that cannot be asked for costs no scan
                yield read_request(asked)


def _workload(place: str) -> str:
    """KIND/NAME out of cluster/namespace/KIND/NAME/container."""
    kind, name, _container = place.rsplit("/", 3)[1:]
    return f"{kind}/{name}"
