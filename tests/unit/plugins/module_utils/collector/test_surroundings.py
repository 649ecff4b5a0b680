# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the mounts of a target tell: which of them belong to every container, to the pod, or to a program that hides
something."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.surroundings import (
    Surroundings,
    read_surroundings,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError

ROOT = "0:40 / / overlay"
PROC = "0:41 / /proc proc"
KUBELETS = (
    "8:1 /pods/1/etc-hosts /etc/hosts ext4",
    "8:1 /sandboxes/1/hostname /etc/hostname ext4",
    "8:1 /sandboxes/1/resolv.conf /etc/resolv.conf ext4",
)
TOKEN = "0:50 / /run/secrets/kubernetes.io/serviceaccount tmpfs"
COPIED = "8:1 /lib/containerd/snapshots/7/fs / ext4"


def read(
    *mounts: str, volumes: tuple[str, ...] | None = (), is_beside: bool = True, said: str = ""
) -> Surroundings:
    lines = [*(f"mount={mount}" for mount in mounts), *said.split()]
    return read_surroundings([line.encode() for line in lines], is_beside=is_beside, mount_paths=volumes)


def refused(*mounts: str, **changes: object) -> str:
    with pytest.raises(ScanError) as error:
        read(*mounts, **changes)  # type: ignore[arg-type]
    assert error.value.reason == "target_unreadable" and error.value.advice == "Scan the target by its image."
    return error.value.message


@pytest.mark.parametrize(
    "root", [ROOT, COPIED, "0:33 /pod1/rootfs / virtiofs", "0:33 /snapshots/7/fs / overlay"]
)
def test_what_every_container_has_is_nothing_to_tell(root: str) -> None:
    assert read(root, PROC, *KUBELETS).unexplained_mounts == ()


@pytest.mark.parametrize(
    ("volume", "mount"),
    [
        ("/etc/app", "8:1 /pods/1/volumes/x /etc/app ext4"),
        ("/etc/app/", "8:1 /pods/1/volumes/x /etc/app ext4"),
        ("/etc", "8:1 /etc /etc ext4"),
        ("/usr", "8:1 /usr /usr ext4"),
        ("/lib/modules", "8:1 /lib/modules /usr/lib/modules ext4"),
        ("/bin", "8:1 /x /usr/bin ext4"),
        ("/var/lib/kubelet", "0:99 / /var/lib/kubelet/pods tmpfs"),
        ("/etc/../usr/lib", "8:1 /x /usr/lib ext4"),
    ],
)
def test_what_a_volume_of_the_pod_brings_is_nothing_to_tell(volume: str, mount: str) -> None:
    assert read(ROOT, PROC, mount, volumes=("/data", volume)).unexplained_mounts == ()
    assert read(ROOT, PROC, mount, volumes=None).unexplained_mounts == ()


@pytest.mark.parametrize(
    "mount",
    [
        "8:1 /userdata/passwd /etc/passwd ext4",
        "8:1 /usr/bin/nvidia-smi /usr/bin/nvidia-smi ext4",
        "8:1 /containers/1/volumes/2 /var/lib/mysql ext4",
        "0:60 / /opt tmpfs",
        "8:1 /lib/containerd/containers/1/volumes/2 /etc/gitlab ext4",
    ],
)
@pytest.mark.parametrize("root", [ROOT, COPIED])
def test_what_a_runtime_or_a_device_plugin_brings_is_told(root: str, mount: str) -> None:
    assert read(root, PROC, mount, volumes=("/data",)).unexplained_mounts == (mount.split()[2],)


@pytest.mark.parametrize(
    ("root", "mount", "message"),
    [
        (ROOT, "0:40 /clean/etc /etc overlay", "mounted at '/etc'"),
        (ROOT, "0:77 / /usr/lib64 tmpfs", "mounted at '/usr/lib64'"),
        (ROOT, "0:77 / /var/lib/dpkg overlay", "mounted at '/var/lib/dpkg'"),
        (ROOT, "0:40 /clean/passwd /etc/passwd overlay", "'/clean/passwd' of its own files"),
        (COPIED, "8:1 /lib/containerd/snapshots/7/fs/clean /etc/ssh ext4", "of its own files"),
        (ROOT, "0:40 /a\\040b /opt overlay", "'/a b' of its own files"),
        ("0:40 /clean / overlay", "0:51 / /opt tmpfs", "its root is the folder '/clean'"),
    ],
)
def test_what_only_a_program_of_the_container_can_have_mounted_is_refused(
    root: str, mount: str, message: str
) -> None:
    assert message in refused(root, PROC, mount, volumes=("/data",))
    assert message in refused(root, PROC, mount, volumes=("/etc2", "/data"), is_beside=False)


def test_a_root_without_proc_is_not_that_of_a_container() -> None:
    for mounts in ((ROOT,), (PROC,), (ROOT, "0:40 /clean/proc /proc overlay"), ()):
        assert "the root of its main process" in refused(*mounts)
        assert read(*mounts, is_beside=False) == Surroundings()


@pytest.mark.parametrize("is_beside", [True, False])
@pytest.mark.parametrize("volumes", [("/data",), None])
def test_more_mounts_than_are_told_are_refused(is_beside: bool, volumes: tuple[str, ...] | None) -> None:
    """What is mounted over /etc can stand behind them."""
    others = [f"0:60 / /usr/{number} tmpfs" for number in range(198)]
    assert "more is mounted" in refused(ROOT, PROC, *others, "many", volumes=volumes, is_beside=is_beside)


@pytest.mark.parametrize(
    "mount",
    ["unread", "", "0:40 / /", "0:40 relative / overlay", "x / / overlay", "0:40 / / overlay more"],
)
def test_mounts_that_cannot_be_read_are_refused_from_beside_alone(mount: str) -> None:
    assert "cannot be read" in refused(ROOT, PROC, mount)
    assert read(mount, is_beside=False) == Surroundings()


def test_a_shell_of_the_targets_own_is_never_called_protected() -> None:
    assert read(ROOT, PROC, said="protected=yes").shell_protected == "yes"
    assert read(ROOT, PROC, said="protected=no").shell_protected == "no"
    assert read(ROOT, PROC, said="protected=perhaps").shell_protected == "unknown"
    assert read(ROOT, PROC, said="protected=yes", is_beside=False).shell_protected == "unknown"


def test_who_stops_the_shell_is_refused() -> None:
    assert "was stopped" in refused(ROOT, PROC, said="stopped=yes")
