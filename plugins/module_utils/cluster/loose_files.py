# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that decide whom a task trusts and what it runs, and that others on the machine can read or change.

kubectl looks at no modes: it takes such a kubeconfig, and runs the program that its exec plugin names. So do we,
because it is the operator's file; but the operator is told.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path

from ..path_owners import who_can_change


def loose_kubeconfigs(files: Iterable[Path], program: str) -> list[str]:
    """Warnings about kubeconfig files that others can read or change.

    :param program: the command of the exec plugin that is run as it stands in them, "" for none
    """
    warnings = []
    for file in files:
        changers = who_can_change(file)
        if changers and program:
            warnings.append(
                f"{changers} can change {file}, which names a program that this task runs as its own user "
                f"({program}). kubectl runs it without a word. Make the file yours alone (chmod 600)."
            )
        elif changers:
            warnings.append(
                f"{changers} can change {file}, and so choose the server that your credential is sent to, and name "
                "a program that this task would run. kubectl takes it without a word. Make the file yours alone "
                "(chmod 600)."
            )
        elif _is_readable_by_others(file):
            warnings.append(
                f"Other users can read {file}, and so the credential in it. kubectl takes it without a word. Make "
                "the file yours alone (chmod 600)."
            )
    return warnings


def loose_program(program: Path) -> list[str]:
    """A warning about the program of an exec plugin that others can change."""
    changers = who_can_change(program)
    if not changers:
        return []
    return [
        f"{changers} can change the program {program}, which this task runs as its own user, because the exec "
        "plugin of the kubeconfig names it. kubectl runs it without a word. Let only its owner write to it and to "
        "its folder."
    ]


def _is_readable_by_others(file: Path) -> bool:
    try:
        return bool(file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
    except OSError:
        return False
