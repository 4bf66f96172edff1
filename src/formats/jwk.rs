//! JSON Web Keys (RFC 7517, 7518, 8037, 8812; ML-DSA's `AKP` from its draft), alone, in a set, or in any other JSON.
//!
//! The member `kty` finds them; the object around it is carved out and read.

use super::wire::base64_text;
use super::wire::curves;
use super::wire::der::{self, Element};
use super::wire::json_span::{self, End};
use super::wire::oid::{self, oid};
use super::wire::spki::raw_public_length;
use super::{Format, Signature};
use crate::model::{
    Artifact, Candidate, Clue, Encoding, EntryFacts, Fault, Found, GapReason, KeyMaterial, Kind,
    Nested, PrivateNumbers, Protection, Reading, Secret,
};
use serde::Deserialize;
use std::borrow::Cow;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The reader of objects with a `kty`.
pub struct Jwk;

const PLAIN: &[u8] = b"\"kty\"";
/// In a string of JSON or program text.
const ESCAPED: &[u8] = b"\"kty\\\"";

/// How far around an escaped member its string is looked at, in bytes.
const STRING_BACK: usize = 8 * 1024;
const STRING_MAX: usize = 64 * 1024;
/// The most certificates of one key that are looked at.
const CHAIN_MAX: usize = 32;
/// The longest `kid` that is told.
const KID_MAX: usize = 256;

impl Format for Jwk {
    fn name(&self) -> &'static str {
        "jwk"
    }

    fn signatures(&self) -> &'static [Signature] {
        const SIGNATURES: [Signature; 2] = [
            Signature::anywhere(PLAIN, Clue::Word),
            Signature::anywhere(ESCAPED, Clue::Word),
        ];
        &SIGNATURES
    }

    fn clues(&self) -> &'static [Clue] {
        &[Clue::Word]
    }

    fn read(&self, candidate: &Candidate<'_>) -> Reading {
        let Candidate {
            bytes, at, at_end, ..
        } = *candidate;
        let text = bytes.get(at..).unwrap_or_default();
        if text.starts_with(PLAIN) {
            return match self.carve(bytes, at, at_end) {
                Carved::Nothing => Reading::NotMine,
                Carved::Open(from) => Reading::NeedMore { from },
                Carved::Found(found) => Reading::Found(found),
            };
        }
        if !text.starts_with(ESCAPED) {
            return Reading::NotMine;
        }
        let inner = match Unescaped::around(bytes, at, at_end) {
            Ok(Some(inner)) => inner,
            Ok(None) => return Reading::NotMine,
            Err(from) => return Reading::NeedMore { from },
        };
        match self.carve(&inner.text, inner.at, true) {
            Carved::Found(mut found) => {
                for artifact in &mut found.artifacts {
                    artifact.offset = inner.place(artifact.offset);
                }
                for nested in &mut found.nested {
                    nested.offset = inner.place(nested.offset);
                }
                for fault in &mut found.faults {
                    fault.offset = inner.place(fault.offset);
                }
                found.end = inner.place(found.end);
                Reading::Found(found)
            }
            Carved::Nothing | Carved::Open(_) => Reading::NotMine,
        }
    }
}

/// What stands around a member.
enum Carved {
    Nothing,
    /// The object that starts here has no end yet.
    Open(usize),
    Found(Found),
}

impl Jwk {
    fn carve(&self, bytes: &[u8], at: usize, at_end: bool) -> Carved {
        let Some(start) = json_span::start(bytes, at) else {
            return Carved::Nothing;
        };
        let fault = |reason, detail: &str, end| {
            Carved::Found(Found {
                faults: vec![Fault {
                    reason,
                    offset: start,
                    detail: format!("JWK: {detail}"),
                }],
                end,
                ..Found::default()
            })
        };
        let end = match json_span::end(bytes, start) {
            End::At(end) => end,
            End::Broken => return Carved::Nothing,
            End::Open if bytes.len() - start >= json_span::SIZE_MAX => {
                return if names_a_type(bytes, at) {
                    let detail = format!("larger than {} KiB", json_span::SIZE_MAX >> 10);
                    fault(GapReason::Limit, &detail, at + PLAIN.len())
                } else {
                    Carved::Nothing
                };
            }
            End::Open if !at_end => return Carved::Open(start),
            End::Open => {
                let rest = bytes.get(start..).unwrap_or_default();
                return if names_a_type(bytes, at) && has_long_value(rest) {
                    fault(GapReason::Truncated, "no end of its object", bytes.len())
                } else {
                    Carved::Nothing
                };
            }
        };
        let object = bytes.get(start..end).unwrap_or_default();
        // Whatever else has such a member is no key: a schema, a request, a description.
        let Ok(members) = serde_json::from_slice::<Members<'_>>(object) else {
            return Carved::Nothing;
        };
        match members.artifact(self.name()) {
            Ok(Some(mut artifact)) => {
                artifact.offset = start;
                let nested = members.chain(start, artifact.alias.clone());
                Carved::Found(Found {
                    artifacts: vec![artifact],
                    nested,
                    end,
                    ..Found::default()
                })
            }
            Ok(None) => Carved::Nothing,
            Err(detail) => fault(GapReason::Malformed, detail, end),
        }
    }
}

/// Whether the member's value is a type of keys.
fn names_a_type(bytes: &[u8], at: usize) -> bool {
    let value = || {
        let rest = bytes.get(at + PLAIN.len()..)?.trim_ascii_start();
        let rest = rest.strip_prefix(b":")?.trim_ascii_start();
        let types: [&[u8]; 5] = [b"\"RSA\"", b"\"EC\"", b"\"OKP\"", b"\"oct\"", b"\"AKP\""];
        Some(types.iter().any(|t| rest.starts_with(t)))
    };
    value().unwrap_or(false)
}

/// Whether a run of base64 is longer than any word.
fn has_long_value(text: &[u8]) -> bool {
    text.split(|b| !base64_text::is_digit(*b))
        .any(|run| run.len() >= 40)
}

/// A text that borrows: private members are not copied into memory that nobody wipes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members that are looked at.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow)]
    kty: Text<'a>,
    #[serde(borrow, default)]
    crv: Option<Text<'a>>,
    #[serde(borrow, default)]
    n: Option<Text<'a>>,
    #[serde(borrow, default)]
    e: Option<Text<'a>>,
    #[serde(borrow, default)]
    x: Option<Text<'a>>,
    #[serde(borrow, default)]
    y: Option<Text<'a>>,
    #[serde(borrow, default)]
    d: Option<Text<'a>>,
    #[serde(borrow, default)]
    k: Option<Text<'a>>,
    #[serde(borrow, default, rename = "pub")]
    public: Option<Text<'a>>,
    #[serde(borrow, default, rename = "priv")]
    private: Option<Text<'a>>,
    #[serde(default)]
    alg: serde_json::Value,
    #[serde(default)]
    kid: serde_json::Value,
    #[serde(default)]
    x5c: serde_json::Value,
}

type Bytes = Zeroizing<Vec<u8>>;

fn decode(text: Option<&Text<'_>>) -> Result<Option<Bytes>, NoBase64> {
    match text {
        None => Ok(None),
        Some(Text(text)) if text.is_empty() => Ok(None),
        Some(Text(text)) => base64_text::decode(text.as_bytes())
            .map(Some)
            .ok_or(NoBase64),
    }
}

/// A member is filled with something else, as documents and templates do.
struct NoBase64;

impl Members<'_> {
    /// The key; none if it is the mention of one, and what is wrong if it declares itself and is none.
    fn artifact(&self, format: &'static str) -> Result<Option<Artifact>, &'static str> {
        let material = match self.kty.0.as_ref() {
            "RSA" => self.rsa(),
            "EC" => self.ec(),
            "OKP" => self.okp(),
            "oct" => self.oct(),
            "AKP" => self.akp(),
            _ => return Ok(None),
        };
        let (kind, key) = match material {
            Ok(Some(Ok(found))) => found,
            Ok(Some(Err(detail))) => return Err(detail),
            Ok(None) | Err(NoBase64) => return Ok(None),
        };
        let mut artifact = Artifact::new(kind, format, Encoding::Text, key);
        if kind.is_private() {
            artifact.protection = Some(Protection::None);
        }
        let alg = self.alg.as_str().filter(|alg| is_word(alg));
        match self.kty.0.as_ref() {
            "oct" => {
                artifact.algorithm = Some(symmetric_algorithm(alg));
                if let KeyMaterial::Symmetric(secret) | KeyMaterial::Guessable(secret) =
                    &artifact.key
                {
                    artifact.bits = u32::try_from(secret.expose().len() * 8).ok();
                }
            }
            "AKP" if matches!(artifact.key, KeyMaterial::Unknown) => {
                artifact.algorithm = alg.map(|alg| alg.to_owned().into());
            }
            "EC" if matches!(artifact.key, KeyMaterial::Unknown) => {
                artifact.algorithm = Some("EC".into());
                artifact.notes.push("on a curve that is not known".into());
            }
            "OKP" if matches!(artifact.key, KeyMaterial::Unknown) => {
                let crv = self.crv.as_ref().map(|crv| crv.0.as_ref());
                artifact.algorithm = crv.filter(|crv| is_word(crv)).map(|c| c.to_owned().into());
            }
            _ => {}
        }
        artifact.alias = match &self.kid {
            serde_json::Value::String(kid) => Some(kid.chars().take(KID_MAX).collect()),
            serde_json::Value::Number(kid) => Some(kid.to_string()),
            _ => None,
        };
        Ok(Some(artifact))
    }

    fn rsa(&self) -> Read {
        let (n, e) = (decode(self.n.as_ref())?, decode(self.e.as_ref())?);
        let (Some(n), Some(e)) = (n, e) else {
            return Ok(None);
        };
        let (n, e) = (der::trim_zeros(&n), der::trim_zeros(&e));
        if n.len() < 32 || n.len() > 8192 || e.is_empty() || e.len() > n.len() {
            return Ok(Some(Err("its modulus and exponent are no RSA key")));
        }
        let key = KeyMaterial::Rsa {
            n: n.to_vec(),
            e: e.to_vec(),
        };
        Ok(Some(Ok((self.kind()?, key))))
    }

    fn ec(&self) -> Read {
        let (x, y) = (decode(self.x.as_ref())?, decode(self.y.as_ref())?);
        let d = decode(self.d.as_ref())?;
        let kind = self.kind()?;
        let Some(crv) = &self.crv else {
            return Ok(None);
        };
        let name = match crv.0.as_ref() {
            "P-256K" | "K-256" => "secp256k1",
            name => name,
        };
        let Some(curve) = curves::PRIME.iter().find(|curve| curve.name == name) else {
            let any = x.is_some() || d.is_some();
            return Ok(any.then_some(Ok((kind, KeyMaterial::Unknown))));
        };
        let parameters = der::encode(der::OID, &[curve.oid]);
        let field = curve.field_bytes();
        let key = match (x, y, d) {
            (Some(x), Some(y), _) => {
                let (Some(x), Some(y)) = (padded(&x, field), padded(&y, field)) else {
                    return Ok(Some(Err("its coordinates are none of its curve")));
                };
                let point = [&[4][..], &x, &y].concat();
                KeyMaterial::Ec { parameters, point }
            }
            (_, _, Some(d)) => {
                if d.len() > field + 1 || d.len() + 4 < field {
                    return Ok(Some(Err("its private number is none of its curve")));
                }
                KeyMaterial::Private(PrivateNumbers::Ec {
                    parameters,
                    scalar: Secret::copy_of(&d),
                })
            }
            _ => return Ok(None),
        };
        Ok(Some(Ok((kind, key))))
    }

    fn okp(&self) -> Read {
        let (x, d) = (decode(self.x.as_ref())?, decode(self.d.as_ref())?);
        let kind = self.kind()?;
        let Some(crv) = &self.crv else {
            return Ok(None);
        };
        let (id, length) = match crv.0.as_ref() {
            "Ed25519" => (oid::ED25519, 32),
            "X25519" => (oid::X25519, 32),
            "Ed448" => (oid::ED448, 57),
            "X448" => (oid::X448, 56),
            _ => {
                let any = x.is_some() || d.is_some();
                return Ok(any.then_some(Ok((kind, KeyMaterial::Unknown))));
            }
        };
        let key = match (x, d) {
            (Some(x), _) if x.len() == length => KeyMaterial::Raw {
                oid: id.to_vec(),
                public: x.to_vec(),
            },
            (None, Some(d)) if d.len() == length => KeyMaterial::Private(PrivateNumbers::Raw {
                oid: id.to_vec(),
                private: Secret::copy_of(&d),
            }),
            (None, None) => return Ok(None),
            _ => return Ok(Some(Err("its key has not the length of its curve"))),
        };
        Ok(Some(Ok((kind, key))))
    }

    fn oct(&self) -> Read {
        let Some(k) = decode(self.k.as_ref())? else {
            return Ok(None);
        };
        // What reads as text was chosen by a person.
        let text = k.iter().all(|b| b.is_ascii_graphic() || *b == b' ');
        let secret = Secret::copy_of(&k);
        let key = if text || k.len() < 16 {
            KeyMaterial::Guessable(secret)
        } else {
            KeyMaterial::Symmetric(secret)
        };
        Ok(Some(Ok((Kind::SymmetricKey, key))))
    }

    fn akp(&self) -> Read {
        let public = decode(self.public.as_ref())?;
        let private = decode(self.private.as_ref())?;
        let kind = match private {
            Some(_) => Kind::PrivateKey,
            None if public.is_some() => Kind::PublicKey,
            None => return Ok(None),
        };
        let id = match self.alg.as_str() {
            Some("ML-DSA-44") => oid!(2, 16, 840, 1, 101, 3, 4, 3, 17).as_slice(),
            Some("ML-DSA-65") => oid!(2, 16, 840, 1, 101, 3, 4, 3, 18),
            Some("ML-DSA-87") => oid!(2, 16, 840, 1, 101, 3, 4, 3, 19),
            Some(_) => return Ok(Some(Ok((kind, KeyMaterial::Unknown)))),
            None => return Ok(None),
        };
        Ok(Some(match public {
            Some(public) if raw_public_length(id) == Some(public.len()) => Ok((
                kind,
                KeyMaterial::Raw {
                    oid: id.to_vec(),
                    public: public.to_vec(),
                },
            )),
            Some(_) => Err("its public key has not the length of its algorithm"),
            None => Ok((kind, KeyMaterial::Unknown)),
        }))
    }

    /// A key with `d` is private (RFC 7518, sections 6.2.2 and 6.3.2; RFC 8037, section 2).
    fn kind(&self) -> Result<Kind, NoBase64> {
        Ok(match decode(self.d.as_ref())? {
            Some(_) => Kind::PrivateKey,
            None => Kind::PublicKey,
        })
    }

    /// The certificates of `x5c` (RFC 7517, section 4.7): base64 of DER, with the alphabet of RFC 4648, section 4.
    fn chain(&self, offset: usize, alias: Option<String>) -> Vec<Nested> {
        let entry = Arc::new(EntryFacts {
            alias,
            ..EntryFacts::default()
        });
        let texts = self.x5c.as_array().into_iter().flatten();
        let certificates = texts.take(CHAIN_MAX).filter_map(|text| {
            let der = base64_text::decode(text.as_str()?.as_bytes())?;
            Element::read_all(&der).ok()?;
            let mut nested = Nested::new(Clue::DerObject, der, Encoding::Text, offset);
            nested.entry = Some(Arc::clone(&entry));
            Some(nested)
        });
        certificates.collect()
    }
}

/// A key, or what is wrong with it; none if there is none.
type Read = Result<Option<Result<(Kind, KeyMaterial), &'static str>>, NoBase64>;

/// A coordinate in full length (RFC 7518, section 6.2.1.2); some writers leave leading zeros out.
fn padded(number: &[u8], field: usize) -> Option<Vec<u8>> {
    let missing = field.checked_sub(number.len()).filter(|count| *count < 4)?;
    let mut full = vec![0; missing];
    full.extend_from_slice(number);
    Some(full)
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_graphic())
}

/// What the key of an algorithm of RFC 7518 is.
fn symmetric_algorithm(alg: Option<&str>) -> Cow<'static, str> {
    match alg {
        Some("HS256") => "HMAC-SHA256".into(),
        Some("HS384") => "HMAC-SHA384".into(),
        Some("HS512") => "HMAC-SHA512".into(),
        Some(alg)
            if ["A128", "A192", "A256"].iter().any(|size| {
                let mode = alg.strip_prefix(size);
                matches!(mode, Some("KW" | "GCM" | "GCMKW" | "CBC" | "CTR"))
            }) =>
        {
            "AES".into()
        }
        Some(alg) => alg.to_owned().into(),
        None => "oct".into(),
    }
}

/// The string around an escaped member, with its escapes resolved.
struct Unescaped {
    text: Zeroizing<Vec<u8>>,
    /// Where each byte of `text` stood.
    places: Vec<usize>,
    /// Where in `text` the member's quote is.
    at: usize,
}

impl Unescaped {
    /// The string; an error is the place from which more bytes are needed.
    fn around(bytes: &[u8], at: usize, at_end: bool) -> Result<Option<Self>, usize> {
        let least = at.saturating_sub(STRING_BACK);
        let before = bytes.get(least..at).unwrap_or_default();
        if before.last() != Some(&b'\\') {
            return Ok(None);
        }
        // An opening quote is one without a backslash; a line ends what has none.
        let opening = before.iter().enumerate().rev().find(|(place, byte)| {
            let escaped = place.checked_sub(1).and_then(|p| before.get(p)) == Some(&b'\\');
            matches!(byte, b'\n' | b'\r') || (matches!(byte, b'"' | b'\'') && !escaped)
        });
        let start = opening.map_or(least, |(place, _)| least + place + 1);
        let limit = at.saturating_add(STRING_MAX).min(bytes.len());
        let mut inner = Self {
            text: Zeroizing::new(Vec::with_capacity(limit - start)),
            places: Vec::with_capacity(limit - start),
            at: 0,
        };
        let mut place = start;
        while place < limit {
            let (byte, step) = match bytes.get(place..).unwrap_or_default() {
                [b'\\', b'n' | b'r' | b't', ..] => (b' ', 2),
                [b'\\', other, ..] => (*other, 2),
                [b'"' | b'\n' | b'\r', ..] | [] => break,
                [byte, ..] => (*byte, 1),
            };
            if place + step > at && place <= at {
                inner.at = inner.text.len();
            }
            inner.text.push(byte);
            inner.places.push(place);
            place += step;
        }
        let more = place >= bytes.len() && !at_end && bytes.len() - start < STRING_MAX;
        if more {
            return Err(start);
        }
        Ok(Some(inner))
    }

    /// Where a byte of the text stood.
    fn place(&self, at: usize) -> usize {
        match self.places.get(at) {
            Some(place) => *place,
            None => self.places.last().map_or(0, |last| last + 1),
        }
    }
}
