# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel parameters as they are seen in the container: kernel_parameter."""

from __future__ import annotations

from typing import Any

from ...collector.facts import Query
from ..resource import Attribute, Parameter, Params, Resource, View, attributes_by_name, present
from ..value_types import BOOLEAN, SCALAR, TEXT


def _query(params: Params) -> Query:
    return Query("sysctl", params["name"])


def _read(view: View) -> Any:
    return view.value(_query(view.params))


RESOURCES = (
    Resource(
        "kernel_parameter",
        "One kernel parameter below /proc/sys.",
        lambda params: "Kernel Parameter {}".format(params["name"]),
        lambda params: "for {}".format(params["name"]),
        attributes_by_name(
            Attribute(
                "exist",
                BOOLEAN,
                "Whether the kernel shows it in the container.",
                lambda view: present(_read(view)),
                lambda params: (_query(params),),
                predicate="exist",
            ),
            Attribute(
                "value",
                SCALAR,
                "Its value; several numbers are one text.",
                _read,
                lambda params: (_query(params),),
                called=lambda params: str(params["name"]),
            ),
        ),
        subject=Parameter("name", TEXT, "Dotted name, such as kernel.randomize_va_space.", required=True),
    ),
)
