# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parses YAML by libyaml, if PyYAML has it: the shipped profiles then take a seventh of the time.

A text that libyaml refuses or reads differently is parsed by PyYAML, so that a profile means the same
everywhere. The nodes are put together in Python, whose recursion has a limit.
"""

from __future__ import annotations

from typing import Any

try:
    import yaml
except ImportError:  # only the machine that loads profiles needs it
    yaml = None  # type: ignore[assignment,unused-ignore]

try:
    from yaml.composer import Composer
    from yaml.cyaml import CParser  # type: ignore[attr-defined, unused-ignore]
    from yaml.resolver import Resolver

    class _QuickLoader(Composer, CParser, Resolver):
        def __init__(self, stream: Any) -> None:
            CParser.__init__(self, stream)
            Composer.__init__(self)
            Resolver.__init__(self)

    _HAS_LIBYAML = True
except ImportError:
    _HAS_LIBYAML = False

# libyaml accepts tabs that PyYAML refuses, and does not count a byte order mark as a character.
_READ_DIFFERENTLY = ("\t", "\ufeff")


def compose(text: str) -> Any:
    """The root node with its marks; None for an empty text.

    :raises yaml.YAMLError: as yaml.compose
    :raises RecursionError: as yaml.compose
    """
    if _HAS_LIBYAML and not any(character in text for character in _READ_DIFFERENTLY):
        try:
            return yaml.compose(text, Loader=_QuickLoader)  # type: ignore[arg-type, unused-ignore]
        except yaml.YAMLError:
            pass  # said below in PyYAML's words
    return yaml.compose(text, Loader=yaml.SafeLoader)
