//! What the database trusts a certificate for.

use super::attributes::{CERT_SHA1, Object, class};
use sha1::{Digest as _, Sha1};
use std::collections::BTreeMap;

/// CKA_TRUST_… of NSS, and whom they are about.
const USES: [(u32, &str); 4] = [
    (0xce53_6358, "servers"),
    (0xce53_6359, "clients"),
    (0xce53_635b, "mail"),
    (0xce53_635a, "code"),
];

/// Trust objects by the SHA-1 of their certificate.
pub(super) struct Trusts(BTreeMap<Vec<u8>, String>);

impl Trusts {
    pub(super) fn of(objects: &[Object]) -> Self {
        let of_object = |object: &Object| {
            let digest = object
                .bytes(CERT_SHA1)
                .filter(|_| object.class() == Some(class::TRUST))?;
            Some((digest.to_vec(), words(object)?))
        };
        Self(objects.iter().filter_map(of_object).collect())
    }

    /// What is trusted, in words.
    pub(super) fn words(&self, certificate: &[u8]) -> Option<String> {
        self.0.get(Sha1::digest(certificate).as_slice()).cloned()
    }
}

fn words(object: &Object) -> Option<String> {
    let mut told: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (attribute, whom) in USES {
        // CKT_NSS_…: TRUSTED, TRUSTED_DELEGATOR, NOT_TRUSTED, VALID_DELEGATOR.
        let word = match object.number(attribute) {
            Some(0xce53_4351) => "trusted itself for",
            Some(0xce53_4352) => "trusted as CA for",
            Some(0xce53_435a) => "distrusted for",
            Some(0xce53_435b) => "valid CA for",
            _ => continue,
        };
        told.entry(word).or_default().push(whom);
    }
    let parts: Vec<String> = told
        .iter()
        .map(|(word, whom)| format!("{word} {}", whom.join(", ")))
        .collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}
