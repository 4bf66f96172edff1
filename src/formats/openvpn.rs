//! OpenVPN's static keys (openvpn(8), "--secret", "--tls-auth", "--tls-crypt"), and the keys of `--tls-crypt-v2`
//! (`doc/tls-crypt-v2.txt` of its sources).

use super::Format;
use crate::model::{
    Artifact, Candidate, Clue, Fault, Found, GapReason, KeyMaterial, Kind, Protection, Reading,
    Secret,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

/// The reader of the three armours.
pub struct Openvpn;

const STATIC: &str = "OpenVPN Static key V1";
const CLIENT: &str = "OpenVPN tls-crypt-v2 client key";
const SERVER: &str = "OpenVPN tls-crypt-v2 server key";

/// Two directions, a cipher's and an HMAC's key of 64 bytes each.
const STATIC_BYTES: usize = 256;
/// One direction: what the server wraps its clients' keys with.
const SERVER_BYTES: usize = 128;

impl Format for Openvpn {
    fn name(&self) -> &'static str {
        "openvpn"
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::PemBody]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let label = candidate.label.unwrap_or_default();
        let (algorithm, key) = match label {
            STATIC => ("OpenVPN static key", hexadecimal(candidate.bytes)),
            // The wrapped copy for the server stands behind the key.
            CLIENT => {
                let longer = candidate.bytes.len() > STATIC_BYTES;
                let key = candidate.bytes.get(..STATIC_BYTES).filter(|_| longer);
                ("OpenVPN tls-crypt-v2 client key", key.map(copy))
            }
            SERVER => {
                let whole = candidate.bytes.len() == SERVER_BYTES;
                let key = whole.then(|| copy(candidate.bytes));
                ("OpenVPN tls-crypt-v2 server key", key)
            }
            _ => return Reading::NotMine,
        };
        let mut found = Found {
            end: candidate.bytes.len(),
            ..Found::default()
        };
        let Some(key) = key else {
            found.faults.push(Fault {
                reason: GapReason::Malformed,
                offset: 0,
                detail: format!("{label}: its body has no length of such a key"),
            });
            return Reading::Found(found);
        };
        let material = KeyMaterial::Symmetric(Secret::copy_of(&key));
        let mut artifact = Artifact::new(
            Kind::SymmetricKey,
            self.name(),
            candidate.encoding,
            material,
        );
        artifact.algorithm = Some(algorithm.into());
        artifact.bits = u32::try_from(key.len() * 8).ok();
        artifact.protection = Some(Protection::None);
        found.artifacts.push(artifact);
        Reading::Found(found)
    }
}

fn copy(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(bytes.to_vec())
}

/// The body of a static key is hexadecimal, whose digits the armour took for base64: they are taken back.
fn hexadecimal(decoded: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if decoded.len() != STATIC_BYTES / 2 * 3 {
        return None;
    }
    let digits = Zeroizing::new(STANDARD_NO_PAD.encode(decoded));
    let mut key = Zeroizing::new(Vec::with_capacity(STATIC_BYTES));
    for pair in digits.as_bytes().chunks_exact(2) {
        let [high, low] = pair else { return None };
        let digit = |byte: &u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            b'A'..=b'F' => Some(byte - b'A' + 10),
            _ => None,
        };
        key.push(digit(high)? << 4 | digit(low)?);
    }
    Some(key)
}
