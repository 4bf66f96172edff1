//! Recipients of age (C2SP, age.md, "The X25519 recipient type").

use super::bech32::{self, Bech32};
use super::oid;
use crate::model::{Artifact, Encoding, KeyMaterial, Kind};

/// The longest recipient that is believed; post-quantum ones have some 2,000 characters.
pub const TEXT_MAX: usize = 8 * 1024;

/// The public key that a recipient (`age1…`) is; none for those of plugins.
pub fn recipient(text: &[u8], format: &'static str) -> Option<Artifact> {
    let Bech32 { word, data } = bech32::decode(text.get(..TEXT_MAX).unwrap_or(text))?;
    let material = match word.as_str() {
        "age" if data.len() == 32 => KeyMaterial::Raw {
            oid: oid::X25519.to_vec(),
            public: data.to_vec(),
        },
        "age1pq" => KeyMaterial::Unknown,
        _ => return None,
    };
    let mut artifact = Artifact::new(Kind::PublicKey, format, Encoding::Text, material);
    if matches!(artifact.key, KeyMaterial::Unknown) {
        artifact.algorithm = Some("MLKEM768-X25519".into());
    }
    Some(artifact)
}
