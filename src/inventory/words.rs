//! The words of states and types.

use super::heading::compact;
use crate::model::{EntryKind, State};

/// Words that fill a cell and say nothing.
pub(super) fn is_nothing(cell: &str) -> bool {
    const FILLERS: &[&str] = &[
        "n/a",
        "na",
        "n.a.",
        "none",
        "null",
        "nil",
        "nan",
        "not set",
        "not applicable",
        "tbd",
        "tba",
        "unknown",
        "undefined",
        "(none)",
        "(blank)",
        "(empty)",
        "unspecified",
        "#n/a",
        "to be defined",
    ];
    // Most cells begin like no filler.
    let first = cell.as_bytes().first();
    if first.is_some_and(|b| {
        b.is_ascii_alphanumeric() && !matches!(b.to_ascii_lowercase(), b'n' | b't' | b'u')
    }) {
        return false;
    }
    let cell = cell.trim();
    let says = |c: char| c.is_alphanumeric() || matches!(c, '*' | '~' | '/' | '#');
    !cell.contains(says)
        || (cell.len() <= 14
            && cell.starts_with(['n', 'N', 't', 'T', 'u', 'U', '(', '#'])
            && FILLERS.iter().any(|f| f.eq_ignore_ascii_case(cell)))
}

/// The state that a word means (NIST SP 800-57 part 1, section 7, and what registers write for it).
pub(super) fn state(cell: &str) -> Option<State> {
    let bare = cell.split(['(', '[']).next().unwrap_or(cell);
    Some(match compact(bare).as_str() {
        "preactivation" | "preactive" | "preactivated" | "pending" | "planned" | "generated"
        | "requested" | "new" | "draft" | "created" | "notyetactive" | "pendingactivation"
        | "pendingimport" | "pendingcreation" | "pendingissuance" | "ordered" | "staged"
        | "future" | "pendingissue" | "pendingapproval" => State::PreActivation,
        "active" | "activated" | "enabled" | "enable" | "issued" | "inuse" | "live" | "valid"
        | "current" | "operational" | "production" | "deployed" | "ok" | "true" | "yes" | "1"
        | "expiring" | "expiringsoon" | "pendingrenewal" | "pendingrotation" | "renewed"
        | "rotated" | "installed" | "good" | "inoperation" | "used" => State::Active,
        "suspended"
        | "onhold"
        | "hold"
        | "temporarilydisabled"
        | "disabledtemporarily"
        | "paused"
        | "blocked"
        | "locked"
        | "certificatehold"
        | "quarantined" => State::Suspended,
        "deactivated"
        | "inactive"
        | "disabled"
        | "disable"
        | "retired"
        | "decommissioned"
        | "archived"
        | "archive"
        | "expired"
        | "superseded"
        | "replaced"
        | "obsolete"
        | "notinuse"
        | "unused"
        | "old"
        | "false"
        | "no"
        | "0"
        | "pendingdeletion"
        | "pendingdestruction"
        | "scheduledfordeletion"
        | "phasedout"
        | "withdrawn"
        | "closed"
        | "verifyonly"
        | "decryptonly"
        | "postoperational"
        | "endoflife"
        | "eol"
        | "deprecated"
        | "outofuse" => State::Deactivated,
        "revoked" | "revocation" | "invalidated" => State::Revoked,
        "compromised"
        | "leaked"
        | "stolen"
        | "lost"
        | "exposed"
        | "keycompromise"
        | "suspectedcompromised"
        | "compromise" => State::Compromised,
        "destroyed"
        | "deleted"
        | "removed"
        | "purged"
        | "wiped"
        | "erased"
        | "zeroized"
        | "zeroised"
        | "shredded"
        | "gone"
        | "destroyedcompromised" => State::Destroyed,
        _ => return None,
    })
}

/// The kind that a row's type means; `None` leaves it open.
pub(super) fn kind(cell: &str) -> Option<EntryKind> {
    let lower = cell.to_lowercase();
    let whole = compact(cell);
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .collect();
    let word = |list: &[&str]| words.iter().any(|w| list.contains(w));
    let has = |list: &[&str]| list.iter().any(|part| whole.contains(part));
    let pgp = has(&["pgp", "gpg"]);
    let ssh = has(&["ssh"]);
    Some(if pgp {
        EntryKind::Pgp
    } else if has(&["authorizedkey", "authorisedkey"]) || word(&["grant", "grants"]) {
        EntryKind::Grant
    } else if has(&["hostkey"]) || (ssh && word(&["host"])) {
        EntryKind::SshHostKey
    } else if ssh {
        EntryKind::SshKey
    } else if has(&["privatekey", "keypair", "asymmetric", "signingkey"]) {
        EntryKind::KeyPair
    } else if has(&[
        "certificate",
        "x509",
        "zertifikat",
        "rootca",
        "issuingca",
        "subca",
    ]) || word(&["cert", "certs", "tls", "ssl", "ca", "mtls", "https"])
    {
        EntryKind::Certificate
    } else if has(&["publickey", "pubkey"]) {
        EntryKind::PublicKey
    } else if has(&[
        "symmetric",
        "secretkey",
        "dataencryptionkey",
        "keyencryptionkey",
        "masterkey",
    ]) || word(&[
        "aes", "aes128", "aes192", "aes256", "hmac", "secret", "dek", "kek", "3des", "chacha20",
    ]) {
        EntryKind::Symmetric
    } else if word(&[
        "rsa", "ec", "ecdsa", "ecc", "dsa", "ed25519", "private", "signing", "jwk",
    ]) {
        EntryKind::KeyPair
    } else {
        return None;
    })
}

/// Whether a word in a type column names an algorithm.
pub(super) fn is_algorithm(cell: &str) -> bool {
    let word: String = compact(cell)
        .chars()
        .filter(|c| !c.is_ascii_digit())
        .collect();
    matches!(
        word.as_str(),
        "rsa"
            | "rsahsm"
            | "ec"
            | "echsm"
            | "ecdsa"
            | "ecc"
            | "dsa"
            | "ed"
            | "x"
            | "eddsa"
            | "aes"
            | "hmac"
            | "okp"
            | "ecp"
            | "secpr"
            | "mldsa"
            | "mlkem"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_in_the_words_of_registers() {
        for (word, expected) in [
            ("Pre-Activation", State::PreActivation),
            ("pending", State::PreActivation),
            ("ACTIVE", State::Active),
            ("In use", State::Active),
            ("Active (prod)", State::Active),
            ("on hold", State::Suspended),
            ("Retired", State::Deactivated),
            ("PendingDeletion", State::Deactivated),
            ("expired", State::Deactivated),
            ("Revoked", State::Revoked),
            ("compromised", State::Compromised),
            ("purged", State::Destroyed),
        ] {
            assert_eq!(state(word), Some(expected), "{word}");
        }
        assert_eq!(state("blue"), None);
    }

    #[test]
    fn types_are_read_in_the_words_of_registers() {
        for (word, expected) in [
            ("TLS certificate", Some(EntryKind::Certificate)),
            ("x509", Some(EntryKind::Certificate)),
            ("Root CA", Some(EntryKind::Certificate)),
            ("TLS private key", Some(EntryKind::KeyPair)),
            ("SSH Host Key", Some(EntryKind::SshHostKey)),
            ("ssh-host", Some(EntryKind::SshHostKey)),
            ("ssh_key", Some(EntryKind::SshKey)),
            ("authorized_key", Some(EntryKind::Grant)),
            ("GPG secret key", Some(EntryKind::Pgp)),
            ("AES-256", Some(EntryKind::Symmetric)),
            ("asymmetric key", Some(EntryKind::KeyPair)),
            ("Public key", Some(EntryKind::PublicKey)),
            ("widget", None),
        ] {
            assert_eq!(kind(word), expected, "{word}");
        }
    }

    #[test]
    fn fillers_say_nothing() {
        for cell in ["-", "—", "n/a", "N/A", "NULL", "?", ""] {
            assert!(is_nothing(cell), "{cell}");
        }
        for cell in ["/", "~", "*", "0", "never"] {
            assert!(!is_nothing(cell), "{cell}");
        }
    }
}
