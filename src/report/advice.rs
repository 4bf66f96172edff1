//! Behind each flag: the rule that it applies, and what to do about it.

use crate::model::Flag;

/// The rule, in a sentence.
pub(super) const fn rule(flag: Flag) -> &'static str {
    match flag {
        Flag::Unknown => {
            "Every key of a host is in the inventory, by an identifier that names no other."
        }
        Flag::UnknownCertificate => {
            "Every certificate in force is in the inventory, also when its key is."
        }
        Flag::Unowned => "Every row names a person who answers for it and is still there.",
        Flag::Expired => "Nothing is in place beyond its end of validity.",
        Flag::Expiring => "What ends is replaced before its end.",
        Flag::NotYetValid => "Nothing is in place before its start of validity.",
        Flag::RotationOverdue => {
            "A key is replaced when its rotation period has passed (SP 800-57, cryptoperiods)."
        }
        Flag::RotationUnproven => {
            "A rotation makes a new key: one that is older than the rotation was not rotated."
        }
        Flag::NoCryptoperiod => {
            "Every key has a rotation period or an end, by its row or by policy."
        }
        Flag::StateConflict => {
            "What a row says of a key's state holds on the hosts (SP 800-57, key states)."
        }
        Flag::ResidualPrivate => {
            "A private key that signs or authenticates is removed with its last certificate."
        }
        Flag::Misplaced => "A key lies where its row allows.",
        Flag::StrayCopy => "A private key has no copies outside the places that its row allows.",
        Flag::Mismatch => "Row and artifact agree on every field that both have.",
        Flag::RenewedUnrecorded => "A renewal is recorded: the row names what is in place now.",
        Flag::Ambiguous => "A row names its key by an identifier that proves it.",
        Flag::AccessOrphan => {
            "Whoever may log in by a key is known by the private key that the inventory or a host holds."
        }
        Flag::Unpaired => {
            "A private key in use has a certificate, a public half in use or a request."
        }
        Flag::Shared => {
            "A private key is on as many hosts, and under as many owners, as its row allows; a host key on one."
        }
        Flag::SharedAcrossEnvironments => "Environments do not share private keys.",
        Flag::Exposed => "A private key can be read and replaced by its own account alone.",
        Flag::Tamperable => {
            "What decides whom the host trusts can be changed by its administrators alone."
        }
        Flag::Unprotected => "A person's private key is protected by a passphrase.",
        Flag::Weak => {
            "Algorithm, size, signature hash and password are at least what policy asks for."
        }
        Flag::Compromised => "Nobody else has, or can compute, a private key in use.",
        Flag::Missing => "What the inventory says is in use is at one of its places.",
        Flag::NotCovered => "Absence is concluded only from a place that was read completely.",
        Flag::Unmatchable => "Every row has an identifier by which its key can be recognised.",
        Flag::DuplicateEntry => "One thing at one place is in one row.",
        Flag::ExceptionInvalid => {
            "An exception names key, flag and place, has a reason, an end and an approver who did not ask for it, and excuses something."
        }
    }
}

/// What to do, in a sentence or two.
pub(super) const fn remedy(flag: Flag) -> &'static str {
    match flag {
        Flag::Unknown => {
            "Find out who put it there. Register it with an owner, or remove it and whatever trusts it."
        }
        Flag::UnknownCertificate => {
            "Add the certificate to the row of its key, or a row of its own; if nobody asked for it, revoke it."
        }
        Flag::Unowned => {
            "Name somebody who is there and accepts it; if nobody does, retire the key."
        }
        Flag::Expired => "Replace it where it is still used; else remove it, and close its row.",
        Flag::Expiring => "Renew it now, and see why that did not happen by itself.",
        Flag::NotYetValid => {
            "Check the clocks of host and issuer; keep it out of use until its start."
        }
        Flag::RotationOverdue => {
            "Make a new key, put it in place, remove the old one and record the date. A longer period needs a reason."
        }
        Flag::RotationUnproven => {
            "Make a new key. Ask how the date came into the row: the old key was never replaced."
        }
        Flag::NoCryptoperiod => {
            "Give the row a rotation period or an end, or its type one by policy."
        }
        Flag::StateConflict => {
            "Take the key out of use and remove it where it was seen; or correct the row, if that is wrong."
        }
        Flag::ResidualPrivate => {
            "Remove the private key; keep it only where it must still decrypt, and say so in the row."
        }
        Flag::Misplaced => {
            "Move it to a place of the row, or add this place to the row after its owner agreed."
        }
        Flag::StrayCopy => "Remove the copy. If others could read it there, replace the key.",
        Flag::Mismatch => "Find out which of the two is right, and correct the other.",
        Flag::RenewedUnrecorded => {
            "Take the new certificate or key over into the row. Look twice if issuer or strength changed."
        }
        Flag::Ambiguous => {
            "Add a fingerprint to the row that is meant, or correct the one that contradicts."
        }
        Flag::AccessOrphan => {
            "Ask the account's owner whose key it is. Register it, or remove the line."
        }
        Flag::Unpaired => "Find out what it is for; remove it if nothing uses it.",
        Flag::Shared => {
            "Give each host or owner a key of its own; until then let the row allow what is wanted."
        }
        Flag::SharedAcrossEnvironments => {
            "Make a key of its own for each environment, production first."
        }
        Flag::Exposed => {
            "Take the permission away, then replace the key: who has read it keeps it."
        }
        Flag::Tamperable => {
            "Take the permission to write away, and check the content against what it should be."
        }
        Flag::Unprotected => {
            "Set a passphrase (ssh-keygen -p, gpg --change-passphrase), or keep the key in an agent or token."
        }
        Flag::Weak => "Replace it by a key, certificate or password that meets the policy.",
        Flag::Compromised => {
            "Take it out of use now, everywhere; revoke its certificates and grants, and make a new key elsewhere."
        }
        Flag::Missing => {
            "Ask its owner where it went. Correct place or state of the row; if it was lost, treat it as compromised."
        }
        Flag::NotCovered => {
            "Sweep the place completely (permissions, passwords, hosts), then judge again."
        }
        Flag::Unmatchable => "Put a fingerprint of certificate or key into the row.",
        Flag::DuplicateEntry => "Keep one of the rows, or give each its own place.",
        Flag::ExceptionInvalid => {
            "Have it approved again with a new end, complete it, or take it out of the policy; then deal with what it excused."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_flag_has_a_rule_and_a_remedy_of_its_own() {
        for text in [rule, remedy] {
            let all: BTreeSet<&str> = Flag::ALL.iter().map(|&flag| text(flag)).collect();
            assert_eq!(all.len(), Flag::ALL.len());
            for sentence in all {
                assert!(sentence.ends_with('.') && sentence.len() > 20, "{sentence}");
            }
        }
    }
}
