//! Private keys in Jenkins' `credentials.xml` as it keeps them: encrypted under a key of the controller (`hudson.util.Secret`), in braces.
//!
//! A key in clear is an armour as anywhere else. The closed one is told, with its cipher; the controller's own key, `secrets/master.key`, is not tried.

use super::wire::base64_text;
use super::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, Fault, Found, GapReason, Hex, KeyMaterial, Kind,
    Protection, Reading,
};
use sha2::{Digest as _, Sha256};

/// The keys of one document.
pub struct JenkinsCredentials;

const NAME: &str = "jenkins_credentials";
const DOCUMENT: &[u8] = b"<?xml";
/// Packages of Jenkins and its plug-ins, of which one stands near the start.
const PACKAGES: [&[u8]; 3] = [b"com.cloudbees.", b"hudson.", b"jenkins."];
const NEAR: usize = 1 << 10;
const ELEMENT: &[u8] = b"<privateKey>";
/// A larger document is read so far.
const SIZE_MAX: usize = 8 << 20;
/// A longer ciphertext is none of a key.
const SECRET_MAX: usize = 256 << 10;
/// Version, length of the vector and of the ciphertext.
const HEADER: usize = 9;
const BLOCK: usize = 16;

impl Format for JenkinsCredentials {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signatures(&self) -> &'static [Signature] {
        const SIGNATURES: &[Signature] = &[Signature::at_start(0, DOCUMENT, Clue::Magic)];
        SIGNATURES
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Magic]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let bytes = candidate.bytes;
        let near = bytes.get(..NEAR.min(bytes.len())).unwrap_or_default();
        let is_of_jenkins = |package: &&[u8]| memchr::memmem::find(near, package).is_some();
        if !bytes.starts_with(DOCUMENT) || !PACKAGES.iter().any(is_of_jenkins) {
            return Reading::NotMine;
        }
        if !candidate.at_end && bytes.len() < SIZE_MAX {
            return Reading::NeedMore { from: 0 };
        }
        let mut found = Found::default();
        for at in memchr::memmem::find_iter(bytes, ELEMENT) {
            read_key(bytes, at + ELEMENT.len(), &mut found);
        }
        if found.artifacts.is_empty() && found.faults.is_empty() {
            return Reading::NotMine;
        }
        // The document is searched for all else that it holds.
        Reading::Found(found)
    }
}

/// Reads what stands in an element, if it is encrypted.
fn read_key(bytes: &[u8], start: usize, found: &mut Found) {
    let limit = bytes.len().min(start + SECRET_MAX);
    let text = bytes.get(start..limit).unwrap_or_default();
    let blanks = text.len() - text.trim_ascii_start().len();
    let offset = start + blanks;
    let Some(secret) = text.get(blanks..).and_then(|text| text.strip_prefix(b"{")) else {
        return;
    };
    let mut tell = |reason, detail: &str| {
        found.faults.push(Fault {
            reason,
            offset,
            detail: format!("Jenkins: {detail}"),
        });
    };
    let length = secret
        .iter()
        .take_while(|b| base64_text::is_digit(**b))
        .count();
    let Some((digits, [b'}', ..])) = secret.split_at_checked(length) else {
        let is_cut = offset + 1 + length == bytes.len();
        return match is_cut {
            true => tell(
                GapReason::Truncated,
                "an encrypted private key without its end",
            ),
            false => tell(
                GapReason::Malformed,
                "an encrypted private key that is no base64",
            ),
        };
    };
    let Some(packed) = base64_text::decode(digits) else {
        return tell(
            GapReason::Malformed,
            "an encrypted private key that is no base64",
        );
    };
    if packed.first() != Some(&1) {
        return tell(
            GapReason::Unsupported,
            "an encrypted private key of another version",
        );
    }
    let Some(sealed) = ciphertext(&packed) else {
        return tell(
            GapReason::Malformed,
            "an encrypted private key of another length than it says",
        );
    };
    let key = KeyMaterial::Opaque(Hex(Sha256::digest(sealed).into()));
    let mut artifact = Artifact::new(Kind::PrivateKey, NAME, Encoding::Text, key);
    artifact.offset = offset;
    artifact.protection = Some(Protection::Encrypted);
    artifact.cipher = Some("AES-128-CBC".to_owned());
    found.artifacts.push(artifact);
}

/// What follows the header and the vector.
fn ciphertext(packed: &[u8]) -> Option<&[u8]> {
    let length = |at: usize| -> Option<usize> {
        let bytes = packed.get(at..)?.first_chunk()?;
        usize::try_from(u32::from_be_bytes(*bytes)).ok()
    };
    let (vector, sealed) = (length(1)?, length(5)?);
    let rest = packed.get(HEADER..)?.get(vector..)?;
    let fits =
        vector == BLOCK && sealed == rest.len() && sealed > 0 && sealed.is_multiple_of(BLOCK);
    fits.then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_must_agree() {
        let packed = |vector: u8, sealed: u8, rest: usize| {
            let mut packed = vec![1, 0, 0, 0, vector, 0, 0, 0, sealed];
            packed.resize(HEADER + rest, 7);
            packed
        };
        assert_eq!(ciphertext(&packed(16, 32, 48)), Some(&[7; 32][..]));
        for wrong in [
            packed(16, 32, 47),
            packed(16, 32, 49),
            packed(12, 32, 44),
            packed(16, 20, 36),
            packed(16, 0, 16),
            vec![1],
        ] {
            assert_eq!(ciphertext(&wrong), None);
        }
    }
}
