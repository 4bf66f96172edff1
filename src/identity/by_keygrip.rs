//! Private keys of GnuPG that have no identity but for their keygrip: that of the key with the same one.

use crate::model::{KeyId, Sighting};
use std::borrow::BorrowMut;
use std::collections::HashMap;

/// Whether nothing but a keygrip tells which key it is.
pub fn has_keygrip_alone(s: &Sighting) -> bool {
    s.key_id.is_none() && s.fingerprints.keygrip().is_some()
}

/// Gives sightings without identity that of the key with the same keygrip, which is a digest of the whole public key: an
/// ElGamal key's file tells its numbers, and its public key tells the fingerprint too; an agent may name a key and not
/// tell its numbers.
pub fn fill_from_keygrips(sightings: &mut [impl BorrowMut<Sighting>]) {
    if !sightings.iter().any(|s| has_keygrip_alone(s.borrow())) {
        return;
    }
    let known: HashMap<_, KeyId> = sightings
        .iter()
        .map(|s| s.borrow())
        .filter_map(|s: &Sighting| match &s.key_id {
            Some(id @ (KeyId::Pgp(_) | KeyId::Spki(_))) => {
                Some((s.fingerprints.keygrip()?, id.clone()))
            }
            _ => None,
        })
        .collect();
    let sightings = sightings.iter_mut().map(|s| s.borrow_mut());
    for s in sightings.filter(|s| has_keygrip_alone(s)) {
        s.key_id = s
            .fingerprints
            .keygrip()
            .and_then(|grip| known.get(&grip).cloned());
    }
}
