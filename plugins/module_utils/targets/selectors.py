# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Selectors that the API server applies, and which option it refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import ScanError
from .workloads import ReadsObjects

# option -> (parameter of a list request, its value)
Selectors = Mapping[str, tuple[str, str]]


def list_selected(client: ReadsObjects, path: str, selectors: Selectors) -> Iterator[dict[str, Any]]:
    """The items of a list that meet the selectors, page by page.

    :raises ScanError: bad_option, naming the option that the API server refused; otherwise as the client
    """
    try:
        yield from client.list_items(path, dict(selectors.values()))
    except ScanError as error:
        if error.reason != "invalid_request" or not selectors:
            raise
        option = _refused_option(client, path, selectors)
        raise ScanError(
            "bad_option",
            f"{selectors[option][1][:300]!r}: {error.message}",
            tried=f"reading the option {option}",
            cause="The API server does not understand the selector.",
        ) from error


def _refused_option(client: ReadsObjects, path: str, selectors: Selectors) -> str:
    """Try each selector alone, except the last: if the others are understood, it must be that one."""
    *others, last = selectors
    for option in others:
        parameter, value = selectors[option]
        try:
            next(client.list_items(path, {parameter: value}, page_size=1), None)
        except ScanError as error:
            if error.reason == "invalid_request":
                return option
            raise
    return last
