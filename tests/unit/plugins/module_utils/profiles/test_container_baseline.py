# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shipped profile container-baseline: each control passes, fails and is Not Reviewed where it should."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.collect import read_facts
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Fact, Facts
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.request import make_request
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.script import build_script
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.evaluation import evaluate
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.queries import required_queries
from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles.loader import load_profile
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.evidence import (
    EvaluationContext,
)
from ansible_collections.securescan.kubernetes.tests.support.verdict_words import status_of

PROFILES = Path(__file__).resolve().parents[5] / "profiles"
STAT = {"type": "file", "mode": 0o644, "uid": 0, "gid": 0, "size": 9, "mtime": 0, "link_target": None}
ABSENT = Fact("absent", cause="")
UNREADABLE = Fact("unreadable", cause="it cannot be opened for reading")


def walk(*paths):
    return {"entries": [{"path": path} for path in paths], "complete": True, "unreadable": 0, "closed": 0}


def walk_past(closed, *paths, searchable=0):
    """A walk past so many closed directories, and past others that can be searched but not be listed."""
    found = dict(walk(*paths), complete=False, unreadable=closed + searchable, closed=closed)
    return Fact("unreadable", found, "find ended with 1") if searchable else Fact("ok", found)


def user(name, uid, password="shadow"):
    return {
        "name": name,
        "password": password,
        "uid": uid,
        "gid": uid,
        "gecos": "",
        "home": "/",
        "shell": "/usr/sbin/nologin",
    }


def secret(name, password):
    return dict.fromkeys(("last_change", "min", "max", "warn", "inactive", "expire"), None) | {
        "name": name,
        "password": password,
    }


def package(name, installed=True):
    return {"name": name, "version": "1.0", "arch": "amd64", "installed": installed}


def mount(path, fstype, *options):
    return {"mount_point": path, "fstype": fstype, "source": fstype, "options": list(options), "root": "/"}


def group(name, gid, *members):
    return {"name": name, "gid": gid, "members": list(members)}


OF_FILES = [group("shadow", 42), group("staff", 50), group("ssl-cert", 101)]
DIRECTORY = dict(STAT, type="directory", mode=0o755)
MISSING = [  # what an image should not bring, nor the runtime or a volume
    "/app/.env",
    "/app/.git",
    "/.dockercfg",
    "/.env",
    "/.git",
    "/Dockerfile",
    "/dev/dm-0",
    "/dev/kmem",
    "/dev/kmsg",
    "/dev/mem",
    "/dev/nvme0n1",
    "/dev/port",
    "/dev/sda",
    "/dev/vda",
    "/dev/xvda",
    "/etc/kubernetes/admin.conf",
    "/etc/kubernetes/controller-manager.conf",
    "/etc/kubernetes/kubelet.conf",
    "/etc/kubernetes/pki",
    "/etc/kubernetes/scheduler.conf",
    "/etc/kubernetes/super-admin.conf",
    "/etc/rancher",
    "/etc/ssh/ssh_host_dsa_key",
    "/etc/ssh/ssh_host_ecdsa_key",
    "/etc/ssh/ssh_host_ed25519_key",
    "/etc/ssh/ssh_host_rsa_key",
    "/root/.aws/credentials",
    "/root/.docker/config.json",
    "/root/.git-credentials",
    "/root/.kube/config",
    "/root/.netrc",
    "/root/.rhosts",
    "/root/.ssh/authorized_keys",
    "/root/.ssh/id_ed25519",
    "/root/.ssh/id_rsa",
    "/usr/bin/doas",
    "/usr/bin/pkexec",
    "/usr/bin/sudo",
    "/var/lib/etcd",
    "/var/lib/k0s",
    "/var/lib/kubelet",
    "/var/lib/rancher",
    "/var/snap/microk8s",
]

SOCKETS = [
    "/var/snap/microk8s/common/run/containerd.sock",
    *(
        f"{folder}/{name}"
        for folder in ("/run", "/var/run")
        for name in (
            "docker.sock",
            "containerd/containerd.sock",
            "crio/crio.sock",
            "podman/podman.sock",
            "cri-dockerd.sock",
            "k3s/containerd/containerd.sock",
            "k0s/containerd.sock",
        )
    ),
]
NO_CONTENT = ["/etc/ld.so.preload", "/etc/hosts.equiv", "/etc/shosts.equiv"]
CREDENTIALS = [path for path in MISSING if path.startswith("/root/")]
READABLE = {"readable": True, "refusal": ""}
REFUSED = {"readable": False, "refusal": "no permission to search /root"}

# What the collector sees in a Debian container that is as it should be, run as user 1000.
GOOD = {
    **{"file:" + path: ABSENT for path in (*MISSING, *SOCKETS)},
    **{"content:" + path: ABSENT for path in NO_CONTENT},
    **{"environment_value:" + name: ABSENT for name in ("LD_PRELOAD", "LD_AUDIT")},
    **{"readable:" + path: ABSENT for path in CREDENTIALS},
    "readable:/etc/shadow": READABLE,
    "file:/etc/passwd": STAT,
    "file:/etc/group": STAT,
    "file:/etc/shadow": dict(STAT, mode=0o640, gid=42),
    "file:/etc/passwd-": dict(STAT, mode=0o600),
    "file:/etc/shadow-": dict(STAT, mode=0o600),
    "file:/etc/gshadow": dict(STAT, mode=0o640, gid=42),
    "file:/etc/login.defs": STAT,
    "file:/etc/crontab": STAT,
    "content:/etc/login.defs": b"UMASK\t027\nENCRYPT_METHOD YESCRYPT\n",
    **{
        "file:" + path: DIRECTORY
        for path in (
            "/",
            "/etc",
            "/bin",
            "/sbin",
            "/usr/bin",
            "/usr/sbin",
            "/usr/local/bin",
            "/usr/local/sbin",
            "/etc/cron.d",
            "/var/log",
        )
    },
    "file:/tmp": dict(DIRECTORY, mode=0o1777),
    "file:/etc/ssl/private": dict(DIRECTORY, mode=0o710, gid=101),
    "file:/proc/kcore": dict(STAT, type="character_device"),
    "file:/proc/keys": dict(STAT, type="character_device"),
    "walk:/[match=setuid]": walk("/usr/bin/su", "/usr/bin/passwd"),
    "walk:/[match=setgid]": walk("/usr/bin/chage", "/usr/sbin/unix_chkpwd"),
    "walk:/[match=world_writable]": walk(),
    **{f"walk:{path}[match=unowned]": walk() for path in ("/etc", "/opt", "/srv", "/usr")},
    **{f"walk:/[match=named,name={name}]": walk() for name in (".rhosts", ".shosts", "doas", "pkexec")},
    "walk:/[match=named,name=sudo]": walk("/etc/pam.d/sudo"),
    "passwd": [user("root", 0), user("daemon", 1, "disabled"), user("app", 1000, "locked")],
    "group": [group("root", 0, "root"), group("app", 1000, "app"), *OF_FILES],
    "shadow": [secret("root", "disabled"), secret("daemon", "disabled"), secret("app", "yescrypt")],
    "packages": {
        "manager": "dpkg",
        "packages": [package("bash"), package("telnetd", installed=False), package("libc6")],
    },
    "processes": [
        {"pid": 1, "ppid": 0, "uid": 1000, "gid": 1000, "state": "S", "name": "app", "cmdline": ["/app"]}
    ],
    "sockets": [{"protocol": "tcp", "address": "0.0.0.0", "port": 8080, "uid": 1000}],
    "environment": ["DB_PASSWORD_FILE", "HOME", "KUBERNETES_SERVICE_HOST", "PATH", "TOKENIZER"],
    "sysctl:kernel.randomize_va_space": "2",
    "sysctl:net.ipv4.conf.all.accept_source_route": "0",
    "sysctl:fs.suid_dumpable": "0",
    "sysctl:kernel.dmesg_restrict": "1",
    "sysctl:kernel.unprivileged_bpf_disabled": "2",
    "sysctl:net.ipv4.tcp_syncookies": "1",
    "sysctl:net.ipv4.icmp_echo_ignore_broadcasts": "1",
    "sysctl:net.ipv4.icmp_ignore_bogus_error_responses": "1",
    "mounts": [
        mount("/", "overlay", "ro"),
        mount("/proc", "proc", "rw", "nosuid"),
        mount("/dev", "tmpfs", "rw", "nosuid"),
        mount("/dev/shm", "tmpfs", "rw", "nosuid", "nodev", "noexec"),
        mount("/sys", "sysfs", "ro", "nosuid"),
        mount("/sys/fs/cgroup", "cgroup2", "ro", "nosuid"),
        mount("/proc/sys", "proc", "ro", "nosuid"),
        mount("/proc/kcore", "tmpfs", "rw"),
        mount("/proc/keys", "tmpfs", "rw"),
    ],
}
GOOD_POD = {"metadata": {"name": "web", "namespace": "shop"}, "spec": {"containers": [{"name": "app"}]}}


def mounts(changed):
    """The good mounts with another one at its path; without one where only a path is given."""
    path = changed if isinstance(changed, str) else changed["mount_point"]
    rest = [entry for entry in GOOD["mounts"] if entry["mount_point"] != path]
    return {"mounts": rest if isinstance(changed, str) else [*rest, changed]}


def files(**changes):
    return {"file:" + path: dict(GOOD["file:" + path], **changes) for path in changes.pop("at")}


def processes(**changes):
    return {"processes": GOOD["processes"] + [dict(GOOD["processes"][0], pid=9, **changes)]}


def installed(name):
    return {"packages": {"manager": "dpkg", "packages": [package("bash"), package(name)]}}


def groups(*members, name="root", gid=0):
    root = [group("root", 0)] if gid else []
    return {"group": [*root, group(name, gid, *members), *OF_FILES]}


def pod(**spec):
    return {"metadata": GOOD_POD["metadata"], "spec": dict(GOOD_POD["spec"], **spec)}


HARDENED = pod(containers=[{"name": "app", "securityContext": {"allowPrivilegeEscalation": False}}])
BAD = {  # facts with which the control fails; each alone
    "cb-root-uid": [{"passwd": [user("root", 0), user("toor", 0)]}],
    "cb-passwd-passwords": [{"passwd": [user("root", 0, "empty")]}, {"passwd": [user("root", 0, "sha512")]}],
    "cb-shadow-passwords": [{"shadow": [secret("daemon", "empty")]}],
    "cb-password-hashes": [{"shadow": [secret("app", "md5")]}, {"shadow": [secret("app", "des")]}],
    "cb-unique-users": [{"passwd": [user("a", 1), user("b", 1)]}, {"passwd": [user("a", 1), user("a", 2)]}],
    "cb-unique-groups": [
        {"group": [group("a", 1), group("b", 1), *OF_FILES]},
    ],
    "cb-root-locked": [{"shadow": [secret("root", "yescrypt")]}],
    "cb-system-account-shells": [
        {"passwd": [dict(user("postgres", 70), shell="/bin/sh")]},
        {"passwd": [dict(user("postgres", 999), shell="")]},
    ],
    "cb-administrative-groups": [
        groups("app"),
        groups("root", "app", name="sudo", gid=27),
        {"passwd": [user("root", 0), dict(user("app", 1000), gid=27)], **groups(name="sudo", gid=27)},
        {"passwd": [user("root", 0), dict(user("app", 1000), gid=0)]},
        {
            "passwd": [user("root", 0), dict(user("app", 1000), gid=0)],
            "group": [group("sudo", 27), *OF_FILES],
        },
    ],
    "cb-login-defaults-file": [
        files(at=["/etc/login.defs"], mode=0o666),
        files(at=["/etc/login.defs"], uid=1),
    ],
    "cb-login-hash-method": [
        {"content:/etc/login.defs": b"UMASK 077\nENCRYPT_METHOD MD5\n"},
        {"content:/etc/login.defs": b"UMASK 077\n# ENCRYPT_METHOD SHA512\n"},
    ],
    "cb-login-umask": [
        {"content:/etc/login.defs": b"UMASK 022\nENCRYPT_METHOD SHA512\n"},
        {"content:/etc/login.defs": b"ENCRYPT_METHOD SHA512\n"},
    ],
    "cb-trusted-hosts": [
        {"content:/etc/hosts.equiv": b"# trusted\n+\n"},
        {"content:/etc/hosts.equiv": b"\n  db.example.org postgres\n"},
        {"content:/etc/shosts.equiv": b"-other\nweb"},
        {"walk:/[match=named,name=.rhosts]": walk("/home/u/.rhosts")},
        {"walk:/[match=named,name=.shosts]": walk_past(1, "/srv/.shosts")},
    ],
    "cb-root-credentials": [{"readable:" + path: READABLE} for path in CREDENTIALS],
    "cb-root-credential-files": [{"file:" + path: STAT} for path in CREDENTIALS],
    "cb-passwd-file": [files(at=["/etc/passwd"], mode=0o664), files(at=["/etc/passwd"], uid=1000)],
    "cb-passwd-backup": [files(at=["/etc/passwd-"], mode=0o664), files(at=["/etc/passwd-"], gid=5)],
    "cb-group-file": [files(at=["/etc/group"], mode=0o646), files(at=["/etc/group"], gid=5)],
    "cb-shadow-file": [
        files(at=["/etc/shadow"], mode=0o644),
        files(at=["/etc/shadow"], uid=5),
        files(at=["/etc/shadow"], mode=0o640, gid=1000),
        files(at=["/etc/shadow"], mode=0o640, gid=4711),
    ],
    "cb-shadow-backup": [
        files(at=["/etc/shadow-"], mode=0o644),
        files(at=["/etc/shadow-"], uid=5),
        files(at=["/etc/shadow-"], mode=0o640, gid=1000),
        files(at=["/etc/shadow-"], mode=0o640, gid=4711),
    ],
    "cb-gshadow-file": [
        files(at=["/etc/gshadow"], mode=0o604),
        files(at=["/etc/gshadow"], uid=5),
        files(at=["/etc/gshadow"], mode=0o640, gid=1000),
        files(at=["/etc/gshadow"], mode=0o640, gid=4711),
    ],
    "cb-setuid-files": [
        {"walk:/[match=setuid]": walk("/usr/bin/su", "/home/u/backdoor")},
        {"walk:/[match=setuid]": walk_past(3, "/opt/app/helper")},
    ],
    "cb-setgid-files": [{"walk:/[match=setgid]": walk("/sbin/backdoor")}],
    "cb-privilege-tools": [
        *({"file:/usr/bin/" + name: STAT} for name in ("sudo", "doas", "pkexec")),
        {"walk:/[match=named,name=doas]": walk("/usr/local/sbin/doas")},
    ],
    "cb-root-directory": [files(at=["/"], mode=0o777), files(at=["/"], uid=1000)],
    "cb-configuration-directory": [files(at=["/etc"], mode=0o775), files(at=["/etc"], uid=1000)],
    "cb-program-directories": [
        files(at=["/usr/local/bin"], mode=0o757),
        files(at=["/bin"], uid=1000),
        files(at=["/sbin", "/usr/bin", "/usr/sbin"], uid=5),
        files(at=["/usr/local/bin"], mode=0o775, gid=1000),
        files(at=["/usr/local/sbin"], mode=0o2775, gid=50),
        files(at=["/usr/sbin"], mode=0o775),
    ],
    "cb-world-writable": [{"walk:/[match=world_writable]": walk("/app", "/app/run.sh")}],
    "cb-unowned-files": [{"walk:/usr[match=unowned]": walk("/usr/lib/x")}],
    "cb-temporary-directory": [files(at=["/tmp"], mode=0o777)],
    "cb-log-directory": [
        files(at=["/var/log"], mode=0o777),
        files(at=["/var/log"], uid=1000),
        files(at=["/var/log"], mode=0o775, gid=1000),
    ],
    "cb-cron-table": [files(at=["/etc/crontab"], mode=0o664), files(at=["/etc/crontab"], uid=1)],
    "cb-cron-directory": [files(at=["/etc/cron.d"], mode=0o775), files(at=["/etc/cron.d"], gid=1)],
    "cb-ssh-host-keys": [{"file:/etc/ssh/ssh_host_ed25519_key": STAT}],
    "cb-private-key-directory": [
        files(at=["/etc/ssl/private"], mode=0o755),
        files(at=["/etc/ssl/private"], uid=1),
        files(at=["/etc/ssl/private"], mode=0o750, gid=1000),
    ],
    "cb-build-leftovers": [{"file:" + path: STAT} for path in MISSING[:6]],
    "cb-preloaded-libraries": [
        {"content:/etc/ld.so.preload": b"/usr/lib/libx.so\n"},
        {"content:/etc/ld.so.preload": b"# ours\n\n : libx.so # why"},
        {"environment_value:LD_PRELOAD": "/usr/lib/libx.so"},
        {"environment_value:LD_AUDIT": "libx.so"},
    ],
    "cb-runtime-socket": [{"file:" + path: dict(STAT, type="socket")} for path in SOCKETS],
    "cb-node-credentials": [
        {"file:" + path: STAT}
        for path in MISSING
        if path.startswith(("/etc/kubernetes", "/etc/rancher", "/var/lib/", "/var/snap"))
    ],
    "cb-address-randomisation": [
        {"sysctl:kernel.randomize_va_space": "0"},
        {"sysctl:kernel.randomize_va_space": "1"},
    ],
    "cb-core-dumps": [{"sysctl:fs.suid_dumpable": "1"}],
    "cb-kernel-log": [{"sysctl:kernel.dmesg_restrict": "0"}],
    "cb-unprivileged-bpf": [{"sysctl:kernel.unprivileged_bpf_disabled": "0"}],
    "cb-source-routing": [{"sysctl:net.ipv4.conf.all.accept_source_route": "1"}],
    "cb-syn-cookies": [{"sysctl:net.ipv4.tcp_syncookies": "0"}],
    "cb-icmp-broadcasts": [{"sysctl:net.ipv4.icmp_echo_ignore_broadcasts": "0"}],
    "cb-icmp-errors": [{"sysctl:net.ipv4.icmp_ignore_bogus_error_responses": "0"}],
    "cb-root-file-system": [mounts(mount("/", "overlay", "rw"))],
    "cb-sysfs-read-only": [mounts(mount("/sys", "sysfs", "rw"))],
    "cb-cgroup-read-only": [
        mounts(mount("/sys/fs/cgroup", "cgroup2", "rw")),
        mounts(mount("/sys/fs/cgroup/memory", "cgroup", "rw")),
    ],
    "cb-kernel-settings-read-only": [mounts("/proc/sys"), mounts(mount("/proc/sys", "proc", "rw"))],
    "cb-kernel-memory-hidden": [mounts("/proc/kcore")],
    "cb-kernel-keys-hidden": [mounts("/proc/keys")],
    "cb-kernel-file-systems": [
        mounts(mount("/sys/kernel/debug", "debugfs", "rw")),
        mounts(mount("/sys/fs/bpf", "bpf", "rw")),
    ],
    "cb-shared-memory": [mounts(mount("/dev/shm", "tmpfs", "rw", "nosuid", "nodev"))],
    "cb-device-directory": [mounts("/dev"), mounts(mount("/dev", "devtmpfs", "rw"))],
    "cb-memory-devices": [{"file:/dev/" + name: STAT} for name in ("mem", "kmem", "port", "kmsg")],
    "cb-disk-devices": [{"file:/dev/" + name: STAT} for name in ("sda", "vda", "xvda", "nvme0n1", "dm-0")],
    "cb-forbidden-processes": [processes(name="sshd")],
    "cb-service-managers": [processes(name="crond"), processes(name="systemd")],
    "cb-main-process-user": [{"processes": [dict(GOOD["processes"][0], uid=0)]}, {"processes": []}],
    "cb-root-processes": [processes(uid=0)],
    "cb-forbidden-ports": [{"sockets": [{"protocol": "tcp6", "address": "::", "port": 22, "uid": 1000}]}],
    "cb-root-listeners": [{"sockets": [{"protocol": "udp", "address": "::", "port": 5353, "uid": 0}]}],
    "cb-secret-variables": [
        {"environment": ["DB_PASSWORD"]},
        {"environment": ["API_TOKEN"]},
        {"environment": ["AWS_SECRET_ACCESS_KEY"]},
        {"environment": ["apikey"]},
        *(
            {"environment": [name]}
            for name in ("MYSQL_PWD", "REDIS_AUTH", "accessToken", "STORAGE_ACCOUNT_KEY")
        ),
    ],
    "cb-forbidden-packages": [installed("telnetd")],
    "cb-build-tools": [installed("gcc"), installed("gdb")],
    "cb-network-tools": [installed("nmap"), installed("socat")],
}
# What a user that is not root is refused.
NOT_ROOT = {
    "shadow": UNREADABLE,
    "readable:/etc/shadow": dict(REFUSED, refusal="it cannot be opened for reading"),
    **{"file:" + path: UNREADABLE for path in CREDENTIALS},
    **{"readable:" + path: REFUSED for path in CREDENTIALS},
}
# A change that cannot be made without another control's failing too.
ALSO = {
    "cb-main-process-user": {"cb-root-processes"},
    "cb-root-uid": {"cb-unique-users", "cb-administrative-groups"},
    "cb-shadow-passwords": {"cb-password-hashes"},
}
# What makes a control Not Applicable instead.
NOT_APPLICABLE = {
    "cb-root-uid": {"file:/etc/passwd": ABSENT},
    "cb-system-account-shells": {"file:/etc/passwd": ABSENT},
    "cb-unique-groups": {"file:/etc/group": ABSENT},
    "cb-administrative-groups": {"file:/etc/group": ABSENT},
    "cb-shadow-passwords": {"file:/etc/shadow": ABSENT},
    "cb-root-locked": {"file:/etc/shadow": ABSENT},
    "cb-login-defaults-file": {"file:/etc/login.defs": ABSENT},
    "cb-login-hash-method": {"file:/etc/login.defs": ABSENT},
    "cb-login-umask": {"file:/etc/login.defs": ABSENT},
    "cb-passwd-file": {"file:/etc/passwd": ABSENT},
    "cb-passwd-backup": {"file:/etc/passwd-": ABSENT},
    "cb-group-file": {"file:/etc/group": ABSENT},
    "cb-shadow-file": {"file:/etc/shadow": ABSENT},
    "cb-shadow-backup": {"file:/etc/shadow-": ABSENT},
    "cb-gshadow-file": {"file:/etc/gshadow": ABSENT},
    "cb-configuration-directory": {"file:/etc": ABSENT},
    "cb-unowned-files": {"file:/etc/passwd": ABSENT},
    "cb-temporary-directory": {"file:/tmp": DIRECTORY},
    "cb-log-directory": {"file:/var/log": ABSENT},
    "cb-cron-table": {"file:/etc/crontab": ABSENT},
    "cb-cron-directory": {"file:/etc/cron.d": ABSENT},
    "cb-private-key-directory": {"file:/etc/ssl/private": ABSENT},
    "cb-unprivileged-bpf": {"sysctl:kernel.unprivileged_bpf_disabled": ABSENT},
    "cb-sysfs-read-only": mounts("/sys"),
    "cb-shared-memory": mounts("/dev/shm"),
    "cb-kernel-memory-hidden": {"file:/proc/kcore": ABSENT},
    "cb-kernel-keys-hidden": {"file:/proc/keys": ABSENT},
    "cb-forbidden-packages": {"packages": ABSENT},
    "cb-build-tools": {"packages": ABSENT},
    "cb-network-tools": {"packages": ABSENT},
    "cb-main-process-user": pod(shareProcessNamespace=True),
    "cb-root-processes": pod(hostPID=True),
}


@pytest.fixture(scope="module")
def profile():
    return load_profile("container-baseline", [PROFILES], {})


def judge(profile, facts=None, pod=None, container="app"):
    """Status of each control as readers of HDF compute it."""
    values = {
        key: value if isinstance(value, Fact) else Fact("ok", value)
        for key, value in {**GOOD, **(facts or {})}.items()
    }
    result = evaluate(
        profile, Facts(values), EvaluationContext({}, pod if pod is not None else GOOD_POD, container)
    )
    return {control.id: status_of(control) for control in result.controls}


def apply(profile, case):
    return judge(profile, pod=case) if "spec" in case else judge(profile, facts=case)


def test_a_good_container_passes_everything(profile):
    assert set(judge(profile).values()) == {"Passed"}
    assert {query.key for query in required_queries([profile])} == set(GOOD)


CLOSED = ["setuid", "setgid", "world_writable", "named,name=.rhosts", "named,name=sudo"]


def test_what_the_container_s_user_cannot_reach_does_not_count(profile):
    closed = {f"walk:/[match={match}]": walk_past(5) for match in CLOSED}
    assert set(judge(profile, closed).values()) == {"Passed"}


def test_a_directory_that_can_be_searched_and_not_be_listed_leaves_the_search_open(profile):
    unseen = {f"walk:/[match={match}]": walk_past(5, searchable=1) for match in CLOSED}
    names = (
        "cb-setuid-files",
        "cb-setgid-files",
        "cb-world-writable",
        "cb-trusted-hosts",
        "cb-privilege-tools",
    )
    others = {name: status for name, status in judge(profile, unseen).items() if status != "Passed"}
    assert others == dict.fromkeys(names, "Not Reviewed")


@pytest.mark.parametrize(
    ("path", "mode", "gid", "status"),
    [
        ("/etc/shadow", 0o600, 0, "Passed"),
        ("/etc/shadow", 0o640, 42, "Passed"),
        ("/etc/shadow", 0o640, 1000, "Failed"),
        ("/usr/local/bin", 0o755, 1000, "Passed"),
        ("/usr/local/bin", 0o2775, 50, "Failed"),
        ("/var/log", 0o775, 110, "Passed"),
        ("/var/log", 0o775, 4711, "Failed"),
        ("/etc/ssl/private", 0o700, 0, "Passed"),
    ],
)
def test_a_group_counts_where_it_is_allowed_to_do_something(profile, path, mode, gid, status):
    groups = [*GOOD["group"], group("syslog", 110)]
    found = judge(profile, {"group": groups, **files(at=[path], mode=mode, gid=gid)})
    assert {"/etc/shadow": found["cb-shadow-file"], "/usr/local/bin": found["cb-program-directories"]}.get(
        path, found["cb-log-directory" if path == "/var/log" else "cb-private-key-directory"]
    ) == status


def test_group_0_is_root_s_where_no_database_names_it(profile):
    found = judge(profile, {"group": [group("app", 1000)], **files(at=["/etc/shadow"], gid=0)})
    assert found["cb-shadow-file"] == "Passed"


def test_groups_can_be_allowed_by_input():
    allowing = load_profile(
        "container-baseline", [PROFILES], {"program_groups": ["staff"], "shadow_groups": ["app"]}
    )
    found = judge(
        allowing,
        {**files(at=["/usr/local/bin"], mode=0o2775, gid=50), **files(at=["/etc/shadow"], gid=1000)},
    )
    assert (found["cb-program-directories"], found["cb-shadow-file"]) == ("Passed", "Passed")


@pytest.mark.parametrize(
    "facts",
    [
        *(
            {"content:/etc/ld.so.preload": content}
            for content in (b"", b"\n  \n", b"# libx.so\n", b" : \n# /a\r\n")
        ),
        {"environment_value:LD_PRELOAD": "", "environment_value:LD_AUDIT": " "},
        *({"content:/etc/hosts.equiv": content} for content in (b"", b"# +\n\n", b"-untrusted\n")),
        {"file:/root/.rhosts": dict(STAT, size=0), "readable:/root/.rhosts": READABLE},
        {
            "file:/root/.ssh/authorized_keys": dict(STAT, size=0),
            "readable:/root/.ssh/authorized_keys": READABLE,
        },
        {"file:/etc/ssh/ssh_host_rsa_key": dict(STAT, size=0)},
        {"file:/run/docker.sock": dict(DIRECTORY)},
        {
            "environment": [
                "PASSWORD_MIN_LENGTH",
                "SECRET_NAME",
                "SECRETS_FOLDER",
                "GPG_KEY",
                "SSH_AUTH_SOCK",
                "PWD",
            ]
        },
        {"passwd": [user("root", 0), dict(user("sync", 5), gid=0), dict(user("app", 1000), gid=100)]},
    ],
)
def test_what_is_there_and_holds_nothing_passes(profile, facts):
    """A file that is empty or has comments only, a variable that is empty, a name that speaks of a secret."""
    assert set(judge(profile, facts).values()) == {"Passed"}


USERS = [user("root", 0), user("app", 1000)]
FLAW = "line 9 (clamav) is not of the database's form: it has 8 fields, not 7"


def part_of(key, rows):
    return {key: Fact("unsupported", rows, FLAW)}


@pytest.mark.parametrize(
    ("key", "good", "bad", "control"),
    [
        ("passwd", USERS, [*USERS, user("toor", 0)], "cb-root-uid"),
        ("passwd", USERS, [*USERS, user("guest", 7, "empty")], "cb-passwd-passwords"),
        ("passwd", USERS, [*USERS, user("app", 7)], "cb-unique-users"),
        ("passwd", USERS, [*USERS, dict(user("www", 33), shell="/bin/sh")], "cb-system-account-shells"),
        ("passwd", USERS, [*USERS, dict(user("guest", 7), gid=0)], "cb-administrative-groups"),
        ("shadow", [secret("root", "locked")], [secret("guest", "empty")], "cb-shadow-passwords"),
        ("shadow", [secret("root", "locked")], [secret("guest", "des")], "cb-password-hashes"),
        ("shadow", [secret("root", "locked")], [secret("root", "sha512")], "cb-root-locked"),
        ("group", groups()["group"], groups("guest")["group"], "cb-administrative-groups"),
        ("group", groups()["group"], [*groups()["group"], *groups(name="x")["group"]], "cb-unique-groups"),
    ],
)
def test_a_line_that_cannot_be_read_hides_no_failure_and_lets_nothing_pass(profile, key, good, bad, control):
    assert judge(profile, part_of(key, bad))[control] == "Failed"
    assert judge(profile, part_of(key, good))[control] == "Not Reviewed"
    facts = {name: fact if isinstance(fact, Fact) else Fact("ok", fact) for name, fact in GOOD.items()}
    result = evaluate(profile, Facts({**facts, **part_of(key, good)}), EvaluationContext({}, GOOD_POD, "app"))
    (judged,) = (one for one in result.controls if one.id == control)
    assert any(FLAW in (segment.skip_message or "") for segment in judged.results)


def test_evidence_names_each_variable_that_is_called_like_a_secret(profile):
    facts = {name: fact if isinstance(fact, Fact) else Fact("ok", fact) for name, fact in GOOD.items()}
    facts["environment"] = Fact("ok", ["PATH", "MYSQL_PWD", "SECRET_NAME", "apiToken"])
    result = evaluate(profile, Facts(facts), EvaluationContext({}, GOOD_POD, "app"))
    (control,) = (one for one in result.controls if one.id == "cb-secret-variables")
    assert any("found [MYSQL_PWD, apiToken]" in segment.message for segment in control.results)


def test_a_package_record_that_cannot_be_read_hides_no_package(profile):
    def some(*names):
        value = {"manager": "dpkg", "packages": [package(name) for name in names]}
        return {"packages": Fact("unsupported", value, "package x has no version")}

    assert judge(profile, some("bash", "telnetd"))["cb-forbidden-packages"] == "Failed"
    assert judge(profile, some("bash"))["cb-forbidden-packages"] == "Not Reviewed"


def test_a_good_container_that_does_not_run_as_root_passes_all_but_the_hashes(profile):
    others = {name: status for name, status in judge(profile, NOT_ROOT).items() if status != "Passed"}
    assert others == dict.fromkeys(
        (
            "cb-shadow-passwords",
            "cb-password-hashes",
            "cb-root-locked",
            "cb-root-credential-files",
        ),
        "Not Reviewed",
    )


def test_where_nobody_can_become_another_user_the_kernels_refusal_proves_that_passwords_are_of_no_use(
    profile,
):
    others = {
        name: status for name, status in judge(profile, NOT_ROOT, HARDENED).items() if status != "Passed"
    }
    assert others == {
        "cb-shadow-passwords": "Not Applicable",
        "cb-root-locked": "Not Applicable",
        "cb-password-hashes": "Not Reviewed",
        "cb-root-credential-files": "Not Reviewed",
    }
    unknown = dict(NOT_ROOT, **{"readable:/etc/shadow": UNREADABLE})
    assert judge(profile, unknown, HARDENED)["cb-shadow-passwords"] == "Not Reviewed"
    shadow = {"shadow": [secret("daemon", "empty")]}
    assert judge(profile, shadow, HARDENED)["cb-shadow-passwords"] == "Failed", "it can be read, so it counts"


def test_a_good_container_without_databases_passes_or_is_not_applicable(profile):
    """As it is for an image with busybox and nothing else."""
    bare = {
        "file:/etc/passwd": ABSENT,
        "file:/etc/group": ABSENT,
        "file:/etc/shadow": ABSENT,
        "passwd": ABSENT,
        "group": ABSENT,
        "shadow": ABSENT,
        "packages": ABSENT,
        "walk:/etc[match=unowned]": Fact("unsupported", cause="no /etc/passwd"),
        "walk:/sbin[match=setuid]": ABSENT,
        **{
            key: ABSENT
            for key, value in GOOD.items()
            if key.split(":")[0] in ("file", "content", "readable")
            and key not in ("file:/", "file:/etc", "file:/bin", "file:/tmp")
        },
    }
    assert set(judge(profile, bare).values()) == {"Passed", "Not Applicable"}


@pytest.mark.parametrize(
    ("control", "case"), [(control, case) for control, cases in BAD.items() for case in cases]
)
def test_a_bad_container_fails(profile, control, case):
    changed = {name: status for name, status in apply(profile, case).items() if status != "Passed"}
    assert changed.pop(control) == "Failed"
    assert set(changed) <= ALSO.get(control, set())


@pytest.mark.parametrize(("control", "case"), list(NOT_APPLICABLE.items()))
def test_what_does_not_apply_is_not_applicable(profile, control, case):
    assert apply(profile, case)[control] == "Not Applicable"


def test_every_control_has_the_three_cases(profile):
    """It passes on the good container, fails on a bad one (above), and is Not Reviewed where its facts are kept away."""
    assert [control["id"] for control in profile.controls] == list(BAD)
    assert len(BAD) >= 45
    assert all(BAD.values())
    away = dict.fromkeys(GOOD, UNREADABLE)
    assert set(judge(profile, away).values()) == {"Not Reviewed"}
    assert set(judge(profile, away, {}).values()) == {"Not Reviewed"}
    conditional = {control["id"] for control in profile.controls if control["only_if"]}
    assert set(NOT_APPLICABLE) >= conditional - {
        "cb-passwd-passwords",
        "cb-password-hashes",
        "cb-unique-users",
    }


@pytest.fixture(scope="module")
def facts_asked_for(profile):
    """The facts that each control looks at, by its id."""
    return {
        control["id"]: {
            query.key for query in required_queries([dataclasses.replace(profile, controls=[control])])
        }
        for control in profile.controls
    }


@pytest.mark.parametrize("key", list(GOOD))
def test_a_fact_that_is_kept_away_never_lets_a_control_pass(profile, facts_asked_for, key):
    """Each fact alone: what asks for it is Not Reviewed, everything else passes as before."""
    asking = {control for control, keys in facts_asked_for.items() if key in keys}
    if key.startswith("file:/root/"):
        asking -= {
            "cb-root-credentials"
        }  # it asks for the size of what can be read only, and here nothing can
    judged = judge(profile, {key: UNREADABLE}, HARDENED)
    assert asking
    assert {name for name, status in judged.items() if status == "Not Reviewed"} == asking
    assert {status for name, status in judged.items() if name not in asking} == {"Passed"}


def test_inputs_change_what_is_allowed():
    allowed = load_profile(
        "container-baseline",
        [PROFILES],
        {
            "forbidden_ports": [8080],
            "allowed_setuid_files": ["/bin/su", "/usr/bin/su"],
            "login_umasks": ["077"],
            "build_packages": ["bash"],
        },
    )
    changed = {name for name, status in judge(allowed).items() if status == "Failed"}
    assert changed == {"cb-forbidden-ports", "cb-setuid-files", "cb-login-umask", "cb-build-tools"}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the collector reads /proc")
def test_what_the_collector_really_sends_can_be_judged():
    """The machine that runs the tests, collected by its own sh: whatever the verdicts, none is an error."""
    profile = load_profile(
        "container-baseline", [PROFILES], {"program_directories": ["/bin"], "system_directories": ["/etc"]}
    )
    request = make_request(required_queries([profile]))
    reply = subprocess.run(
        ["sh"], input=build_script(request, "0" * 16), stdout=subprocess.PIPE, check=True
    ).stdout
    facts = read_facts(request, reply, "0" * 16)
    result = evaluate(profile, facts, EvaluationContext({}, GOOD_POD, "app"))
    assert [
        segment.message
        for control in result.controls
        for segment in control.results
        if segment.status == "error"
    ] == []
    assert {status_of(control) for control in result.controls} >= {"Passed"}
