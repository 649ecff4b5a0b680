# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""packages: what the container's package database says is installed.

dpkg (also the records that distroless images carry, one file per package) and apk are read from the database
itself, by its lines Package, Version, Architecture and Status. A package of dpkg counts as installed in each
state in which its files can be there: also where it was unpacked and not configured. apk and rpm list what they
have, and know no such states.

rpm is asked by its program where the collector runs in the container, since its answer is short. The program
writes index files next to the database wherever it can. So where the collector could write there, the program
runs as user 65534 (by chroot, without another root), or not at all. Without an answer of the program the
database's file is sent, packed where the container has gzip, and read by rpm_database. Of several files the
one of the newest format counts, as for rpm.

The first database that has content counts, in the order dpkg, apk, rpm. None at all is unsupported, not an
empty list: the image may have been made without one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .facts import OK, UNSUPPORTED, Fact, Query
from .family import Answer, Family, call
from .frames import BadContentError, decode_text
from .query_rules import NO_SUBJECT
from .rpm_database import MAX_DATABASE, read_rpm_database

# rpm lists the keys of signers like packages
_SIGNER_KEY = b"gpg-pubkey"

# The states of dpkg(1), with whether files of the package are there. Of one that is half-installed some are, since
# its installation began and was not completed; which ones nobody knows.
_DPKG_STATES = {
    b"not-installed": False,
    b"config-files": False,
    b"half-installed": True,
    b"unpacked": True,
    b"half-configured": True,
    b"triggers-awaited": True,
    b"triggers-pending": True,
    b"installed": True,
}

_SHELL = (
    r"""
packages() {
  packages__query=$1 packages__manager=
  ! too_late $packages__query || return
  shift
  if look /var/lib/dpkg/status; then [ ! -s "$path" ] || set -- "$path"
  elif [ $status != absent ]; then unseen $packages__query; return
  fi
  if look /var/lib/dpkg/status.d; then
    if ! true <"$path"; then
      put "q$packages__query" unreadable text '/var/lib/dpkg/status.d cannot be listed'
      return
    fi
    set +f
    for packages__file in "$path"/*; do
      case $packages__file in *.md5sums) continue ;; esac
      if entry "$packages__file"; then [ ! -f "$path" ] || set -- "$@" "$path"
      elif [ $status != absent ]; then set -f; unseen $packages__query; return
      fi
    done
    set -f
  elif [ $status != absent ]; then unseen $packages__query; return
  fi
  if [ $# -gt 0 ]; then
    pick '^(Package|Status|Version|Architecture): ' "$@" && packages__manager=dpkg || status=unreadable
  else
    for packages__file in /lib/apk/db/installed /usr/lib/apk/db/installed; do
      if look $packages__file && [ -s "$path" ]; then
        pick '^([PVA]:|$)' "$path" && packages__manager=apk || status=unreadable
        break
      fi
      case $status in ok|absent) ;; *) status=unreadable; break ;; esac
    done
  fi
  if [ "$packages__manager" ]; then put "q$packages__query" ok text "$packages__manager$nl$text"; return; fi
  if [ $status = unreadable ]; then
    put "q$packages__query" $status text 'the package database cannot be read'
    return
  fi
  for packages__file in rpmdb.sqlite Packages.db Packages; do
    for packages__folder in /usr/lib/sysimage/rpm /var/lib/rpm; do
      if look $packages__folder/$packages__file; then
        [ ! -s "$path" ] || { rpm_packages $packages__folder/$packages__file $packages__folder; return; }
      elif [ $status != absent ]; then unseen $packages__query; return
      fi
    done
  done
  unsupported $packages__query 'no package database was found'
}
rpm_packages() {
  packages__database=$1
  at $2
  set -- rpm -qa --qf '%{NAME}\t%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\t%{ARCH}\n'
  if [ "$ROOT" ] || ! has rpm || ! has sleep; then set --
  elif [ ! -w "$path" ]; then :
  elif has chroot; then set -- chroot --userspec=65534:65534 / "$@"
  else set --
  fi
  if [ $# -gt 0 ] && text=$(limited 60 "$@"); then put "q$packages__query" ok text "rpm$nl$text"; return; fi
  plain $packages__query $packages__database MAX_DATABASE || return
  for packages__log in wal journal; do
    [ -s "$path-$packages__log" ] || continue
    put "q$packages__query" unreadable text \
      "the rpm database has changes that still stand in $packages__database-$packages__log"
    return
  done
  if [ -z "$encoder" ] || [ -z "$size" ]; then
    unsupported $packages__query 'without an answer of the rpm program, its database needs stat, and base64 or od'
    return
  fi
  text= packages__room=$((left/4*3))
  ! has gzip || ! has head || text=$(command gzip -c <"$path" | $encoder | head -c $((packages__room+1)))
  if [ "$text" ]; then :
  elif [ $size -le $((packages__room/4)) ]; then text=$($encoder <"$path")
  else
    put "q$packages__query" too_large text \
      "the rpm database has $size bytes, and the container has no gzip to pack it"
    return
  fi
  if [ ${#text} -gt $packages__room ]; then
    put "q$packages__query" too_large text "the rpm database has $size bytes, which are too many to send"
    return
  fi
  put "q$packages__query" ok text database
  put "q$packages__query.database" ok $encoding "$text"
}
"""
).replace("MAX_DATABASE", str(MAX_DATABASE))


@dataclass
class _Records:
    """What was read of a database: a record that is not understood costs no other one.

    :ivar flaws: what is the matter with those that are not understood
    """

    packages: list[dict[str, Any]] = field(default_factory=list)
    flaws: list[str] = field(default_factory=list)

    def fact(self, manager: str) -> Fact:
        if not self.packages:
            raise BadContentError(
                "; ".join(["the package database has no records that are understood", *self.flaws[:1]])
            )
        value = {"manager": manager, "packages": self.packages}
        if not self.flaws:
            return Fact(OK, value)
        more = f"; and {len(self.flaws) - 1} more flaws" if len(self.flaws) > 1 else ""
        return Fact(UNSUPPORTED, value, f"it cannot be understood as a whole: {self.flaws[0]}{more}")


def _read_packages(answer: Answer, query: Query) -> Fact:
    manager, _newline, text = answer.get_own().partition(b"\n")
    records = _Records()
    if manager == b"database":
        manager = b"rpm"
        records.packages += _read_rpm_file(answer.get_part("database"))
    else:
        read = {b"dpkg": _read_dpkg, b"apk": _read_apk, b"rpm": _read_rpm}.get(manager)
        if read is not None:
            read(text.split(b"\n"), records)
    return records.fact(decode_text(manager))


def _read_dpkg(lines: list[bytes], found: _Records) -> None:
    """Stanzas; each begins with its Package line, so that files need no separator. Other lines are not looked
    at."""
    records: list[dict[bytes, bytes]] = []
    for line in lines:
        name, _colon, value = line.partition(b": ")
        if name == b"Package":
            records.append({})
        if name in (b"Package", b"Version", b"Architecture", b"Status"):
            if not records or name in records[-1]:
                found.flaws.append(f"a package record has its lines in disorder, at {decode_text(line[:80])}")
            else:
                records[-1][name] = value.strip()
        _note_binary(line, found)
    for record in records:
        # records of single packages (status.d) have no status: the package is there because the record is
        status = record.get(b"Status", b"install ok installed").split()
        state = status[-1] if status else b""
        if state not in _DPKG_STATES:
            found.flaws.append(f"dpkg has no package state {decode_text(state[:40])!a}")
            continue
        installed = _DPKG_STATES[state]
        if state == b"installed" and b"Version" not in record:
            found.flaws.append("package {} has no version".format(decode_text(record[b"Package"][:80])))
            continue
        found.packages.append(
            _package(
                record[b"Package"], record.get(b"Version", b""), record.get(b"Architecture", b""), installed
            )
        )


def _read_apk(lines: list[bytes], found: _Records) -> None:
    """Records, each ended by an empty line; P is the name, V the version, A the architecture."""
    record: dict[bytes, bytes] = {}
    for line in [*lines, b""]:
        _note_binary(line, found)
        if line[:2] in (b"P:", b"V:", b"A:"):
            if line[:1] in record:
                found.flaws.append(f"a package record names {decode_text(line[:80])} twice")
            else:
                record[line[:1]] = line[2:]
        elif not line and record:
            if b"P" in record and b"V" in record:
                found.packages.append(_package(record[b"P"], record[b"V"], record.get(b"A", b""), True))
            else:
                found.flaws.append("a package record has no name or no version")
            record = {}


def _read_rpm(lines: list[bytes], found: _Records) -> None:
    for line in lines:
        fields = line.split(b"\t")
        if line and len(fields) != 3:
            found.flaws.append(f"the rpm program wrote {decode_text(line[:80])}")
        elif line and fields[0] != _SIGNER_KEY:
            found.packages.append(_package(fields[0], fields[1], fields[2], True))


def _read_rpm_file(data: bytes) -> Iterator[dict[str, Any]]:
    for package in read_rpm_database(data):
        if package.name != _SIGNER_KEY:
            yield _package(package.name, package.version, package.arch, True)


def _note_binary(line: bytes, found: _Records) -> None:
    """grep says in a line of its own that it stopped at a NUL byte; the records behind it would be missing."""
    if line.startswith((b"Binary file ", b"grep: ")):
        found.flaws.append("the package database holds binary data")


def _package(name: bytes, version: bytes, arch: bytes, installed: bool) -> dict[str, Any]:
    return {
        "name": decode_text(name),
        "version": decode_text(version),
        "arch": decode_text(arch),
        "installed": installed,
    }


_RPM_FILES = tuple(
    f"{folder}/{name}"
    for folder in ("/usr/lib/sysimage/rpm", "/var/lib/rpm")
    for name in ("rpmdb.sqlite", "Packages.db", "Packages")
)

PACKAGES = Family(
    subject=NO_SUBJECT,
    value='{"manager": dpkg, apk or rpm, "packages": [{"name": str, "version": str (empty '
    'where dpkg has none), "arch": str, "installed": bool (false for what dpkg still knows but has no files of, except for '
    "configuration; true in its states half-installed, unpacked, half-configured, triggers-awaited and triggers-pending too)}]}. "
    "A name stands there once for each version and architecture. Where records are not "
    "understood, the fact is unsupported and has the others",
    calls=call("packages"),
    read=_read_packages,
    shell=_SHELL,
    uses=("pick", "limited"),
    programs=("rpm", "chroot", "readlink", "base64", "od", "stat", "gzip", "head"),
    parts=("database",),
    stat_paths=lambda query: _RPM_FILES,
)
