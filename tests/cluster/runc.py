# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""runc, built once from the pins in programs/runc/go.mod: Debian's is too old to map the owners of files (user namespaces)."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from . import debian_packages, programs
from .failure import ClusterError, say
from .places import cache
from .processes import run

_MODULE = programs.MODULE / "runc"
# as its makers link it: with seccomp, and whole, so that it runs in any mount namespace
_FLAGS = [
    "-mod=readonly",
    "-trimpath",
    "-tags",
    "seccomp netgo osusergo",
    "-ldflags",
    "-s -w -extldflags -static",
]
_ENVIRONMENT = {**programs.GO_ENVIRONMENT, "CGO_ENABLED": "1"}


def build() -> Path:
    """The program; built first where it is not there yet. Raises ClusterError where that fails."""
    content = hashlib.sha256("\n".join([*_FLAGS, *programs.go_identity()]).encode())
    for part in ("go.mod", "go.sum"):
        content.update((_MODULE / part).read_bytes())
    program = cache() / "runc" / content.hexdigest()[:16] / "runc"
    if program.exists():
        return program
    debian_packages.ensure(["gcc", "pkg-config", "/usr/include/seccomp.h"])
    say("Building runc, once")
    program.parent.mkdir(parents=True, exist_ok=True)
    draft = program.with_name(f"draft-{os.getpid()}")
    command = ("go", "build", *_FLAGS, "-o", draft, "github.com/opencontainers/runc")
    built = run(*command, folder=_MODULE, environment={**os.environ, **_ENVIRONMENT})
    if built.returncode != 0:
        raise ClusterError(f"runc could not be built: {built.stderr.strip()[-2000:]}")
    draft.replace(program)  # a broken build is never taken for a whole one
    return program
