#!/usr/bin/python
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scan_sign
short_description: Sign the results of a run or of a fleet run
version_added: 0.1.0
description:
  - Writes a manifest of the run into its folder and signs it. The manifest has each file with its SHA-256 and size, the profiles, waivers and
    attestations by their digests, the threshold and the decision, the times, who signed, and the versions of the programs.
  - Each target gets a statement of its own, about its image, its container and its document, that can be verified without the others.
  - Manifest and statements are in-toto statements in DSSE envelopes, in C(evidence/run.intoto.json) and C(evidence/targets.intoto.jsonl) of the run.
    C(cosign verify-blob-attestation) accepts them.
  - The manifest names the run that was signed before it in the same folder, so that a run that was removed is missed.
  - Sign when all is done. What is written after that, such as a report, is not covered, and M(securescan.kubernetes.scan_verify) names it. A later
    decision of a gate goes to C(decisions/), because a signed run is not written any more.
  - It needs the packages of C(requirements-evidence.txt). C(docs/signing.md) of the collection has the tasks around keys.
options:
  run_dir:
    description: Folder of a run, or of a fleet run that has ended. The manifest of a fleet run names that of each cluster's run.
    type: path
    required: true
  private_key_path:
    description:
      - File of a private key in PEM form (Ed25519, ECDSA P-256, RSA of at least 2048 bits), on the machine where the task runs.
      - One that others are allowed to read is refused.
    type: path
  private_key_content:
    description: The private key itself, from a vault for instance.
    type: str
  private_key_passphrase:
    description: The passphrase of an encrypted private key.
    type: str
  sign_command:
    description:
      - A command that signs with a key which nobody can take out (KMS, HSM, cosign). It is run without a shell, once for each signature.
      - It gets the bytes to be signed on its standard input, and prints the signature in base64 or as it is. In its words V({file}) is the path of a file
        with the same bytes, and V({sha256}) their digest.
      - Its secrets come by its environment (C(environment) of the task), never by its words. Its signature counts when O(public_key) verifies it.
    type: list
    elements: str
  public_key:
    description: The public key of O(sign_command), as a file on the controller or as a text in PEM form.
    type: str
  sign_timeout:
    description:
      - The seconds that O(sign_command) is given for a signature.
      - From 1 to 3600.
    type: int
    default: 60
  sign_targets:
    description:
      - Whether each target's statement gets a signature of its own. Without it the statements are only listed in the manifest, and their file is
        verified as a whole.
      - By default they do with a private key, and do not with O(sign_command), which would be run once for each target.
    type: bool
  again:
    description:
      - Signs once more what was signed before, so that the signature covers what was made since, or is by another key. The place in the chain stays.
      - What is not as it was signed is never signed again.
    type: bool
    default: false
  trusted_keys:
    description: Public keys, as files on the controller or as texts, by which an earlier signature can have been made, beside the key that signs.
    type: list
    elements: str
  allow_shared_folder:
    description:
      - Whether others are allowed to write to O(run_dir), or to a folder above it. They could change the results before they are signed.
      - Without it the task ends before anything is signed, and with it there is a warning.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    details: Says what would be signed, and writes nothing. No command is run.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: What is signed already, and unchanged, stays as it is.
seealso:
  - module: securescan.kubernetes.scan_verify
  - module: securescan.kubernetes.scan_threshold
author:
  - securescan.kubernetes contributors (@securescan)
extends_documentation_fragment:
  - securescan.kubernetes.attributes
  - securescan.kubernetes.cluster_name.run
"""

EXAMPLES = r"""
- name: Sign a run with a key from the vault
  securescan.kubernetes.scan_sign:
    run_dir: "{{ scan.run_dir }}"
    private_key_content: "{{ vault_signing_key }}"

- name: Sign by cosign, whose key lies in a KMS
  securescan.kubernetes.scan_sign:
    run_dir: "{{ scan.run_dir }}"
    sign_command: [cosign, sign-blob, --key, "awskms:///alias/scans", --tlog-upload=false, "--yes", "{file}"]
    public_key: keys/scans.pub
"""

RETURN = r"""
run_id:
  description: The run that was signed.
  returned: always
  type: str
  sample: 20261123t130000-1f9a2c
key_id:
  description: SHA-256 of the public key in DER form.
  returned: always
  type: str
  sample: 0d5b9b2f8ea35d3b2a6c4b0c6d16c9fa2f5c1b8c7a3e9d0f1e2d3c4b5a697887
sequence:
  description: Number of the run in the chain of the folder; the first has 1.
  returned: always
  type: int
  sample: 42
manifest_sha256:
  description: SHA-256 of the file of the manifest, the head of the chain. Keep it elsewhere. Empty in check mode.
  returned: always
  type: str
  sample: 3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea
summary_sha256:
  description: SHA-256 of C(summary.json) or C(fleet.json).
  returned: always
  type: str
  sample: 3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea
covered:
  description: Number of files that the signature covers.
  returned: always
  type: int
  sample: 24
statements:
  description: V(signed) where each target's statement has a signature, V(listed) where only the manifest has their digest, empty for a fleet run.
  returned: always
  type: str
  sample: signed
uncovered:
  description: The first 50 files that were made after an earlier signature, which was left as it is.
  returned: always
  type: list
  elements: str
  sample: [summary.md]
uncovered_count:
  description: Number of all of them.
  returned: always
  type: int
  sample: 1
files:
  description: The files of the signature.
  returned: always
  type: list
  elements: str
  sample: [/var/lib/scans/prod-eu/20261123t130000-1f9a2c/evidence/run.intoto.json]
error:
  description: Why the task failed. See the guide on errors for the codes.
  returned: on failure
  type: dict
  sample: {code: SCAN-873, reason: bad_key, message: "...", tried: "...", cause: "...", advice: "..."}
"""

from ..module_utils.module_run import run_as_module
from ..module_utils.options.sign import scan_sign_spec
from ..module_utils.tasks.sign import run_scan_sign


def main() -> None:
    run_as_module(scan_sign_spec(), run_scan_sign)


if __name__ == "__main__":
    main()
