//! Points as OpenPGP and libgcrypt write them, as identity takes them.

use crate::formats::wire::der;
use crate::formats::wire::oid::{self, oid};
use crate::model::KeyMaterial;

/// Ed25519 under its older name (RFC 9580, section 9.2).
const ED25519_LEGACY: &[u8] = oid!(1, 3, 6, 1, 4, 1, 11591, 15, 1);
/// Curve25519 under its older name.
const CURVE25519_LEGACY: &[u8] = oid!(1, 3, 6, 1, 4, 1, 3029, 1, 5, 1);

/// What libgcrypt calls the curves.
const NAMES: &[(&str, &[u8])] = &[
    ("Ed25519", oid::ED25519),
    ("Curve25519", oid::X25519),
    ("Ed448", oid::ED448),
    ("X448", oid::X448),
    ("NIST P-192", oid!(1, 2, 840, 10045, 3, 1, 1)),
    ("NIST P-224", oid!(1, 3, 132, 0, 33)),
    ("NIST P-256", oid!(1, 2, 840, 10045, 3, 1, 7)),
    ("NIST P-384", oid!(1, 3, 132, 0, 34)),
    ("NIST P-521", oid!(1, 3, 132, 0, 35)),
    ("nistp192", oid!(1, 2, 840, 10045, 3, 1, 1)),
    ("nistp224", oid!(1, 3, 132, 0, 33)),
    ("nistp256", oid!(1, 2, 840, 10045, 3, 1, 7)),
    ("nistp384", oid!(1, 3, 132, 0, 34)),
    ("nistp521", oid!(1, 3, 132, 0, 35)),
    ("brainpoolP160r1", oid!(1, 3, 36, 3, 3, 2, 8, 1, 1, 1)),
    ("brainpoolP192r1", oid!(1, 3, 36, 3, 3, 2, 8, 1, 1, 3)),
    ("brainpoolP224r1", oid!(1, 3, 36, 3, 3, 2, 8, 1, 1, 5)),
    ("brainpoolP256r1", oid!(1, 3, 36, 3, 3, 2, 8, 1, 1, 7)),
    ("brainpoolP320r1", oid!(1, 3, 36, 3, 3, 2, 8, 1, 1, 9)),
    ("brainpoolP384r1", oid!(1, 3, 36, 3, 3, 2, 8, 1, 1, 11)),
    ("brainpoolP512r1", oid!(1, 3, 36, 3, 3, 2, 8, 1, 1, 13)),
    ("secp256k1", oid!(1, 3, 132, 0, 10)),
    ("sm2p256v1", oid!(1, 2, 156, 10197, 1, 301)),
];

/// The identifier of a curve that libgcrypt names, by name or in dotted decimal.
pub fn by_name(name: &[u8]) -> Option<&'static [u8]> {
    let text = std::str::from_utf8(name).ok()?;
    NAMES
        .iter()
        .find(|(known, id)| *known == text || oid::dotted(id) == text)
        .map(|(_, id)| *id)
}

/// A point on the curve of that identifier. Keys of RFC 8410 lose the octet 40 that stands before them (RFC 9580,
/// section 11.2.2), and get back the zeros that they lose where they are written as numbers.
pub fn point(id: &[u8], point: &[u8]) -> KeyMaterial {
    let (id, length) = match id {
        oid::ED25519 | ED25519_LEGACY => (oid::ED25519, 32),
        oid::X25519 | CURVE25519_LEGACY => (oid::X25519, 32),
        oid::ED448 => (oid::ED448, 57),
        oid::X448 => (oid::X448, 56),
        _ => {
            return KeyMaterial::Ec {
                parameters: der::encode(der::OID, &[id]),
                point: point.to_vec(),
            };
        }
    };
    let bare = match point {
        [0x40, rest @ ..] if rest.len() == length => rest,
        _ => point,
    };
    let mut public = vec![0; length.saturating_sub(bare.len())];
    public.extend_from_slice(bare);
    KeyMaterial::Raw {
        oid: id.to_vec(),
        public,
    }
}

/// Whether a curve is known by its identifier.
pub fn is_known(id: &[u8]) -> bool {
    matches!(id, ED25519_LEGACY | CURVE25519_LEGACY) || NAMES.iter().any(|(_, known)| *known == id)
}

/// Whether points on it may be written without the octet that comes first elsewhere, so that their length in bits varies.
pub fn is_bare(id: &[u8]) -> bool {
    matches!(id, oid::ED448 | oid::X448)
}
