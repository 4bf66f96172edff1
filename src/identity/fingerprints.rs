//! The fingerprints that are taken from a public key or a certificate.

use super::public::Public;
use super::{ssh, weierstrass};
use crate::formats::wire::curves::Curve;
use crate::formats::wire::oid;
use crate::formats::wire::openpgp::keygrip::of_numbers;
use crate::model::{Hex, JwkThumbprint, Md5Hex, Sha1Hex, Sha256Hex, SshMd5, SshSha256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;

/// SHA-256.
pub(super) fn sha256(bytes: &[u8]) -> Sha256Hex {
    Hex(Sha256::digest(bytes).into())
}

/// SHA-1.
pub(super) fn sha1(bytes: &[u8]) -> Sha1Hex {
    Hex(Sha1::digest(bytes).into())
}

/// MD5.
pub(super) fn md5(bytes: &[u8]) -> Md5Hex {
    Hex(Md5::digest(bytes).into())
}

/// OpenSSH's two fingerprints of a blob.
pub(super) fn ssh(blob: &[u8]) -> (SshSha256, SshMd5) {
    let sha256 = SshSha256(Sha256::digest(blob).into());
    (sha256, SshMd5(Md5::digest(blob).into()))
}

/// The SSH blob from which a key's fingerprints are taken: OpenSSH takes them from the plain key, also for a
/// certificate, and so does this for the keys that it can write.
pub(super) fn ssh_blob<'a>(
    key: Option<&Public<'_>>,
    given: Option<&'a [u8]>,
) -> Option<Cow<'a, [u8]>> {
    key.and_then(ssh::write)
        .map(Cow::Owned)
        .or(given.map(Cow::Borrowed))
}

/// RFC 7638 with SHA-256; members of RFC 7518 (section 6), RFC 8037 (section 2) and RFC 8812 (section 3.1).
pub(super) fn jwk_thumbprint(key: &Public<'_>) -> Option<JwkThumbprint> {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let json = match key {
        Public::Rsa { n, e } => {
            format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, text(e), text(n))
        }
        Public::Ec { curve, point } => {
            let known = ["P-256", "P-384", "P-521", "secp256k1"].contains(&curve.name);
            if !known {
                return None;
            }
            format!(
                r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#,
                curve.name,
                text(&point.x),
                text(&point.y)
            )
        }
        Public::Raw { oid, key } => {
            let curve = match *oid {
                oid::ED25519 => "Ed25519",
                oid::ED448 => "Ed448",
                oid::X25519 => "X25519",
                oid::X448 => "X448",
                _ => return None,
            };
            format!(r#"{{"crv":"{curve}","kty":"OKP","x":"{}"}}"#, text(key))
        }
        _ => return None,
    };
    Some(JwkThumbprint(Sha256::digest(json).into()))
}

/// The key id of an OpenPGP fingerprint: the last 8 octets of a version 4 one, the first of a later one (RFC 9580,
/// section 5.5.4), the last of the modulus before version 4 (RFC 4880, section 12.2).
pub(super) fn pgp_keyid(fingerprint: &str, key: Option<&Public<'_>>) -> Option<String> {
    if let (32, Some(Public::Rsa { n, .. })) = (fingerprint.len(), key) {
        let last = n.get(n.len().checked_sub(8)?..)?;
        return Some(super::hex(last).to_ascii_uppercase());
    }
    let id = match fingerprint.len() {
        40 => fingerprint.get(24..),
        64 => fingerprint.get(..16),
        _ => None,
    };
    id.map(str::to_owned)
}

/// libgcrypt's keygrip: SHA-1 over the modulus of RSA with its sign byte, or over the parameters and the point
/// of a curve as an S-expression.
pub(super) fn keygrip(key: &Public<'_>) -> Option<Sha1Hex> {
    match key {
        Public::Rsa { n, .. } => {
            let mut hash = Sha1::new();
            if n.first().is_some_and(|b| b & 0x80 != 0) {
                hash.update([0]);
            }
            hash.update(n);
            Some(Hex(hash.finalize().into()))
        }
        Public::Ec { curve, point } => {
            let q = super::public::uncompressed(point);
            Some(curve_keygrip(&CurveNumbers::of(curve), &q))
        }
        Public::Dsa { p, q, g, y } => Some(of_numbers(&[('p', p), ('q', q), ('g', g), ('y', y)])),
        Public::Raw { oid, key } => {
            let curve = CurveNumbers::rfc_8410(oid)?;
            Some(curve_keygrip(&curve, key))
        }
        _ => None,
    }
}

struct CurveNumbers {
    p: Vec<u8>,
    a: Vec<u8>,
    b: Vec<u8>,
    g: Vec<u8>,
    n: Vec<u8>,
}

impl CurveNumbers {
    fn of(curve: &Curve) -> Self {
        let number = weierstrass::unhex;
        Self {
            p: number(curve.p),
            a: number(curve.a),
            b: number(curve.b),
            g: [vec![4], number(curve.gx), number(curve.gy)].concat(),
            n: number(curve.n),
        }
    }

    /// The curves of RFC 8032 and RFC 7748 as libgcrypt has them: the signs of Ed25519's `a` and `d` are dropped, and
    /// `a` of a Montgomery curve is (A - 2) / 4.
    fn rfc_8410(id: &[u8]) -> Option<Self> {
        let number = weierstrass::unhex;
        let p255 = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed";
        let n255 = "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed";
        let p448 = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffe\
                    ffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
        let n448 = "3fffffffffffffffffffffffffffffffffffffffffffffffffffffff\
                    7cca23e9c44edb49aed63690216cc2728dc58f552378c292ab5844f3";
        let (p, a, b, gx, gy, n) = match id {
            oid::ED25519 => (
                p255,
                "01",
                "2dfc9311d490018c7338bf8688861767ff8ff5b2bebe27548a14b235eca6874a",
                "216936d3cd6e53fec0a4e231fdd6dc5c692cc7609525a7b2c9562d608f25d51a",
                "6666666666666666666666666666666666666666666666666666666666666658",
                n255,
            ),
            oid::X25519 => (
                p255,
                "01db41",
                "01",
                "0000000000000000000000000000000000000000000000000000000000000009",
                "20ae19a1b8a086b4e01edd2c7748d14c923d4d7e6d7c61b229e9c5a27eced3d9",
                n255,
            ),
            oid::ED448 => (
                p448,
                "01",
                "fffffffffffffffffffffffffffffffffffffffffffffffffffffffe\
                 ffffffffffffffffffffffffffffffffffffffffffffffffffff6756",
                "4f1970c66bed0ded221d15a622bf36da9e146570470f1767ea6de324\
                 a3d3a46412ae1af72ab66511433b80e18b00938e2626a82bc70cc05e",
                "693f46716eb6bc248876203756c9c7624bea73736ca3984087789c1e\
                 05a0c2d73ad3ff1ce67c39c4fdbd132c4ed7c8ad9808795bf230fa14",
                n448,
            ),
            oid::X448 => (
                p448,
                "98a9",
                "01",
                "00000000000000000000000000000000000000000000000000000000\
                 00000000000000000000000000000000000000000000000000000005",
                "7d235d1295f5b1f66c98ab6e58326fcecbae5d34f55545d060f75dc2\
                 8df3f6edb8027e2346430d211312c4b150677af76fd7223d457b5b1a",
                n448,
            ),
            _ => return None,
        };
        Some(Self {
            p: number(p),
            a: number(a),
            b: number(b),
            g: [vec![4], number(gx), number(gy)].concat(),
            n: number(n),
        })
    }
}

fn curve_keygrip(curve: &CurveNumbers, point: &[u8]) -> Sha1Hex {
    let mut hash = Sha1::new();
    for (name, number) in [
        ('p', curve.p.as_slice()),
        ('a', &curve.a),
        ('b', &curve.b),
        ('g', &curve.g),
        ('n', &curve.n),
    ] {
        let number = crate::formats::wire::der::trim_zeros(number);
        hash.update(format!("(1:{name}{}:", number.len()));
        hash.update(number);
        hash.update(b")");
    }
    hash.update(format!("(1:q{}:", point.len()));
    hash.update(point);
    hash.update(b")");
    Hex(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7638, section 3.1.
    #[test]
    fn rsa_thumbprint_of_rfc_7638() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let key = Public::Rsa {
            n: URL_SAFE_NO_PAD.decode(n).unwrap().into(),
            e: vec![1, 0, 1].into(),
        };
        assert_eq!(
            jwk_thumbprint(&key).unwrap().to_string(),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
    }

    /// What libgcrypt 1.10.1 computes (`gcry_pk_get_keygrip`) for the public keys of RFC 8032, section 7.4, and RFC
    /// 7748, section 6.
    #[test]
    fn keygrips_of_the_curves_of_rfc_8410() {
        for (oid, key, grip) in [
            (
                oid::ED448,
                "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778edf124769b46c7061bd6783df1e50f6cd1fa1abeafe8256180",
                "437dd6ddea275d4502c17f767ae6ed45081c46c6",
            ),
            (
                oid::X448,
                "9b08f7cc31b7e3e67d22d5aea121074a273bd2b83de09c63faa73d2c22c5d9bbc836647241d953d40c5b12da88120d53177f80e532c41fa0",
                "eeed2eb987935372b289cf7a4016633f1735e9ea",
            ),
            (
                oid::X25519,
                "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
                "4c0f25cb33b48e5bddc915b66afdba7f6315dbaa",
            ),
        ] {
            let key = Public::Raw {
                oid,
                key: weierstrass::unhex(key).into(),
            };
            assert_eq!(keygrip(&key).unwrap().to_string(), grip);
        }
    }

    /// RFC 8037, appendix A.3.
    #[test]
    fn ed25519_thumbprint_of_rfc_8037() {
        let key = Public::Raw {
            oid: oid::ED25519,
            key: URL_SAFE_NO_PAD
                .decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
                .unwrap()
                .into(),
        };
        assert_eq!(
            jwk_thumbprint(&key).unwrap().to_string(),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }
}
