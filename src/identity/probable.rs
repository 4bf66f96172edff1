//! Which public key a closed one probably belongs to: evidence, never proof (contract, section 2).

use crate::model::{KeyId, Kind, Location, Member, Position, Sighting};
use foldhash::HashMap;
use std::borrow::BorrowMut;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Endings that name what of a pair a file holds.
const ENDINGS: &[&str] = &[
    "key", "crt", "cer", "cert", "pem", "der", "pub", "csr", "req", "p8", "pk8", "pkcs8", "p7b",
    "p7c", "enc",
];

/// The name that the files of a pair share: `shop` of `shop.key`, `shop.crt`, `shop-key.pem` and
/// `shop_cert.pem`; certbot's `privkey1.pem`, `cert1.pem` and `fullchain1.pem` share one too.
fn stem(path: &str) -> Cow<'_, str> {
    let name = file_name(path);
    let is_lower = !name.bytes().any(|b| b.is_ascii_uppercase());
    if is_lower {
        return stem_of_lower(name);
    }
    Cow::Owned(stem_of_lower(&name.to_ascii_lowercase()).into_owned())
}

fn stem_of_lower(mut name: &str) -> Cow<'_, str> {
    while let Some((head, ending)) = name.rsplit_once(['.', '-', '_']) {
        if head.is_empty() || !ENDINGS.contains(&ending) {
            break;
        }
        name = head;
    }
    let digits = name.trim_end_matches(|c: char| c.is_ascii_digit());
    match digits {
        "privkey" | "cert" | "fullchain" => {
            format!("\u{0}{}", name.get(digits.len()..).unwrap_or_default()).into()
        }
        _ => Cow::Borrowed(name),
    }
}

/// What ties a closed key to what is public, within one host.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Bond<'s> {
    /// The same keystore entry: file, members, alias.
    Entry(&'s str, &'s [Member], &'s str),
    /// The same CKA_ID or localKeyID in the same directory, where a token or database keeps its files.
    Id(Holder<'s>, &'s str),
    /// The same file, or beside it under the same stem.
    Stem(Holder<'s>, Cow<'s, str>),
}

/// The directory, or the archive and the directory in it.
type Holder<'s> = (&'s str, Option<&'s str>);

/// The ties of a sighting, the strongest first.
fn bonds(s: &Sighting) -> impl Iterator<Item = Bond<'_>> {
    let location = &s.location;
    let entry = location.alias().map(|alias| {
        let (path, inside) = (location.path.as_ref(), location.inside());
        Bond::Entry(path, inside, alias.as_ref())
    });
    let (holder, name) = beside(s);
    let id = s.fingerprints.pkcs11_id();
    let id = id.map(|id| Bond::Id(holder, id));
    let alone = entry.is_none() && id.is_none();
    let stem = alone.then(|| Bond::Stem(holder, stem(name)));
    entry.into_iter().chain(id).chain(stem)
}

/// What holds a sighting, and the name there. A member lies beside other members of the same file.
fn beside(s: &Sighting) -> (Holder<'_>, &str) {
    let path: &str = &s.location.path;
    let mut inside = s.location.inside().iter().rev();
    match inside.find_map(|m| m.name.as_deref()) {
        Some(name) => ((path, Some(directory(name))), name),
        None => ((directory(path), None), path),
    }
}

/// Gives closed keys the public key or certificate of the same keystore entry or CKA_ID, else the one that lies in
/// the same file, or beside it under the same stem. Issuers' certificates in the same file are not meant. The sightings of
/// one host follow one another.
pub fn fill_probable_keys<S: BorrowMut<Sighting>>(sightings: &mut [S]) {
    super::fill_from_keygrips(sightings);
    let of_one_host = |one: &S, next: &S| one.borrow().host == next.borrow().host;
    sightings
        .chunk_by_mut(of_one_host)
        .for_each(fill_probable_keys_of_host);
}

/// The same for one host, whose keygrips were looked at before.
pub fn fill_probable_keys_of_host<S: BorrowMut<Sighting>>(sightings: &mut [S]) {
    // A token's private object may have no public half either.
    let closed = |s: &Sighting| {
        let nameless = s.key_id.is_none()
            && s.kind == Kind::PrivateKey
            && s.fingerprints.pkcs11_id().is_some();
        (matches!(s.key_id, Some(KeyId::Opaque(_))) || nameless) && s.probable_key.is_none()
    };
    let all = || sightings.iter().map(S::borrow);
    let mut wanted: HashMap<Bond<'_>, Found<'_>> = all()
        .filter(|s| closed(s))
        .flat_map(bonds)
        .map(|bond| (bond, Found::default()))
        .collect();
    if wanted.is_empty() {
        return;
    }
    for s in all() {
        let public = matches!(
            s.kind,
            Kind::Certificate | Kind::PublicKey | Kind::CertificateRequest
        );
        let Some(id) = s.key_id.as_ref().filter(|_| public) else {
            continue;
        };
        for bond in bonds(s) {
            if let Some(found) = wanted.get_mut(&bond) {
                let is_ca = s.certificate.as_ref().is_some_and(|c| c.is_ca);
                found.add(id, is_ca, &s.location);
            }
        }
    }
    let probable = |s: &Sighting| {
        bonds(s).find_map(|bond| {
            let found = wanted.get(&bond)?;
            match bond {
                Bond::Stem(..) => found.one(&s.location.path),
                // A chain begins with the certificate of the key.
                Bond::Entry(..) | Bond::Id(..) => found.first(),
            }
        })
    };
    let numbered = all().enumerate();
    let found: Vec<(usize, Option<KeyId>)> = numbered
        .filter(|(_, s)| closed(s))
        .map(|(number, s)| (number, probable(s)))
        .collect();
    for (number, id) in found {
        if let Some(s) = sightings.get_mut(number) {
            s.borrow_mut().probable_key = id.map(Box::new);
        }
    }
}

/// What public keys share a stem: key, whether it is an issuer's, and a file.
#[derive(Default)]
struct Found<'s> {
    keys: BTreeMap<(&'s str, &'s KeyId), bool>,
    /// The one that stands first, and where.
    first: Option<(Position, &'s KeyId)>,
}

impl<'s> Found<'s> {
    fn add(&mut self, id: &'s KeyId, is_ca: bool, location: &'s Location) {
        let ca = self.keys.entry((&location.path, id)).or_insert(is_ca);
        *ca = *ca && is_ca;
        if self
            .first
            .as_ref()
            .is_none_or(|(at, _)| location.offset < *at)
        {
            self.first = Some((location.offset, id));
        }
    }

    fn first(&self) -> Option<KeyId> {
        self.first.map(|(_, id)| id.clone())
    }

    /// The only key in the same file, else the only one in all; leaves come before issuers.
    fn one(&self, path: &str) -> Option<KeyId> {
        let pick = |same_file: bool, ca: bool| {
            let mut ids: Vec<&KeyId> = self
                .keys
                .iter()
                .filter(|((file, _), is_ca)| (!same_file || *file == path) && **is_ca == ca)
                .map(|((_, id), _)| *id)
                .collect();
            ids.sort();
            ids.dedup();
            match ids.as_slice() {
                [one] => Some((*one).clone()),
                _ => None,
            }
        };
        pick(true, false)
            .or_else(|| pick(false, false))
            .or_else(|| pick(true, true))
            .or_else(|| pick(false, true))
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Class, Encoding, Hex, PackedFingerprints, RareLocation, SharedText};

    #[test]
    fn stems_of_pairs() {
        for pair in [
            ["/etc/ssl/private/shop.key", "/x/shop.crt"],
            ["/a/shop.key.pem", "/a/shop-cert.pem"],
            ["/a/server_key.pem", "/a/server.cer"],
            ["/a/privkey1.pem", "/a/fullchain1.pem"],
            ["/a/privkey.pem", "/a/cert.pem"],
            ["/root/.ssh/id_rsa", "/root/.ssh/id_rsa.pub"],
        ] {
            assert_eq!(stem(pair[0]), stem(pair[1]), "{pair:?}");
        }
        assert_ne!(stem("/a/privkey1.pem"), stem("/a/cert2.pem"));
        assert_ne!(stem("/a/shop.key"), stem("/a/shop2.crt"));
    }

    fn sighting(kind: Kind, key_id: KeyId, path: &str, alias: Option<&str>) -> Sighting {
        Sighting {
            host: None,
            key_id: Some(key_id),
            probable_key: None,
            kind,
            format: "test".into(),
            encoding: Encoding::Der,
            algorithm: None,
            bits: None,
            curve: None,
            protection: None,
            class: Class::Own,
            fingerprints: PackedFingerprints::default(),
            location: Location {
                path: path.into(),
                offset: 0.into(),
                rare: RareLocation {
                    alias: alias.map(SharedText::from),
                    ..RareLocation::default()
                }
                .boxed(),
                ..Location::default()
            },
            file: None,
            certificate: None,
            ssh: None,
            pgp: None,
            rare: None,
        }
    }

    fn spki(byte: u8) -> KeyId {
        KeyId::Spki(Hex([byte; 32]))
    }

    #[test]
    fn an_entry_of_a_keystore_goes_before_a_stem() {
        let closed = || KeyId::Opaque(Hex([9; 32]));
        let (store, token) = ("/etc/app/store.jks", "/home/a/.pki/key4.db");
        let mut all = vec![
            sighting(Kind::PrivateKey, closed(), store, Some("web")),
            sighting(Kind::Certificate, spki(1), store, Some("other")),
            sighting(Kind::Certificate, spki(2), store, Some("web")),
            sighting(Kind::Certificate, spki(3), store, Some("web")),
            sighting(Kind::PrivateKey, closed(), token, None),
            sighting(
                Kind::Certificate,
                spki(4),
                "/home/a/.pki/cert9.db",
                Some("nick"),
            ),
        ];
        // The issuer's certificate of the chain stands behind the leaf.
        all[3].location.offset = 1.into();
        all[4]
            .fingerprints
            .change(|f| f.pkcs11_id = Some("ab01".into()));
        all[5]
            .fingerprints
            .change(|f| f.pkcs11_id = Some("ab01".into()));
        fill_probable_keys(&mut all);
        assert_eq!(all[0].probable_key, Some(Box::new(spki(2))));
        assert_eq!(all[4].probable_key, Some(Box::new(spki(4))));
    }
}
