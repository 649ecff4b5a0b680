# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scan by ansible-navigator, in an image or without one."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..environment.python_environment import ensure_environment

_REQUIREMENTS = pathlib.Path(__file__).resolve().parents[1] / "navigator" / "requirements.txt"


@dataclass(frozen=True)
class NavigatorRun:
    """How it ended, what it printed, and the artifact that it saved."""

    status: int
    output: str
    artifact: Mapping[str, Any]


def programs() -> pathlib.Path:
    """The folder of its programs."""
    return ensure_environment(_REQUIREMENTS, sys.executable) / "bin"


def navigator_version() -> str:
    done = subprocess.run(
        [programs() / "ansible-navigator", "--version"], check=True, text=True, stdout=subprocess.PIPE
    )
    return done.stdout.split()[-1]


def navigate(
    folder: pathlib.Path,
    playbook: str,
    host: Mapping[str, Any],
    *options: str,
    environ: Mapping[str, str] | None = None,
) -> NavigatorRun:
    """Runs a playbook over one cluster in a project of its own.

    :param host: the variables of the inventory's one host
    :param options: further options of ansible-navigator
    """
    (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": {"sample": dict(host)}}}))
    (folder / "play.json").write_text(json.dumps([{"ansible.builtin.import_playbook": playbook}]))
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHON"))}
    clean.update(environ or {}, PATH=f"{programs()}:{os.environ['PATH']}")
    artifact = folder / "artifact.json"
    done = subprocess.run(
        [
            *(programs() / "ansible-navigator", "run", "play.json", "-i", "inventory.json"),
            *("--mode", "stdout", "--playbook-artifact-save-as", str(artifact)),
            *("--log-file", str(folder / "navigator.log"), *options),
        ],
        cwd=folder,
        env=clean,
        check=False,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=600,
    )
    saved = json.loads(artifact.read_text()) if artifact.exists() else {}
    return NavigatorRun(done.returncode, done.stdout, saved)
