//! RSA keys of a sweep that share a prime: whoever has both moduli has both keys.

use crate::identity;
use crate::model::{KeyId, Sighting};
use std::collections::{BTreeMap, BTreeSet};

/// Compares all RSA moduli of a sweep with each other, tells those that share a prime, and drops the moduli.
pub(super) fn tell(sightings: &mut [Sighting]) {
    let mut moduli: BTreeMap<Box<[u8]>, Vec<usize>> = BTreeMap::new();
    for (number, sighting) in sightings.iter_mut().enumerate() {
        if let Some(modulus) = sighting.take_modulus() {
            moduli.entry(modulus).or_default().push(number);
        }
    }
    let list: Vec<&[u8]> = moduli.keys().map(|modulus| &**modulus).collect();
    let shared = identity::sharing_primes(&list);
    let found: Vec<usize> = moduli
        .values()
        .zip(shared)
        .filter(|(_, shared)| *shared)
        .flat_map(|(numbers, _)| numbers.iter().copied())
        .collect();
    let keys: BTreeSet<KeyId> = found
        .iter()
        .filter_map(|&n| sightings.get(n)?.key_id.clone())
        .collect();
    for number in found {
        let others = keys.len().saturating_sub(1);
        if let Some(sighting) = sightings
            .get_mut(number)
            .filter(|s| s.factorable().is_none())
        {
            let text = format!(
                "its modulus has a prime in common with another one of this sweep (of {others} that share primes)"
            );
            sighting.rare_mut().factorable = Some(text.into());
        }
    }
}
