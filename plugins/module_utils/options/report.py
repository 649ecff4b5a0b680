# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module scan_report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ..errors import ScanError
from ..reports.fleet_registry import FLEET_REPORTS
from ..reports.fleet_report import FleetReport
from ..reports.registry import REPORTS
from ..reports.report import AnyReport
from ..reports.servicenow import REPORT as SERVICENOW
from ..results.configuration_items import ConfigurationItems, read_configuration_items
from ..suggestions import unknown_name
from .run import (
    cluster_name_option,
    cluster_name_spec,
    sha256_option,
    summary_sha256_option,
    summary_sha256_spec,
)
from .spec import Params, Spec, bad_option
from .store_access import StoreAccess, access_spec

Format = TypeVar("Format")
# What is written where no format is named, for a run and for a fleet run.
_OF_RUN = ("markdown", "junit")
_OF_FLEET = ("markdown", "html")
_OF_STORE = ("html",)


@dataclass(frozen=True)
class ReportOptions:
    """`output_dir` is where the reports are written, None for the folder of the decision that they show, or of the fleet run.
    `decision` is that decision's file or folder, empty for the run's first one. A SHA-256 and `cluster_name` are empty where they
    are not known. `formats` is empty where none is named. `store` is where the page finds what was before, None for no store;
    without `run_dir` the page is of the store alone. `items` says which configuration items places are."""

    run_dir: Path | None
    store: StoreAccess | None
    summary_sha256: str
    decision: str
    decision_sha256: str
    formats: tuple[str, ...]
    output_dir: Path | None
    cluster_name: str
    items: ConfigurationItems

    @classmethod
    def from_params(cls, params: Params, environ: Mapping[str, str]) -> ReportOptions:
        """:raises ScanError: `bad_option` for a format that there is not, or none at all, and for what is no SHA-256; `bad_file`,
        `bad_configuration_items`"""
        return cls(
            run_dir=Path(params["run_dir"]) if params["run_dir"] else None,
            store=StoreAccess.from_params(params, environ) if params["store"] else None,
            summary_sha256=summary_sha256_option(params),
            decision=params["decision"] or "",
            decision_sha256=sha256_option(params, "decision_sha256"),
            formats=_formats(params),
            output_dir=Path(params["output_dir"]) if params["output_dir"] else None,
            cluster_name=cluster_name_option(params),
            items=_items(params),
        )

    @property
    def reports(self) -> tuple[AnyReport, ...]:
        """The formats of a run. :raises ScanError: `bad_option`, for one that only fleet runs have"""
        return _known(self.formats or _OF_RUN, REPORTS, "a run")

    @property
    def fleet_reports(self) -> tuple[FleetReport, ...]:
        """The formats of a fleet run.

        :raises ScanError: `bad_option`, for a format that it does not have, and for an option of runs
        """
        self._refuse("a fleet run", summary_sha256="")
        return _known(self.formats or _OF_FLEET, FLEET_REPORTS, "a fleet run")

    @property
    def page_of_store(self) -> tuple[StoreAccess, Path]:
        """The store of which alone a page is made, and where it is written. :raises ScanError: `bad_option`"""
        if self.store is None:
            raise bad_option("run_dir", "run_dir is needed, or store")
        self._refuse("a store", summary_sha256=self.summary_sha256)
        _known(self.formats or _OF_STORE, dict.fromkeys(_OF_STORE), "a store")
        if self.output_dir is None:
            raise bad_option("output_dir", "output_dir is needed for the page of a store alone")
        return self.store, self.output_dir

    def _refuse(self, of: str, **others: str) -> None:
        """What only runs have. Not the name of the cluster: where none is given, the host's is taken for it."""
        given = {"decision": self.decision, "decision_sha256": self.decision_sha256, **others}
        for name, value in given.items():
            if value:
                raise bad_option(name, f"only a run has {name}, and this is {of}")


def _formats(params: Params) -> tuple[str, ...]:
    """The names of formats, each once; none where the option is not given."""
    if params["formats"] is None:
        return ()
    known = {**REPORTS, **FLEET_REPORTS}
    for name in params["formats"]:
        if name not in known:
            message = unknown_name("format", name[:100], known)
            raise ScanError("bad_option", message, tried="reading the option formats")
    if not params["formats"]:
        raise ScanError("bad_option", "no format is named", tried="reading the option formats")
    return tuple(dict.fromkeys(params["formats"]))


def _items(params: Params) -> ConfigurationItems:
    path = params["configuration_items"] or ""
    if path and SERVICENOW.name not in (params["formats"] or ()):
        raise bad_option("configuration_items", f"only the format {SERVICENOW.name} has configuration_items")
    return read_configuration_items(path)


def _known(formats: tuple[str, ...], known: Mapping[str, Format], of: str) -> tuple[Format, ...]:
    for name in formats:
        if name not in known:
            raise bad_option("formats", f"{name} is no format of {of}; it has: {', '.join(known)}")
    return tuple(known[name] for name in formats)


def scan_report_spec() -> Spec:
    return {
        "run_dir": {"type": "path"},
        **access_spec(required=False),
        **summary_sha256_spec(),
        "decision": {"type": "path"},
        "decision_sha256": {"type": "str"},
        **cluster_name_spec(),
        "formats": {"type": "list", "elements": "str"},
        "output_dir": {"type": "path"},
        "configuration_items": {"type": "path"},
    }
