//! The public numbers of a key as libgcrypt's S-expressions name them.

use super::sexp::Node;
use super::{curve, keygrip};
use crate::formats::wire::der::trim_zeros;
use crate::model::{Artifact, Encoding, KeyMaterial, Kind, Sha1Hex};
use std::borrow::Cow;

/// What the numbers of one key tell.
pub struct Numbers {
    material: KeyMaterial,
    name: Option<&'static str>,
    bits: Option<u32>,
    keygrip: Option<Sha1Hex>,
}

impl Numbers {
    /// The public numbers of `(rsa (n …) (e …))` and its like; none of an algorithm or curve that is not known.
    pub fn read(key: &Node<'_>) -> Option<Self> {
        let number = |name| {
            let bytes = key.value(name)?.bytes()?;
            let number = trim_zeros(&bytes);
            (!number.is_empty()).then(|| number.to_vec())
        };
        let of = |material| Self {
            material,
            name: None,
            bits: None,
            keygrip: None,
        };
        Some(match key.name()? {
            b"rsa" | b"openpgp-rsa" | b"oid.1.2.840.113549.1.1.1" => of(KeyMaterial::Rsa {
                n: number("n")?,
                e: number("e")?,
            }),
            b"dsa" | b"openpgp-dsa" => of(KeyMaterial::Dsa {
                p: number("p")?,
                q: number("q")?,
                g: number("g")?,
                y: number("y")?,
            }),
            b"elg" | b"openpgp-elg" | b"openpgp-elg-sig" => {
                let (p, g, y) = (number("p")?, number("g")?, number("y")?);
                let bits = u32::try_from(p.len()).ok()?.saturating_mul(8)
                    - p.first().map_or(0, |b| b.leading_zeros());
                Self {
                    name: Some("ElGamal"),
                    bits: Some(bits),
                    // Its OpenPGP fingerprint, and so its identity, is where the public key is.
                    keygrip: Some(keygrip::of_numbers(&[('p', &p), ('g', &g), ('y', &y)])),
                    ..of(KeyMaterial::Unknown)
                }
            }
            b"ecc" | b"ecdsa" | b"ecdh" | b"eddsa" | b"openpgp-ecc" => {
                let id = curve::by_name(&key.value("curve")?.bytes()?)?;
                of(curve::point(id, &key.value("q")?.bytes()?))
            }
            _ => return None,
        })
    }

    /// A key of these numbers.
    pub fn into_artifact(self, kind: Kind, format: &'static str, encoding: Encoding) -> Artifact {
        let mut artifact = Artifact::new(kind, format, encoding, self.material);
        artifact.algorithm = self.name.map(Cow::Borrowed);
        artifact.bits = self.bits;
        artifact.keygrip = self.keygrip;
        artifact
    }
}
