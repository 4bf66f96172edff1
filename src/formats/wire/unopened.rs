//! Keystores that are recognised by their documents and not opened.

use crate::model::{
    Artifact, Candidate, Encoding, Fault, Found, GapReason, KeyMaterial, Kind, Protection, Reading,
};
use std::borrow::Cow;

/// A keystore of that format, closed.
pub fn keystore(format: &'static str, notes: Vec<Cow<'static, str>>) -> Artifact {
    let mut artifact = Artifact::new(Kind::Keystore, format, Encoding::Binary, KeyMaterial::None);
    artifact.protection = Some(Protection::Encrypted);
    artifact.notes = notes;
    artifact
}

/// Tells it with the reason why no more of it is told. The search goes on at `end`, which counts from the first byte of the
/// store: what stands in clear in it is found there.
pub fn found(
    candidate: &Candidate<'_>,
    mut artifact: Artifact,
    reason: GapReason,
    detail: &str,
    end: usize,
) -> Reading {
    artifact.offset = candidate.at;
    Reading::Found(Found {
        artifacts: vec![artifact],
        faults: vec![Fault {
            reason,
            offset: candidate.at,
            detail: detail.to_owned(),
        }],
        end: candidate.at.saturating_add(end).min(candidate.bytes.len()),
        ..Found::default()
    })
}
