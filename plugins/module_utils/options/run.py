# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of modules that read the folder of a run, or write one, and the name of the cluster that it is about."""

from __future__ import annotations

import re

from .spec import Params, Spec, bad_option

_SHA256 = re.compile(r"[0-9a-f]{64}")


def summary_sha256_option(params: Params) -> str:
    """The SHA-256 of the run's summary, empty where it is not given. :raises ScanError: bad_option"""
    return sha256_option(params, "summary_sha256")


def sha256_option(params: Params, name: str) -> str:
    """A SHA-256, empty where it is not given. :raises ScanError: bad_option"""
    given: str = params[name] or ""
    if given and not _SHA256.fullmatch(given):
        raise bad_option(name, "it must be 64 hexadecimal digits in lower case")
    return given


def summary_sha256_spec() -> Spec:
    return {"summary_sha256": {"type": "str"}}


def cluster_name_option(params: Params) -> str:
    """What the cluster is called in results, empty where it is not given. :raises ScanError: bad_option"""
    given: str = params.get("cluster_name") or ""
    if given != given.strip() or not given.isprintable():
        raise bad_option("cluster_name", f"{given[:100]!r} begins or ends with a blank, or cannot be printed")
    return given


def cluster_name_spec() -> Spec:
    return {"cluster_name": {"type": "str"}}


def shared_folder_spec() -> Spec:
    return {"allow_shared_folder": {"type": "bool", "default": False}}
