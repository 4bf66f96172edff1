//! GnuPG's private keys, one a file, `private-keys-v1.d/<keygrip>.key` (GnuPG's `agent/keyformat.txt`).
//!
//! The file is a canonical S-expression, or name-value lines of which `Key:` holds an advanced one. In both the
//! public numbers stand in clear. The file's name is its keygrip, and is not looked at.

use super::wire::openpgp::key::upper;
use super::wire::openpgp::numbers::Numbers;
use super::wire::openpgp::sexp::{self, Node, SexpError};
use super::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, Fault, Found, GapReason, Kind, Pgp, Protection, Reading,
};
use std::borrow::Cow;

/// One private key of GnuPG's agent.
pub struct GnupgPrivateKey;

/// The largest file that is read.
const SIZE_MAX: usize = 1 << 20;
/// How far from its start a file of lines may have its `Key:`.
const LINES_MAX: usize = 16 << 10;

/// How each form begins.
const KINDS: [&str; 3] = [
    "private-key",
    "protected-private-key",
    "shadowed-private-key",
];

macro_rules! at_start {
    ($clue:expr; $($literal:expr),* $(,)?) => {
        const { &[$(Signature::at_start(0, $literal, $clue),)*] }
    };
}

impl Format for GnupgPrivateKey {
    fn name(&self) -> &'static str {
        "gnupg_private_key"
    }

    fn signatures(&self) -> &'static [Signature] {
        at_start![
            Clue::Word;
            b"(11:private-key",
            b"(21:protected-private-key",
            b"(20:shadowed-private-key",
            // The lines that GnuPG writes before the key, or the key itself, in any case; comments.
            b"Key:", b"key:", b"KEY:",
            b"Created:", b"Token:", b"Label:", b"Use-for-", b"OpenSSH-cert:", b"Description:",
            b"Prompt:", b"Confirm:", b"Backup-info:", b"Remote-list:", b"#", b"\n", b"\r\n", b" ",
        ]
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Word]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let bytes = candidate.bytes;
        if candidate.at != 0 || !candidate.at_start {
            return Reading::NotMine;
        }
        let Some((start, encoding)) = beginning(bytes) else {
            return Reading::NotMine;
        };
        let text = bytes.get(start..).unwrap_or_default();
        let parsed = sexp::read(text.get(..SIZE_MAX).unwrap_or(text));
        let fault = |reason, detail: &str| {
            Reading::Found(Found {
                faults: vec![Fault {
                    reason,
                    offset: start,
                    detail: format!("GnuPG private key: {detail}"),
                }],
                // Whatever follows is searched.
                end: start + 1,
                ..Found::default()
            })
        };
        let (node, length) = match parsed {
            Ok(read) => read,
            Err(SexpError::Open) if !candidate.at_end && text.len() < SIZE_MAX => {
                return Reading::NeedMore { from: 0 };
            }
            Err(SexpError::Open) if text.len() >= SIZE_MAX => {
                return fault(GapReason::Limit, "larger than 1 MiB");
            }
            Err(error @ SexpError::Open) => return fault(GapReason::Truncated, &error.to_string()),
            Err(error) => return fault(GapReason::Malformed, &error.to_string()),
        };
        match artifact(&node, encoding) {
            Some(mut artifact) => {
                artifact.offset = start;
                Reading::Found(Found {
                    artifacts: vec![artifact],
                    end: start + length,
                    ..Found::default()
                })
            }
            None => fault(GapReason::Malformed, "it holds no key of a known form"),
        }
    }
}

/// Where the key's first bracket stands.
fn beginning(bytes: &[u8]) -> Option<(usize, Encoding)> {
    if bytes.starts_with(b"(") {
        return is_key(bytes).then_some((0, Encoding::Binary));
    }
    let head = bytes.get(..LINES_MAX).unwrap_or(bytes);
    memchr::memchr_iter(b'(', head).find_map(|at| {
        let before = head.get(..at)?;
        // Program text has many brackets, and few behind a colon.
        if before.trim_ascii_end().last() != Some(&b':') {
            return None;
        }
        let line = before.rsplit(|b| matches!(b, b'\n' | b'\r')).next()?;
        let named = line.trim_ascii().eq_ignore_ascii_case(b"key:");
        let is_key = named && is_key(bytes.get(at..)?);
        is_key.then_some((at, Encoding::Text))
    })
}

fn is_key(text: &[u8]) -> bool {
    let Some(inner) = text.strip_prefix(b"(") else {
        return false;
    };
    let inner = inner.trim_ascii_start();
    KINDS.iter().any(|kind| {
        let counted = format!("{}:{kind}(", kind.len());
        let word = inner.strip_prefix(kind.as_bytes());
        inner.starts_with(counted.as_bytes())
            || word.is_some_and(|rest| rest.trim_ascii_start().starts_with(b"("))
    })
}

fn artifact(node: &Node<'_>, encoding: Encoding) -> Option<Artifact> {
    let kind = node.name()?;
    let key = node.members().get(1)?;
    let numbers = Numbers::read(key)?;
    let mut pgp = None;
    let mut notes: Vec<Cow<'static, str>> = Vec::new();
    let mut cipher = None;
    let (kind, protection) = match kind {
        b"private-key" => (Kind::PgpSecretKey, Some(Protection::None)),
        b"protected-private-key" => {
            cipher = Some(protection(key.list("protected")?)?);
            (Kind::PgpSecretKey, Some(Protection::Encrypted))
        }
        _ => {
            // The secret half is elsewhere: `(shadowed t1-v1 (serial id))`.
            let shadowed = key.list("shadowed")?.members();
            let serial = shadowed.get(2).and_then(|token| token.members().first());
            let serial = serial.and_then(Node::bytes).unwrap_or_default();
            notes.push("its secret part is on a card".into());
            pgp = Some(Box::new(Pgp {
                card: Some(upper(&serial)),
                ..Pgp::default()
            }));
            (Kind::PgpPublicKey, None)
        }
    };
    let mut artifact = numbers.into_artifact(kind, "gnupg_private_key", encoding);
    artifact.protection = protection;
    artifact.cipher = cipher;
    artifact.pgp = pgp;
    artifact.notes = notes;
    Some(artifact)
}

/// `(protected mode ((sha1 salt count) iv) ciphertext)`.
fn protection(protected: &Node<'_>) -> Option<String> {
    let mode = std::str::from_utf8(protected.members().get(1)?.plain()?).ok()?;
    if mode == "openpgp-native" {
        return Some("as OpenPGP packets are".to_owned());
    }
    let cipher = match mode {
        "openpgp-s2k3-sha1-aes-cbc" | "openpgp-s2k3-aes-cbc" => "aes128 cbc",
        "openpgp-s2k3-sha1-aes256-cbc" | "openpgp-s2k3-aes256-cbc" => "aes256 cbc",
        "openpgp-s2k3-ocb-aes" => "aes128 ocb",
        // Whatever else was there is data of unknown sort.
        _ => return Some("an unknown cipher".to_owned()),
    };
    let derivation = protected.members().get(2)?.members().first()?;
    let hash = match derivation.name()? {
        b"sha1" => "sha1",
        b"sha256" => "sha256",
        _ => "an unknown hash",
    };
    let count = derivation.members().get(2).and_then(Node::plain);
    let count = count
        .and_then(|text| std::str::from_utf8(text).ok()?.parse::<u64>().ok())
        .map_or_else(String::new, |count| format!(" {count}"));
    Some(format!("{cipher}, S2K iterated {hash}{count}"))
}
