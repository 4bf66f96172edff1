//! Names of symmetric keys that do not help to guess them (contract, section 2).

use crate::model::{Hex, KeyId, Secret};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// Separates these digests from every other use of SHA-256 over the same bytes.
const DOMAIN: &[u8] = b"keymuster secret key id, version 1\0";
/// A shorter key could be found by trying all of them.
const RANDOM_MIN: usize = 16;

/// The id of a symmetric key: a digest of a random one of 128 bits and more, else an HMAC under the user's key if
/// there is one.
pub(super) fn key_id(
    algorithm: &str,
    key: &Secret,
    random: bool,
    secret_id_key: Option<&Secret>,
) -> Option<KeyId> {
    let key = key.expose();
    // Zeros, or one byte over and over, are a placeholder and no key.
    let varied = key.windows(2).any(|pair| pair.first() != pair.last());
    let parts: [&[u8]; 4] = [DOMAIN, algorithm.as_bytes(), b"\0", key];
    let digest: [u8; 32] = if random && varied && key.len() >= RANDOM_MIN {
        let mut hash = Sha256::new();
        parts.iter().for_each(|part| hash.update(part));
        hash.finalize().into()
    } else {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret_id_key?.expose()).ok()?;
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    };
    digest.first_chunk().map(|first| KeyId::Secret(Hex(*first)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(algorithm: &str, key: &[u8], random: bool, with: Option<&[u8]>) -> Option<String> {
        let with = with.map(Secret::copy_of);
        key_id(algorithm, &Secret::copy_of(key), random, with.as_ref()).map(|id| id.to_string())
    }

    #[test]
    fn random_keys_have_a_digest_and_guessable_ones_only_under_a_key() {
        // printf 'keymuster secret key id, version 1\0AES\0%s' 0123456789abcdef | sha256sum
        let expected = "secret:8069885a62915d63aed6dedc7b050337";
        assert_eq!(
            id("AES", b"0123456789abcdef", true, None).as_deref(),
            Some(expected)
        );
        assert_eq!(id("AES", b"0123456789abcde", true, None), None);
        assert_eq!(id("AES", &[7; 32], true, None), None);
        assert_eq!(id("AES", b"0123456789abcdef", false, None), None);
        // printf 'keymuster secret key id, version 1\0AES\0%s' 0123456789abcdef | openssl dgst -sha256 -hmac k
        let keyed = "secret:9c08c6de3a174603ed59387595f8046b";
        assert_eq!(
            id("AES", b"0123456789abcdef", false, Some(b"k")).as_deref(),
            Some(keyed)
        );
    }
}
