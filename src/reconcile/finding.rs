//! From drafts to findings: class and reference rules, and stable ids.

use super::context::{Draft, Key, Row, in_passing};
use crate::model::{Class, Finding, FindingId, Flag, Hex, Severity, SharedText};
use crate::policy::Policy;
use sha2::{Digest as _, Sha256};
use std::fmt::{self, Write as _};

/// What a finding is on.
pub(super) enum Subject<'k> {
    Key(&'k Key),
    Row,
    Source(&'k str),
}

/// Gives a draft its identity. A finding on a key is told with its row's id there; on the row itself it has
/// the key's id too (see [`repeated`]).
pub(super) fn finish(draft: Draft, subject: &Subject<'_>, row: Option<&Row<'_>>) -> Finding {
    let id = in_passing(|text| {
        text.push_str(draft.flag.as_str());
        text.push('\0');
        match subject {
            Subject::Key(key) => add(text, &key.id),
            Subject::Row => {}
            Subject::Source(name) => text.extend(["source ", name]),
        }
        text.push('\0');
        text.push_str(row.map(Row::tag).unwrap_or_default());
        text.push('\0');
        if let Some(digest) = &draft.certificate {
            add(text, digest);
        }
        text.push('\0');
        text.push_str(draft.place.as_deref().unwrap_or_default());
        text.push('\0');
        let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        digest.first_chunk().map(|first| Hex::<8>(*first))
    });
    Finding {
        id: FindingId(id.unwrap_or(Hex([0; 8]))),
        flag: draft.flag,
        severity: draft.severity,
        why: draft.why,
        entry: row.map(|r| r.id()),
        cert_sha256: draft.certificate.map(Box::new),
        place: draft.place.as_deref().map(SharedText::of_its_own),
        key_id: None,
        exception: None,
    }
}

fn add(text: &mut String, part: &dyn fmt::Display) {
    // Writing to a String does not fail.
    let _ = write!(text, "{part}");
}

/// A key's finding as its row repeats it.
pub(super) fn repeated(finding: &Finding, key: &Key) -> Finding {
    Finding {
        key_id: Some(Box::new(key.id.clone())),
        ..finding.clone()
    }
}

/// The contract's rules on classes and references: what is not the host's own is told, not alarmed about, unless policy gives
/// the class a severity of its own.
pub(super) fn soften(draft: &mut Draft, key: &Key, policy: &Policy) {
    let of_others =
        key.class != Class::Own && !matches!(draft.flag, Flag::Compromised | Flag::StateConflict);
    let referred = key.reference_only && (draft.row.is_some() || is_of_inventory(draft.flag));
    let by_class = policy.of_class(key.class, draft.flag);
    match by_class.filter(|_| !referred && draft.severity != Severity::Info) {
        Some(severity) => draft.severity = severity,
        None if of_others || referred => draft.severity = Severity::Info,
        None => {}
    }
}

fn is_of_inventory(flag: Flag) -> bool {
    matches!(
        flag,
        Flag::Unknown | Flag::UnknownCertificate | Flag::Ambiguous
    )
}

/// The order of flags in a record: the gravest first, then by the contract's order.
pub(super) fn sort(findings: &mut Vec<Finding>) {
    findings.sort_by(|a, b| {
        (
            std::cmp::Reverse(a.severity),
            a.flag,
            &a.entry,
            &a.cert_sha256,
            &a.place,
            &a.id,
        )
            .cmp(&(
                std::cmp::Reverse(b.severity),
                b.flag,
                &b.entry,
                &b.cert_sha256,
                &b.place,
                &b.id,
            ))
    });
    findings.dedup_by(|a, b| a.id == b.id && a.key_id == b.key_id);
}
