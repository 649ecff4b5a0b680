# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a cluster is scanned and judged, in one digest: where it is another one, a fleet run that goes on scans it again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError

from ..module_utils.results.producer import VERSION
from ..module_utils.secret_names import names_a_secret

# Variables of the role scan that say which cluster, what of it, how it is looked at, by what it is judged, and by which gate.
_NAMES = """
    kubeconfig context host kubeconfig_secret hub_kubeconfig hub_context
    namespaces namespace_selectors exclude_namespaces label_selectors field_selectors workloads exclude_workloads pods
    exclude_pods containers exclude_containers images exclude_images container_kinds finished_pods replicas limit allow_empty
    approach approaches prefer cross_check forbidden_approaches keep_facts drift drift_paths due_only due_after
    profiles inputs waivers attestations exception_policy threshold max_age baseline teams deadlines
"""
_FILES = ("profiles", "waivers", "attestations", "exception_policy", "threshold", "teams", "deadlines")
_MOST_FILES = 1000
_MOST_BYTES = 16 * 1024 * 1024


def scan_terms(
    variables: Mapping[str, Any], template: Callable[[Any], Any], find: Callable[[str], str]
) -> str:
    """SHA-256 in hexadecimal digits. Values whose names are those of secrets are left out.

    :param variables: of the host
    :param template: makes of a variable's text its value
    :param find: gives the path that a name of a file stands for
    """
    digest = hashlib.sha256(VERSION.encode())
    for short in _NAMES.split():
        name = f"scan_{short}"
        if name not in variables:
            continue
        try:
            value = template(variables[name])
        # a variable that cannot be made out fails the scan, not the turn
        except AnsibleError as problem:
            value = type(problem).__name__
        text = json.dumps([name, _public(value)], sort_keys=True, default=str)
        digest.update(text.encode())
        if short in _FILES:
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, str) and one:
                    # a file that cannot be read fails the scan, too
                    with suppress(OSError, ValueError):
                        for content in _contents(Path(find(one))):
                            digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


def _public(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _public(item) for name, item in value.items() if not names_a_secret(str(name))}
    return [_public(item) for item in value] if isinstance(value, (list, tuple)) else value


def _contents(path: Path) -> Iterator[bytes]:
    """Name and beginning of the file, or of all files in the folder; nothing where there is none."""
    for file in [path, *sorted(path.rglob("*"))][:_MOST_FILES]:
        if file.is_file():
            with file.open("rb") as stream:
                yield os.fsencode(file.relative_to(path)) + b"\n" + stream.read(_MOST_BYTES)
