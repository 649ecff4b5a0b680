# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a message says of a name that is not known: the nearest known one, and what is expected."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable


def unknown_name(word: str, name: object, known: Iterable[str], expected: str = "") -> str:
    """For example: unknown key 'titel', did you mean 'title'? Expected one of name, title

    :param word: what the name is of: key, input, resource
    :param expected: said in place of the known names, where they are too many
    """
    names = sorted(known)
    if not expected:
        expected = f"one of {', '.join(names)}" if names else "none"
    return f"unknown {word} '{name}'{nearest(str(name), names, 'expected')} {expected}"


def nearest(name: str, known: Collection[str], then: str) -> str:
    """What stands between an unknown name and the word `then`: a question with the nearest known name, if one
    is near."""
    return asked(near_name(name, known), then)


def asked(meant: str, then: str) -> str:
    """The same for a name that is perhaps `meant`; empty where none is."""
    return f"{did_you_mean(meant)} {then.capitalize()}" if meant else f"; {then}"


def question(name: str, known: Collection[str]) -> str:
    """For example: `, did you mean 'title'?`; empty where no known name is near."""
    return did_you_mean(near_name(name, known))


def did_you_mean(meant: str) -> str:
    """The question with that name; empty for none."""
    return f", did you mean '{meant}'?" if meant else ""


def near_name(name: str, known: Collection[str]) -> str:
    """The nearest known name; empty where none is near."""
    return next(iter(difflib.get_close_matches(name, known, 1, 0.6)), "")
