# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the programs of the cluster from the pins in programs/go.mod, once, into the cache."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .failure import ClusterError, say
from .places import SOURCES, cache
from .processes import run

MODULE = SOURCES / "programs"
KUBERNETES_VERSION = re.findall(
    r"^\tk8s\.io/kubernetes (v\S+)", (MODULE / "go.mod").read_text(), re.MULTILINE
)[0]
_MAJOR, _MINOR = KUBERNETES_VERSION[1:].split(".")[:2]
# Without its version a server calls itself v0.0.0, and clients misjudge what it can do.
_VERSION_FLAGS = " ".join(
    f"-X k8s.io/component-base/version.{variable}={value}"
    for variable, value in (("gitVersion", KUBERNETES_VERSION), ("gitMajor", _MAJOR), ("gitMinor", _MINOR))
)
FLAGS = ["-mod=readonly", "-trimpath", "-ldflags", f"-s -w {_VERSION_FLAGS}"]
GO_ENVIRONMENT = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"}
PROGRAMS = (
    "bridge",
    "containerd",
    "containerd-shim-runc-v2",
    "ctr",
    "host-local",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubectl",
    "kubelet",
    "loopback",
    "server",  # etcd: the package is called so
)
OLDER_BUILDS_KEPT = 2
PROGRESS_SECONDS = 10.0


def folder() -> Path:
    """Where the programs of these pins, flags and Go version lie, built or not. Raises ClusterError without Go."""
    content = hashlib.sha256()
    for part in ("go.mod", "go.sum"):
        content.update((MODULE / part).read_bytes())
    content.update(json.dumps([FLAGS, sorted(GO_ENVIRONMENT.items()), go_identity()]).encode())
    return cache() / "programs" / content.hexdigest()[:16] / "bin"


def build() -> Path:
    """The folder of the programs; they are built first where they are not there yet (minutes, once)."""
    target = folder()
    if _complete(target):
        return target
    builds = target.parent.parent
    builds.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(builds / "lock"):
        if not _complete(target):
            _build_into(target)
            _remove_older_builds(builds, keep=target.parent)
    return target


def go_identity() -> list[str]:
    """Version, system and architecture of Go. Raises ClusterError without Go."""
    if shutil.which("go") is None:
        raise ClusterError(
            "Go is missing; the programs of the cluster are built with it (version: see go.mod)."
        )
    answer = _go(["env", "GOVERSION", "GOOS", "GOARCH"])
    return answer.split()


def _go(arguments: list[str]) -> str:
    done = run("go", *arguments, folder=MODULE, environment={**os.environ, **GO_ENVIRONMENT})
    if done.returncode != 0:
        raise ClusterError(f"go {' '.join(arguments)} failed: {done.stderr.strip()}")
    return done.stdout


def _complete(target: Path) -> bool:
    return all((target / program).is_file() for program in PROGRAMS)


@contextmanager
def _one_at_a_time(lock: Path) -> Iterator[None]:
    with lock.open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another build of the cluster's programs is running; waiting for it")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _build_into(target: Path) -> None:
    """Build beside the final place and rename, so that a broken build is never taken for a whole one."""
    say(
        f"Building Kubernetes {KUBERNETES_VERSION}, etcd, containerd and CNI plugins, once: about 7 minutes "
        "on 2 cores"
    )
    started = time.monotonic()
    draft = target.parent.with_name(f"{target.parent.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.joinpath("bin").mkdir(parents=True)
    log = draft.parent / "build.log"
    with log.open("w") as messages:
        process = subprocess.Popen(
            ["go", "build", "-v", *FLAGS, "-o", f"{draft / 'bin'}{os.sep}", "tool"],
            cwd=MODULE,
            env={**os.environ, **GO_ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            stdout=messages,
            stderr=messages,
        )
        try:
            _show_progress(process, log, started)
        finally:
            process.kill()
            process.wait()
    if process.returncode != 0:
        raise ClusterError(
            f"The build of the cluster's programs failed (go ended with {process.returncode}).", log
        )
    if not _complete(draft / "bin"):
        raise ClusterError(f"The build ended well but not every program is in {draft / 'bin'}.", log)
    shutil.rmtree(target.parent, ignore_errors=True)
    draft.rename(target.parent)
    say(f"Built in {time.monotonic() - started:.0f} s: {target}")


def _show_progress(process: subprocess.Popen[bytes], log: Path, started: float) -> None:
    """A line every few seconds until the process ends: what go has printed so far, counted."""
    expected: dict[str, int] = {}
    counter = threading.Thread(target=lambda: expected.update(packages=_packages_in_all()), daemon=True)
    while True:
        try:
            process.wait(PROGRESS_SECONDS)
            return
        except subprocess.TimeoutExpired:
            lines = log.read_text(errors="replace").splitlines()
        fetched = sum(line.startswith("go: downloading ") for line in lines)
        compiled = len(lines) - fetched
        if compiled and not counter.ident:
            counter.start()  # only now are all modules there, which the count needs
        of_all = f" of {expected['packages']}" if "packages" in expected else ""
        seconds = time.monotonic() - started
        say(f"  {seconds:4.0f} s: {fetched} modules fetched, {compiled}{of_all} packages compiled")


def _packages_in_all() -> int:
    return len(_go(["list", "-deps", "tool"]).splitlines())


def _remove_older_builds(builds: Path, keep: Path) -> None:
    older = sorted(
        (entry for entry in builds.iterdir() if entry.is_dir() and entry != keep),
        key=lambda entry: entry.stat().st_mtime,
        reverse=True,
    )
    for entry in older[OLDER_BUILDS_KEPT:]:
        say(f"Removing an older build: {entry}")
        shutil.rmtree(entry)
