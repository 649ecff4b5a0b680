# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # for the modules that load profiles
    DOCUMENTATION = r"""
options:
  profiles:
    description: Names of shipped profiles, or paths of profile files or folders on the controller.
    type: list
    elements: str
    default: [container-baseline, workload-baseline]
  inputs:
    description: Values for the profiles' inputs.
    type: dict
    default: {}
"""

    # for those that give verdicts by them
    AMENDMENTS = r"""
options:
  compiled_profiles:
    description: Set by the action plugin, which loads and checks profiles on the controller. Not meant for playbooks.
    type: list
    elements: dict
  waivers:
    description:
      - A waiver file in InSpec's format (path on the controller), or its content as a dictionary.
      - A waived control with C(run) false is Not Applicable until its expiry.
      - "An entry can say with C(targets) for which containers it is, as a list of rules such as
        C({namespace: shop, workload: Deployment/legacy}). A rule's keys are C(cluster), C(namespace), C(workload), C(pod),
        C(container) and C(image), its values names or shell patterns."
    type: raw
  attestations:
    description:
      - A file of attestations in the format of C(saf attest create) (JSON or YAML, path on the controller), or its content as a list.
      - An attestation gives its status to a manual control that is Not Reviewed, until its expiry. Other controls stay as they are.
      - An entry with C(covers_unread=true), which SAF does not know, does so also for a control that could have been judged and was not
        read. Without it such a control stays Not Reviewed, with a warning.
      - An entry can say with C(targets) for which containers it is, as in O(waivers).
    type: raw
  exception_policy:
    description:
      - Which waivers and attestations count, as a file (path on the controller) or its content as a dictionary. Without it all count that are
        in force, but for one that says who requested it and not who approved it.
      - C(approval=true) asks for C(approved_by) and C(approved), by somebody else than C(requested_by); C(approvers) is a list of who is
        allowed to approve. C(max_days) is how long a waiver lasts at most, C(attestation_max_days) how long an attestation holds.
        C(ticket=true) asks for a C(ticket).
      - What breaks a rule counts for nothing. Its control is judged as ever, and the results and a warning say why.
    type: raw
"""
