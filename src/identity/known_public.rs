//! Keys whose private half everyone can have: test vectors, examples of standards, and defaults of products.

use crate::model::{KeyId, Sha256Hex};
use foldhash::HashMap;
use std::sync::OnceLock;

/// Digest and source, a key a line; made by `fixtures/generate/known_public.py`.
const LIST: &str = include_str!("known_public.txt");

/// Where the private half of a key is published, if it is known to be.
pub fn known_public(id: &KeyId) -> Option<&'static str> {
    static KEYS: OnceLock<HashMap<Sha256Hex, &'static str>> = OnceLock::new();
    let KeyId::Spki(digest) = id else {
        return None;
    };
    let keys = KEYS.get_or_init(|| LIST.lines().filter_map(entry).collect());
    keys.get(digest).copied()
}

fn entry(line: &'static str) -> Option<(Sha256Hex, &'static str)> {
    let (digest, source) = line.split_once(' ')?;
    Some((digest.parse().ok()?, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_an_entry() {
        let entries: Vec<_> = LIST.lines().map(|line| entry(line).unwrap()).collect();
        assert!(entries.len() >= 60);
        for (digest, source) in entries {
            assert_eq!(known_public(&KeyId::Spki(digest)), Some(source));
        }
    }

    #[test]
    fn others_are_not_in_it() {
        let digest = crate::model::Hex([7; 32]);
        assert_eq!(known_public(&KeyId::Spki(digest)), None);
        assert_eq!(known_public(&KeyId::Ssh(digest)), None);
    }
}
