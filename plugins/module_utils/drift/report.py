# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drift of one target as a document: `drift/<target>.json` of a run.

schema            securescan.kubernetes/drift
schema_version    number; 1
collection        {name, version} of what wrote it
collected         RFC 3339: when the target was seen
target            all fields of `Target.identity()`
approach          how the running container was reached
places            list of {path, compared, cause}: the paths to compare, and why one could not be compared
complete          whether all places could be compared, with all that is below them
counts            {added, changed, removed, touched}: exact for what was compared; null if nothing was
compared          number of files that were compared
differences       list of {path, change, type, differs, executable, gained_setuid, image, live}, in the order
                  of paths; the first MOST_DIFFERENCES. `image` and `live` are null, or
                  {type, mode, uid, gid, size, mtime, ctime, link_target}
left_out          number of differences beyond these
unread            directories that one side could not list; the first MOST_UNREAD
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..collector.facts import Facts
from ..results.producer import COLLECTION, VERSION
from ..results.target_record import DriftReference
from ..safe_text import kept_values
from ..secret_texts import values_without_secrets
from ..targets.selection import SelectedTarget
from .comparison import Drift
from .listings import drift_of, listed_paths, why_not_comparable

SCHEMA = "securescan.kubernetes/drift"
SCHEMA_VERSION = 1
MOST_DIFFERENCES = 1000
MOST_UNREAD = 50


def drift_report(
    selected: SelectedTarget, facts: Facts, approach: str, collected: str
) -> dict[str, Any] | None:
    """The document; None if the facts were not collected for drift.

    :param collected: RFC 3339
    """
    paths = listed_paths(facts)
    if not paths:
        return None
    pod, container = selected.pod.object(), selected.target.container
    causes = {path: why_not_comparable(facts, path, pod, container) for path in paths}
    places = [{"path": path, "compared": not cause, "cause": cause} for path, cause in causes.items()]
    compared = [path for path, cause in causes.items() if not cause]
    drift = drift_of(facts, compared, pod, container) if compared else Drift()
    differences = [difference.row() for difference in drift.differences[:MOST_DIFFERENCES]]
    document: dict[str, Any] = kept_values(
        {
            "schema": SCHEMA,
            "schema_version": SCHEMA_VERSION,
            "collection": {"name": COLLECTION, "version": VERSION},
            "collected": collected,
            "target": selected.target.identity(),
            "approach": approach,
            "places": values_without_secrets(places),
            "complete": len(compared) == len(paths) and not drift.unread,
            "counts": drift.counts() if compared else None,
            "compared": drift.compared,
            "differences": values_without_secrets(differences),
            "left_out": len(drift.differences) - len(differences),
            "unread": values_without_secrets(drift.unread[:MOST_UNREAD]),
        }
    )
    return document


def drift_in_summary(document: Mapping[str, Any], path: str, sha256: str) -> DriftReference:
    """What the run's summary says about a drift document.

    :param path: of the document within the run's folder
    :param sha256: of its file
    """
    cause = next((str(place["cause"]) for place in document["places"] if not place["compared"]), "")
    if document["unread"] and not cause:
        cause = "directories could not be listed on both sides, such as {}".format(document["unread"][0])
    return DriftReference(path, sha256, document["complete"], document["counts"], cause)
