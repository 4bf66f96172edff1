//! Keys of GOST R 34.10 and the parameter sets that they name (RFC 4357, section 11.4; RFC 7836, appendix A; RFC 9215).

use super::curves::Curve;
use super::der::{self, Element};
use super::oid::oid;

/// GOST R 34.10-2001 (RFC 4491, section 2.3.2).
pub const KEY_2001: &[u8] = oid!(1, 2, 643, 2, 2, 19);
/// GOST R 34.10-2012 with keys of 256 bits (RFC 9215, section 4).
pub const KEY_2012_256: &[u8] = oid!(1, 2, 643, 7, 1, 1, 1, 1);
/// GOST R 34.10-2012 with keys of 512 bits.
pub const KEY_2012_512: &[u8] = oid!(1, 2, 643, 7, 1, 1, 1, 2);

/// Whether this identifies a key of GOST R 34.10.
pub fn is_key(oid: &[u8]) -> bool {
    [KEY_2001, KEY_2012_256, KEY_2012_512].contains(&oid)
}

/// The parameter set that the parameters of an AlgorithmIdentifier name (RFC 9215, section 4.2): the first member, before the
/// hash function and, in older keys, the cipher.
pub fn parameter_set(parameters: &Element<'_>) -> Option<&'static Curve> {
    let mut fields = parameters.enter(der::SEQUENCE).ok()?;
    let id = fields.expect(der::OID).ok()?.content;
    SETS.iter().find(|set| set.oid == id)
}

/// The public key inside the BIT STRING: an OCTET STRING of both coordinates, least significant byte first (RFC 9215, section 4.3).
pub fn coordinates(key: &[u8]) -> Option<&[u8]> {
    let element = Element::read_all(key).ok()?;
    (element.tag == der::OCTET_STRING).then_some(element.content)
}

/// The parameter sets by the names of their identifiers. Several identifiers name one curve.
pub static SETS: &[Curve] = &[
    named(
        "id-GostR3410-2001-TestParamSet",
        oid!(1, 2, 643, 2, 2, 35, 0),
        &TEST,
    ),
    named(
        "id-GostR3410-2001-CryptoPro-A-ParamSet",
        oid!(1, 2, 643, 2, 2, 35, 1),
        &CRYPTO_PRO_A,
    ),
    named(
        "id-GostR3410-2001-CryptoPro-B-ParamSet",
        oid!(1, 2, 643, 2, 2, 35, 2),
        &CRYPTO_PRO_B,
    ),
    named(
        "id-GostR3410-2001-CryptoPro-C-ParamSet",
        oid!(1, 2, 643, 2, 2, 35, 3),
        &CRYPTO_PRO_C,
    ),
    named(
        "id-GostR3410-2001-CryptoPro-XchA-ParamSet",
        oid!(1, 2, 643, 2, 2, 36, 0),
        &CRYPTO_PRO_A,
    ),
    named(
        "id-GostR3410-2001-CryptoPro-XchB-ParamSet",
        oid!(1, 2, 643, 2, 2, 36, 1),
        &CRYPTO_PRO_C,
    ),
    named(
        "id-tc26-gost-3410-2012-256-paramSetA",
        oid!(1, 2, 643, 7, 1, 2, 1, 1, 1),
        &TC26_256_A,
    ),
    named(
        "id-tc26-gost-3410-2012-256-paramSetB",
        oid!(1, 2, 643, 7, 1, 2, 1, 1, 2),
        &CRYPTO_PRO_A,
    ),
    named(
        "id-tc26-gost-3410-2012-256-paramSetC",
        oid!(1, 2, 643, 7, 1, 2, 1, 1, 3),
        &CRYPTO_PRO_B,
    ),
    named(
        "id-tc26-gost-3410-2012-256-paramSetD",
        oid!(1, 2, 643, 7, 1, 2, 1, 1, 4),
        &CRYPTO_PRO_C,
    ),
    named(
        "id-tc26-gost-3410-2012-512-paramSetA",
        oid!(1, 2, 643, 7, 1, 2, 1, 2, 1),
        &TC26_512_A,
    ),
    named(
        "id-tc26-gost-3410-2012-512-paramSetB",
        oid!(1, 2, 643, 7, 1, 2, 1, 2, 2),
        &TC26_512_B,
    ),
    named(
        "id-tc26-gost-3410-2012-512-paramSetC",
        oid!(1, 2, 643, 7, 1, 2, 1, 2, 3),
        &TC26_512_C,
    ),
];

/// A curve under one of its names.
const fn named(name: &'static str, oid: &'static [u8], curve: &Curve) -> Curve {
    Curve {
        name,
        oid,
        ..*curve
    }
}

const TEST: Curve = Curve {
    name: "",
    oid: &[],
    bits: 256,
    p: "8000000000000000000000000000000000000000000000000000000000000431",
    a: "0000000000000000000000000000000000000000000000000000000000000007",
    b: "5fbff498aa938ce739b8e022fbafef40563f6e6a3472fc2a514c0ce9dae23b7e",
    gx: "0000000000000000000000000000000000000000000000000000000000000002",
    gy: "08e2a8a0e65147d4bd6316030e16d19c85c97f0a9ca267122b96abbcea7e8fc8",
    n: "8000000000000000000000000000000150fe8a1892976154c59cfc193accf5b3",
};

const CRYPTO_PRO_A: Curve = Curve {
    name: "",
    oid: &[],
    bits: 256,
    p: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd97",
    a: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd94",
    b: "00000000000000000000000000000000000000000000000000000000000000a6",
    gx: "0000000000000000000000000000000000000000000000000000000000000001",
    gy: "8d91e471e0989cda27df505a453f2b7635294f2ddf23e3b122acc99c9e9f1e14",
    n: "ffffffffffffffffffffffffffffffff6c611070995ad10045841b09b761b893",
};

const CRYPTO_PRO_B: Curve = Curve {
    name: "",
    oid: &[],
    bits: 256,
    p: "8000000000000000000000000000000000000000000000000000000000000c99",
    a: "8000000000000000000000000000000000000000000000000000000000000c96",
    b: "3e1af419a269a5f866a7d3c25c3df80ae979259373ff2b182f49d4ce7e1bbc8b",
    gx: "0000000000000000000000000000000000000000000000000000000000000001",
    gy: "3fa8124359f96680b83d1c3eb2c070e5c545c9858d03ecfb744bf8d717717efc",
    n: "800000000000000000000000000000015f700cfff1a624e5e497161bcc8a198f",
};

const CRYPTO_PRO_C: Curve = Curve {
    name: "",
    oid: &[],
    bits: 256,
    p: "9b9f605f5a858107ab1ec85e6b41c8aacf846e86789051d37998f7b9022d759b",
    a: "9b9f605f5a858107ab1ec85e6b41c8aacf846e86789051d37998f7b9022d7598",
    b: "000000000000000000000000000000000000000000000000000000000000805a",
    gx: "0000000000000000000000000000000000000000000000000000000000000000",
    gy: "41ece55743711a8c3cbf3783cd08c0ee4d4dc440d4641a8f366e550dfdb3bb67",
    n: "9b9f605f5a858107ab1ec85e6b41c8aa582ca3511eddfb74f02f3a6598980bb9",
};

const TC26_256_A: Curve = Curve {
    name: "",
    oid: &[],
    bits: 256,
    p: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd97",
    a: "c2173f1513981673af4892c23035a27ce25e2013bf95aa33b22c656f277e7335",
    b: "295f9bae7428ed9ccc20e7c359a9d41a22fccd9108e17bf7ba9337a6f8ae9513",
    gx: "91e38443a5e82c0d880923425712b2bb658b9196932e02c78b2582fe742daa28",
    gy: "32879423ab1a0375895786c4bb46e9565fde0b5344766740af268adb32322e5c",
    n: "400000000000000000000000000000000fd8cddfc87b6635c115af556c360c67",
};

const TC26_512_A: Curve = Curve {
    name: "",
    oid: &[],
    bits: 512,
    p: "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
        fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffdc7",
    a: "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
        fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffdc4",
    b: "e8c2505dedfc86ddc1bd0b2b6667f1da34b82574761cb0e879bd081cfd0b6265\
        ee3cb090f30d27614cb4574010da90dd862ef9d4ebee4761503190785a71c760",
    gx: "0000000000000000000000000000000000000000000000000000000000000000\
        0000000000000000000000000000000000000000000000000000000000000003",
    gy: "7503cfe87a836ae3a61b8816e25450e6ce5e1c93acf1abc1778064fdcbefa921\
        df1626be4fd036e93d75e6a50e3a41e98028fe5fc235f5b889a589cb5215f2a4",
    n: "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
        27e69532f48d89116ff22b8d4e0560609b4b38abfad2b85dcacdb1411f10b275",
};

const TC26_512_B: Curve = Curve {
    name: "",
    oid: &[],
    bits: 512,
    p: "8000000000000000000000000000000000000000000000000000000000000000\
        000000000000000000000000000000000000000000000000000000000000006f",
    a: "8000000000000000000000000000000000000000000000000000000000000000\
        000000000000000000000000000000000000000000000000000000000000006c",
    b: "687d1b459dc841457e3e06cf6f5e2517b97c7d614af138bcbf85dc806c4b289f\
        3e965d2db1416d217f8b276fad1ab69c50f78bee1fa3106efb8ccbc7c5140116",
    gx: "0000000000000000000000000000000000000000000000000000000000000000\
        0000000000000000000000000000000000000000000000000000000000000002",
    gy: "1a8f7eda389b094c2c071e3647a8940f3c123b697578c213be6dd9e6c8ec7335\
        dcb228fd1edf4a39152cbcaaf8c0398828041055f94ceeec7e21340780fe41bd",
    n: "8000000000000000000000000000000000000000000000000000000000000001\
        49a1ec142565a545acfdb77bd9d40cfa8b996712101bea0ec6346c54374f25bd",
};

const TC26_512_C: Curve = Curve {
    name: "",
    oid: &[],
    bits: 512,
    p: "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
        fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffdc7",
    a: "dc9203e514a721875485a529d2c722fb187bc8980eb866644de41c68e1430645\
        46e861c0e2c9edd92ade71f46fcf50ff2ad97f951fda9f2a2eb6546f39689bd3",
    b: "b4c4ee28cebc6c2c8ac12952cf37f16ac7efb6a9f69f4b57ffda2e4f0de5ade0\
        38cbc2fff719d2c18de0284b8bfef3b52b8cc7a5f5bf0a3c8d2319a5312557e1",
    gx: "e2e31edfc23de7bdebe241ce593ef5de2295b7a9cbaef021d385f7074cea043a\
        a27272a7ae602bf2a7b9033db9ed3610c6fb85487eae97aac5bc7928c1950148",
    gy: "f5ce40d95b5eb899abbccff5911cb8577939804d6527378b8c108c3d2090ff9b\
        e18e2d33e3021ed2ef32d85822423b6304f726aa854bae07d0396e9a9addc40f",
    n: "3fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
        c98cdba46506ab004c33a9ff5147502cc8eda9e7a769a12694623cef47f023ed",
};
