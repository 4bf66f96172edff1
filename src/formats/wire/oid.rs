//! Object identifiers that the readers know, and how they are written.
//!
//! An identifier is handled as the contents bytes of its DER element (X.690, section 8.19), so that
//! comparing needs no decoding.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The contents bytes of an object identifier, given by its arcs, at compile time.
macro_rules! oid {
    ($($arc:literal),+ $(,)?) => {{
        const ARCS: &[u64] = &[$($arc),+];
        const LENGTH: usize = $crate::formats::wire::oid::encoded_length(ARCS);
        const BYTES: [u8; LENGTH] = $crate::formats::wire::oid::encode::<LENGTH>(ARCS);
        &BYTES
    }};
}
pub(crate) use oid;

/// How many bytes [`encode`] needs.
#[expect(
    clippy::indexing_slicing,
    reason = "runs at compile time, where a wrong index stops the build"
)]
pub(crate) const fn encoded_length(arcs: &[u64]) -> usize {
    let mut length = groups(arcs[0] * 40 + arcs[1]);
    let mut i = 2;
    while i < arcs.len() {
        length += groups(arcs[i]);
        i += 1;
    }
    length
}

/// Encodes arcs as the contents of an OBJECT IDENTIFIER (X.690, section 8.19).
#[expect(
    clippy::indexing_slicing,
    reason = "runs at compile time, where a wrong index stops the build; seven bits fit"
)]
pub(crate) const fn encode<const LENGTH: usize>(arcs: &[u64]) -> [u8; LENGTH] {
    let mut out = [0u8; LENGTH];
    let mut at = 0;
    let mut i = 1;
    while i < arcs.len() {
        let arc = if i == 1 {
            arcs[0] * 40 + arcs[1]
        } else {
            arcs[i]
        };
        let mut left = groups(arc);
        while left > 0 {
            left -= 1;
            let more = if left == 0 { 0 } else { 0x80 };
            out[at] = ((arc >> (7 * left)) & 0x7f) as u8 | more;
            at += 1;
        }
        i += 1;
    }
    out
}

const fn groups(arc: u64) -> usize {
    let mut groups = 1;
    let mut rest = arc >> 7;
    while rest > 0 {
        groups += 1;
        rest >>= 7;
    }
    groups
}

/// RSA encryption, PKCS#1 v1.5 (RFC 8017, appendix A.1).
pub const RSA: &[u8] = oid!(1, 2, 840, 113549, 1, 1, 1);
/// RSAES-OAEP (RFC 8017, appendix A.2.1).
pub const RSA_OAEP: &[u8] = oid!(1, 2, 840, 113549, 1, 1, 7);
/// RSASSA-PSS (RFC 8017, appendix A.2.3).
pub const RSA_PSS: &[u8] = oid!(1, 2, 840, 113549, 1, 1, 10);
/// The old X.500 name of RSA.
pub const RSA_X500: &[u8] = oid!(2, 5, 8, 1, 1);
/// Elliptic curve public key (RFC 5480, section 2.1.1).
pub const EC: &[u8] = oid!(1, 2, 840, 10045, 2, 1);
/// The same, restricted to ECDH.
pub const EC_DH: &[u8] = oid!(1, 3, 132, 1, 12);
/// The same, restricted to ECMQV.
pub const EC_MQV: &[u8] = oid!(1, 3, 132, 1, 13);
/// DSA (RFC 3279, section 2.3.2).
pub const DSA: &[u8] = oid!(1, 2, 840, 10040, 4, 1);
/// DSA as an early OIW draft named it.
pub const DSA_OIW: &[u8] = oid!(1, 3, 14, 3, 2, 12);
/// Diffie-Hellman of PKCS#3.
pub const DH: &[u8] = oid!(1, 2, 840, 113549, 1, 3, 1);
/// Diffie-Hellman of X9.42.
pub const DH_X942: &[u8] = oid!(1, 2, 840, 10046, 2, 1);
/// X25519 (RFC 8410, section 3).
pub const X25519: &[u8] = oid!(1, 3, 101, 110);
/// X448 (RFC 8410, section 3).
pub const X448: &[u8] = oid!(1, 3, 101, 111);
/// Ed25519 (RFC 8410, section 3).
pub const ED25519: &[u8] = oid!(1, 3, 101, 112);
/// Ed448 (RFC 8410, section 3).
pub const ED448: &[u8] = oid!(1, 3, 101, 113);
/// A field of integers modulo a prime (RFC 3279, section 2.3.5).
pub const PRIME_FIELD: &[u8] = oid!(1, 2, 840, 10045, 1, 1);
/// PBES2 (RFC 8018, appendix A.4).
pub const PBES2: &[u8] = oid!(1, 2, 840, 113549, 1, 5, 13);
/// PBKDF2 (RFC 8018, appendix A.2).
pub const PBKDF2: &[u8] = oid!(1, 2, 840, 113549, 1, 5, 12);
/// PBMAC1 (RFC 8018, appendix A.5).
pub const PBMAC1: &[u8] = oid!(1, 2, 840, 113549, 1, 5, 14);
/// scrypt (RFC 7914, section 7).
pub const SCRYPT: &[u8] = oid!(1, 3, 6, 1, 4, 1, 11591, 4, 11);
/// CMS signed data (RFC 5652, section 5.1).
pub const SIGNED_DATA: &[u8] = oid!(1, 2, 840, 113549, 1, 7, 2);
/// The arc of the PKCS#7 content types.
pub const PKCS7: &[u8] = oid!(1, 2, 840, 113549, 1, 7);
/// The attribute of a request that asks for extensions (RFC 2985, section 5.4.2).
pub const EXTENSION_REQUEST: &[u8] = oid!(1, 2, 840, 113549, 1, 9, 14);
/// The same as Microsoft wrote it first.
pub const MS_EXTENSION_REQUEST: &[u8] = oid!(1, 3, 6, 1, 4, 1, 311, 2, 1, 14);

type Names = &'static [(&'static [u8], &'static str)];

/// Key algorithms as NIST and the RFCs write them, except the families of FIPS 203 to 205.
static KEY_ALGORITHMS: Names = &[
    (RSA, "RSA"),
    (RSA_X500, "RSA"),
    (RSA_PSS, "RSASSA-PSS"),
    (RSA_OAEP, "RSAES-OAEP"),
    (EC, "EC"),
    (EC_DH, "EC"),
    (EC_MQV, "EC"),
    (DSA, "DSA"),
    (DSA_OIW, "DSA"),
    (DH, "DH"),
    (DH_X942, "DH"),
    (ED25519, "Ed25519"),
    (ED448, "Ed448"),
    (X25519, "X25519"),
    (X448, "X448"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 4, 1), "ML-KEM-512"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 4, 2), "ML-KEM-768"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 4, 3), "ML-KEM-1024"),
    (oid!(1, 2, 840, 113549, 1, 9, 16, 3, 17), "HSS-LMS"),
    (oid!(1, 3, 6, 1, 5, 5, 7, 6, 34), "XMSS"),
    (oid!(1, 3, 6, 1, 5, 5, 7, 6, 35), "XMSSMT"),
    (super::gost::KEY_2001, "GOST R 34.10-2001"),
    (
        super::gost::KEY_2012_256,
        "GOST R 34.10-2012 with 256 bit modulus",
    ),
    (
        super::gost::KEY_2012_512,
        "GOST R 34.10-2012 with 512 bit modulus",
    ),
];

/// FIPS 204 and 205: one identifier for the key and its signatures (RFC 9881, RFC 9909).
static POST_QUANTUM_SIGNATURES: Names = &[
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 17), "ML-DSA-44"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 18), "ML-DSA-65"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 19), "ML-DSA-87"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 20), "SLH-DSA-SHA2-128s"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 21), "SLH-DSA-SHA2-128f"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 22), "SLH-DSA-SHA2-192s"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 23), "SLH-DSA-SHA2-192f"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 24), "SLH-DSA-SHA2-256s"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 25), "SLH-DSA-SHA2-256f"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 26), "SLH-DSA-SHAKE-128s"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 27), "SLH-DSA-SHAKE-128f"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 28), "SLH-DSA-SHAKE-192s"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 29), "SLH-DSA-SHAKE-192f"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 30), "SLH-DSA-SHAKE-256s"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 31), "SLH-DSA-SHAKE-256f"),
    (
        oid!(2, 16, 840, 1, 101, 3, 4, 3, 32),
        "HASH-ML-DSA-44-WITH-SHA512",
    ),
    (
        oid!(2, 16, 840, 1, 101, 3, 4, 3, 33),
        "HASH-ML-DSA-65-WITH-SHA512",
    ),
    (
        oid!(2, 16, 840, 1, 101, 3, 4, 3, 34),
        "HASH-ML-DSA-87-WITH-SHA512",
    ),
];

/// Signature algorithms by OpenSSL's long names.
static SIGNATURES: Names = &[
    (oid!(1, 2, 840, 113549, 1, 1, 11), "sha256WithRSAEncryption"),
    (oid!(1, 2, 840, 10045, 4, 3, 2), "ecdsa-with-SHA256"),
    (oid!(1, 2, 840, 10045, 4, 3, 3), "ecdsa-with-SHA384"),
    (oid!(1, 2, 840, 113549, 1, 1, 12), "sha384WithRSAEncryption"),
    (oid!(1, 2, 840, 113549, 1, 1, 13), "sha512WithRSAEncryption"),
    (oid!(1, 2, 840, 113549, 1, 1, 5), "sha1WithRSAEncryption"),
    (oid!(1, 2, 840, 10045, 4, 3, 4), "ecdsa-with-SHA512"),
    (oid!(1, 2, 840, 10045, 4, 3, 1), "ecdsa-with-SHA224"),
    (oid!(1, 2, 840, 10045, 4, 1), "ecdsa-with-SHA1"),
    (oid!(1, 2, 840, 10045, 4, 2), "ecdsa-with-Recommended"),
    (oid!(1, 2, 840, 10045, 4, 3), "ecdsa-with-Specified"),
    (ED25519, "ED25519"),
    (ED448, "ED448"),
    (RSA_PSS, "rsassaPss"),
    (oid!(1, 2, 840, 113549, 1, 1, 14), "sha224WithRSAEncryption"),
    (
        oid!(1, 2, 840, 113549, 1, 1, 15),
        "sha512-224WithRSAEncryption",
    ),
    (
        oid!(1, 2, 840, 113549, 1, 1, 16),
        "sha512-256WithRSAEncryption",
    ),
    (oid!(1, 2, 840, 113549, 1, 1, 4), "md5WithRSAEncryption"),
    (oid!(1, 2, 840, 113549, 1, 1, 3), "md4WithRSAEncryption"),
    (oid!(1, 2, 840, 113549, 1, 1, 2), "md2WithRSAEncryption"),
    (oid!(1, 3, 36, 3, 3, 1, 2), "ripemd160WithRSA"),
    (oid!(1, 3, 14, 3, 2, 29), "sha1WithRSA"),
    (oid!(1, 3, 14, 3, 2, 3), "md5WithRSA"),
    (oid!(1, 2, 840, 10040, 4, 3), "dsaWithSHA1"),
    (oid!(1, 3, 14, 3, 2, 27), "dsaWithSHA1-old"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 1), "dsa_with_SHA224"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 2), "dsa_with_SHA256"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 3), "dsa_with_SHA384"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 4), "dsa_with_SHA512"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 9), "ecdsa_with_SHA3-224"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 10), "ecdsa_with_SHA3-256"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 11), "ecdsa_with_SHA3-384"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 12), "ecdsa_with_SHA3-512"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 13), "RSA-SHA3-224"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 14), "RSA-SHA3-256"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 15), "RSA-SHA3-384"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 16), "RSA-SHA3-512"),
    (oid!(1, 2, 156, 10197, 1, 501), "SM2-with-SM3"),
    (
        oid!(1, 2, 643, 2, 2, 3),
        "GOST R 34.11-94 with GOST R 34.10-2001",
    ),
    (
        oid!(1, 2, 643, 7, 1, 1, 3, 2),
        "GOST R 34.10-2012 with GOST R 34.11-2012 (256 bit)",
    ),
    (
        oid!(1, 2, 643, 7, 1, 1, 3, 3),
        "GOST R 34.10-2012 with GOST R 34.11-2012 (512 bit)",
    ),
];

/// Attribute types of names by OpenSSL's short names.
static ATTRIBUTES: Names = &[
    (oid!(2, 5, 4, 3), "CN"),
    (oid!(2, 5, 4, 10), "O"),
    (oid!(2, 5, 4, 11), "OU"),
    (oid!(2, 5, 4, 6), "C"),
    (oid!(2, 5, 4, 8), "ST"),
    (oid!(2, 5, 4, 7), "L"),
    (oid!(1, 2, 840, 113549, 1, 9, 1), "emailAddress"),
    (oid!(0, 9, 2342, 19200300, 100, 1, 25), "DC"),
    (oid!(0, 9, 2342, 19200300, 100, 1, 1), "UID"),
    (oid!(0, 9, 2342, 19200300, 100, 1, 3), "mail"),
    (oid!(2, 5, 4, 4), "SN"),
    (oid!(2, 5, 4, 5), "serialNumber"),
    (oid!(2, 5, 4, 9), "street"),
    (oid!(2, 5, 4, 12), "title"),
    (oid!(2, 5, 4, 13), "description"),
    (oid!(2, 5, 4, 15), "businessCategory"),
    (oid!(2, 5, 4, 16), "postalAddress"),
    (oid!(2, 5, 4, 17), "postalCode"),
    (oid!(2, 5, 4, 18), "postOfficeBox"),
    (oid!(2, 5, 4, 20), "telephoneNumber"),
    (oid!(2, 5, 4, 41), "name"),
    (oid!(2, 5, 4, 42), "GN"),
    (oid!(2, 5, 4, 43), "initials"),
    (oid!(2, 5, 4, 44), "generationQualifier"),
    (oid!(2, 5, 4, 45), "x500UniqueIdentifier"),
    (oid!(2, 5, 4, 46), "dnQualifier"),
    (oid!(2, 5, 4, 65), "pseudonym"),
    (oid!(2, 5, 4, 72), "role"),
    (oid!(2, 5, 4, 97), "organizationIdentifier"),
    (oid!(1, 2, 840, 113549, 1, 9, 2), "unstructuredName"),
    (oid!(1, 2, 840, 113549, 1, 9, 8), "unstructuredAddress"),
    (oid!(1, 3, 6, 1, 4, 1, 311, 60, 2, 1, 1), "jurisdictionL"),
    (oid!(1, 3, 6, 1, 4, 1, 311, 60, 2, 1, 2), "jurisdictionST"),
    (oid!(1, 3, 6, 1, 4, 1, 311, 60, 2, 1, 3), "jurisdictionC"),
    (oid!(1, 2, 643, 3, 131, 1, 1), "INN"),
    (oid!(1, 2, 643, 100, 1), "OGRN"),
    (oid!(1, 2, 643, 100, 3), "SNILS"),
];

/// Extended key usages by OpenSSL's short names, beyond those that x509-parser names.
static PURPOSES: Names = &[
    (oid!(1, 3, 6, 1, 4, 1, 311, 20, 2, 2), "msSmartcardLogin"),
    (oid!(1, 3, 6, 1, 4, 1, 311, 2, 1, 21), "msCodeInd"),
    (oid!(1, 3, 6, 1, 4, 1, 311, 2, 1, 22), "msCodeCom"),
    (oid!(1, 3, 6, 1, 4, 1, 311, 10, 3, 1), "msCTLSign"),
    (oid!(1, 3, 6, 1, 4, 1, 311, 10, 3, 3), "msSGC"),
    (oid!(1, 3, 6, 1, 4, 1, 311, 10, 3, 4), "msEFS"),
    (oid!(2, 16, 840, 1, 113730, 4, 1), "nsSGC"),
    (oid!(1, 3, 6, 1, 5, 5, 7, 3, 5), "ipsecEndSystem"),
    (oid!(1, 3, 6, 1, 5, 5, 7, 3, 6), "ipsecTunnel"),
    (oid!(1, 3, 6, 1, 5, 5, 7, 3, 7), "ipsecUser"),
    (oid!(1, 3, 6, 1, 5, 5, 7, 3, 10), "DVCS"),
    (oid!(1, 3, 6, 1, 5, 5, 7, 3, 17), "ipsecIKE"),
    (oid!(1, 3, 6, 1, 5, 5, 7, 3, 21), "secureShellClient"),
    (oid!(1, 3, 6, 1, 5, 5, 7, 3, 22), "secureShellServer"),
    (oid!(1, 3, 6, 1, 5, 5, 7, 3, 27), "cmcCA"),
    (oid!(1, 3, 6, 1, 5, 5, 7, 3, 28), "cmcRA"),
    (oid!(1, 3, 6, 1, 4, 1, 11129, 2, 4, 4), "ct_precert_signer"),
    (oid!(1, 3, 6, 1, 5, 2, 3, 4), "pkInitClientAuth"),
    (oid!(1, 3, 6, 1, 5, 2, 3, 5), "pkInitKDC"),
];

/// Password-based encryption, its ciphers and its pseudo-random functions, by OpenSSL's names.
static ENCRYPTION: Names = &[
    (PBES2, "PBES2"),
    (PBKDF2, "PBKDF2"),
    (PBMAC1, "PBMAC1"),
    (SCRYPT, "scrypt"),
    (oid!(1, 2, 840, 113549, 1, 5, 1), "pbeWithMD2AndDES-CBC"),
    (oid!(1, 2, 840, 113549, 1, 5, 3), "pbeWithMD5AndDES-CBC"),
    (oid!(1, 2, 840, 113549, 1, 5, 4), "pbeWithMD2AndRC2-CBC"),
    (oid!(1, 2, 840, 113549, 1, 5, 6), "pbeWithMD5AndRC2-CBC"),
    (oid!(1, 2, 840, 113549, 1, 5, 10), "pbeWithSHA1AndDES-CBC"),
    (oid!(1, 2, 840, 113549, 1, 5, 11), "pbeWithSHA1AndRC2-CBC"),
    (
        oid!(1, 2, 840, 113549, 1, 12, 1, 1),
        "pbeWithSHA1And128BitRC4",
    ),
    (
        oid!(1, 2, 840, 113549, 1, 12, 1, 2),
        "pbeWithSHA1And40BitRC4",
    ),
    (
        oid!(1, 2, 840, 113549, 1, 12, 1, 3),
        "pbeWithSHA1And3-KeyTripleDES-CBC",
    ),
    (
        oid!(1, 2, 840, 113549, 1, 12, 1, 4),
        "pbeWithSHA1And2-KeyTripleDES-CBC",
    ),
    (
        oid!(1, 2, 840, 113549, 1, 12, 1, 5),
        "pbeWithSHA1And128BitRC2-CBC",
    ),
    (
        oid!(1, 2, 840, 113549, 1, 12, 1, 6),
        "pbeWithSHA1And40BitRC2-CBC",
    ),
    (oid!(1, 2, 840, 113549, 2, 7), "hmacWithSHA1"),
    (oid!(1, 2, 840, 113549, 2, 8), "hmacWithSHA224"),
    (oid!(1, 2, 840, 113549, 2, 9), "hmacWithSHA256"),
    (oid!(1, 2, 840, 113549, 2, 10), "hmacWithSHA384"),
    (oid!(1, 2, 840, 113549, 2, 11), "hmacWithSHA512"),
    (oid!(1, 2, 840, 113549, 2, 12), "hmacWithSHA512-224"),
    (oid!(1, 2, 840, 113549, 2, 13), "hmacWithSHA512-256"),
    (oid!(1, 3, 6, 1, 5, 5, 8, 1, 1), "hmac-md5"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 2, 13), "hmac-sha3-224"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 2, 14), "hmac-sha3-256"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 2, 15), "hmac-sha3-384"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 2, 16), "hmac-sha3-512"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 1, 2), "aes-128-cbc"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 1, 22), "aes-192-cbc"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 1, 42), "aes-256-cbc"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 1, 6), "aes-128-gcm"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 1, 26), "aes-192-gcm"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 1, 46), "aes-256-gcm"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 1, 7), "aes-128-ccm"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 1, 27), "aes-192-ccm"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 1, 47), "aes-256-ccm"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 1, 8), "id-aes128-wrap-pad"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 1, 28), "id-aes192-wrap-pad"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 1, 48), "id-aes256-wrap-pad"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 1, 3), "aes-128-ofb"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 1, 4), "aes-128-cfb"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 1, 23), "aes-192-ofb"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 1, 24), "aes-192-cfb"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 1, 43), "aes-256-ofb"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 1, 44), "aes-256-cfb"),
    (oid!(1, 2, 840, 113549, 3, 7), "des-ede3-cbc"),
    (oid!(1, 2, 840, 113549, 3, 2), "rc2-cbc"),
    (oid!(1, 2, 840, 113549, 3, 4), "rc4"),
    (oid!(1, 3, 14, 3, 2, 7), "des-cbc"),
    (oid!(1, 2, 392, 200011, 61, 1, 1, 1, 2), "camellia-128-cbc"),
    (oid!(1, 2, 392, 200011, 61, 1, 1, 1, 3), "camellia-192-cbc"),
    (oid!(1, 2, 392, 200011, 61, 1, 1, 1, 4), "camellia-256-cbc"),
    (oid!(1, 2, 410, 200004, 1, 4), "seed-cbc"),
    (oid!(1, 2, 410, 200046, 1, 1, 2), "aria-128-cbc"),
    (oid!(1, 2, 410, 200046, 1, 1, 7), "aria-192-cbc"),
    (oid!(1, 2, 410, 200046, 1, 1, 12), "aria-256-cbc"),
    (oid!(1, 2, 156, 10197, 1, 104, 2), "sm4-cbc"),
    (oid!(1, 2, 643, 2, 2, 21), "GOST 28147-89"),
    (
        oid!(1, 2, 643, 7, 1, 1, 4, 1),
        "HMAC GOST 34.11-2012 256 bit",
    ),
    (
        oid!(1, 2, 643, 7, 1, 1, 4, 2),
        "HMAC GOST 34.11-2012 512 bit",
    ),
];

/// The name of a key algorithm, as NIST and the RFCs write it.
pub fn key_algorithm(oid: &[u8]) -> Option<&'static str> {
    find(KEY_ALGORITHMS, oid).or_else(|| find(POST_QUANTUM_SIGNATURES, oid))
}

/// The name of a signature algorithm, as OpenSSL writes it.
pub fn signature_algorithm(oid: &[u8]) -> Option<&'static str> {
    find(SIGNATURES, oid).or_else(|| find(POST_QUANTUM_SIGNATURES, oid))
}

/// The name of an attribute type, as OpenSSL abbreviates it.
pub fn attribute(oid: &[u8]) -> Option<&'static str> {
    find(ATTRIBUTES, oid)
}

/// The name of an extended key usage, as OpenSSL abbreviates it.
pub fn purpose(oid: &[u8]) -> Option<&'static str> {
    find(PURPOSES, oid)
}

/// The name of an encryption scheme, cipher, key derivation or pseudo-random function.
pub fn encryption(oid: &[u8]) -> Option<&'static str> {
    find(ENCRYPTION, oid)
}

/// The given name, else the identifier in dotted decimal.
pub fn named(name: Option<&'static str>, oid: &[u8]) -> Cow<'static, str> {
    name.map_or_else(|| dotted(oid).into(), Cow::Borrowed)
}

fn find(names: Names, oid: &[u8]) -> Option<&'static str> {
    names
        .iter()
        .find_map(|(known, name)| (*known == oid).then_some(*name))
}

/// Dotted decimal. An arc of more than 64 bits, or a cut one, is written as `?`.
pub fn dotted(oid: &[u8]) -> String {
    let mut text = String::with_capacity(oid.len().saturating_mul(3));
    let mut arc = Some(0u64);
    let mut open = false;
    for byte in oid {
        arc = arc
            .filter(|a| a >> 57 == 0)
            .map(|a| a << 7 | u64::from(byte & 0x7f));
        open = byte & 0x80 != 0;
        if !open {
            push_arc(&mut text, arc);
            arc = Some(0);
        }
    }
    if open {
        push_arc(&mut text, None);
    }
    text
}

fn push_arc(text: &mut String, arc: Option<u64>) {
    // Writing to a String does not fail.
    let _ = match (text.is_empty(), arc) {
        (true, Some(first)) => {
            let root = (first / 40).min(2);
            write!(text, "{root}.{}", first - root * 40)
        }
        (true, None) => write!(text, "?"),
        (false, Some(arc)) => write!(text, ".{arc}"),
        (false, None) => write!(text, ".?"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arcs_become_contents_bytes_and_back() {
        // X.690, section 8.19.5, has 2.999.3 as its example.
        assert_eq!(oid!(2, 999, 3), &[0x88, 0x37, 0x03]);
        assert_eq!(dotted(oid!(2, 999, 3)), "2.999.3");
        assert_eq!(dotted(RSA), "1.2.840.113549.1.1.1");
        assert_eq!(RSA, [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]);
        assert_eq!(dotted(&[0xff; 12]), "?");
        assert_eq!(dotted(&[0x2a, 0x86]), "1.2.?");
    }

    #[test]
    fn no_identifier_has_two_names_in_one_table() {
        for table in [
            KEY_ALGORITHMS,
            POST_QUANTUM_SIGNATURES,
            SIGNATURES,
            ATTRIBUTES,
            PURPOSES,
            ENCRYPTION,
        ] {
            for (i, (oid, name)) in table.iter().enumerate() {
                assert_eq!(find(table, oid), Some(*name), "entry {i}");
            }
        }
    }

    /// The long names are OpenSSL's. A release that does not know one writes the number back.
    #[test]
    fn names_are_those_of_openssl() {
        let mut known = 0;
        for (id, name) in SIGNATURES.iter().chain(ENCRYPTION) {
            let output = std::process::Command::new("openssl")
                .args(["asn1parse", "-genstr", &format!("OID:{}", dotted(id))])
                .output()
                .expect("openssl can be run");
            let text = String::from_utf8(output.stdout).unwrap();
            let told = text.trim().rsplit_once(':').expect("an object").1;
            if told != dotted(id) {
                assert_eq!(told, *name);
                known += 1;
            }
        }
        assert!(known > 70, "{known}");
    }
}
