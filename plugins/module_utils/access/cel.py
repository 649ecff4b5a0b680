# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Expressions of CEL, the language of admission policies, as texts. They are those of Kubernetes 1.30."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rule:
    """A CEL expression that must be true, and what is said where it is not."""

    expression: str
    message: str


def literal(value: Any) -> str:
    """JSON's strings and lists are CEL's, too. What a list holds is of one type."""
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def only_keys(value: str, keys: Sequence[str]) -> str:
    """Whether an object that is there has no other fields than these. It holds for fields that the API server
    of a later Kubernetes knows, too: to CEL an object of a request is a map of the fields that are set.

    :param value: an expression
    """
    # dyn: with the object's schema in sight, the API server's check of types takes it for no map
    return f"dyn({value}).all(k, k in {literal(tuple(keys))})"


def at_most_keys(value: str, keys: Sequence[str]) -> str:
    """The same of an object that can be missing; `value` is a path such as object.spec.affinity."""
    return f"(!has({value}) || {only_keys(value, keys)})"


def every(parts: Iterable[str]) -> str:
    """Whether all of them are true."""
    return " && ".join(parts)
