//! `probable_key` of closed keys, and `unpaired`.

use super::context::{Draft, KeyContext, World, directory, file_name};
use super::exposure::{Spot, spot};
use crate::model::{Flag, KeyId, Kind, Sighting};
use std::collections::{BTreeMap, HashMap};

/// Endings that name what of a pair a file holds.
const ENDINGS: &[&str] = &[
    "key", "crt", "cer", "cert", "pem", "der", "pub", "csr", "req", "p8", "pk8", "pkcs8", "p7b",
    "p7c", "enc",
];

/// The name that the files of a pair share: `shop` of `shop.key`, `shop.crt`, `shop-key.pem` and
/// `shop_cert.pem`; certbot's `privkey1.pem`, `cert1.pem` and `fullchain1.pem` share one too.
fn stem(path: &str) -> String {
    let mut name = file_name(path).to_ascii_lowercase();
    while let Some((head, ending)) = name.rsplit_once(['.', '-', '_']) {
        if head.is_empty() || !ENDINGS.contains(&ending) {
            break;
        }
        name = head.to_owned();
    }
    let digits = name.trim_end_matches(|c: char| c.is_ascii_digit());
    match digits {
        "privkey" | "cert" | "fullchain" => {
            format!("\u{0}{}", name.get(digits.len()..).unwrap_or_default())
        }
        _ => name,
    }
}

/// Gives closed keys the one public key or certificate that lies in the same file, or beside it under the
/// same stem. Issuers' certificates in the same file are not meant.
pub(super) fn fill_probable_keys(sightings: &mut [Sighting]) {
    type Place = (Option<String>, String, String);
    let place = |s: &Sighting| -> Place {
        let path = &s.location.path;
        // A member lies beside other members of the same file.
        let (holder, name) = match s.location.inside.iter().rposition(|m| m.name.is_some()) {
            Some(at) => {
                let name = s
                    .location
                    .inside
                    .get(at)
                    .and_then(|m| m.name.as_deref())
                    .unwrap_or_default();
                (format!("{path}\u{0}{}", directory(name)), name)
            }
            None => (directory(path).to_owned(), path.as_str()),
        };
        (s.host.clone(), holder, stem(name))
    };
    let closed = |s: &Sighting| {
        matches!(s.key_id, Some(KeyId::Opaque(_)))
            && s.probable_key.is_none()
            && s.location.alias.is_none()
    };
    let mut wanted: HashMap<Place, Found> = sightings
        .iter()
        .filter(|s| closed(s))
        .map(|s| (place(s), Found::default()))
        .collect();
    if wanted.is_empty() {
        return;
    }
    for s in sightings.iter() {
        let public = matches!(
            s.kind,
            Kind::Certificate | Kind::PublicKey | Kind::CertificateRequest
        );
        let Some(id) = s
            .key_id
            .as_ref()
            .filter(|_| public && s.location.alias.is_none())
        else {
            continue;
        };
        if let Some(found) = wanted.get_mut(&place(s)) {
            let is_ca = s.certificate.as_ref().is_some_and(|c| c.is_ca);
            found.add(id, is_ca, &s.location.path);
        }
    }
    for s in sightings.iter_mut().filter(|s| closed(s)) {
        let probable = wanted
            .get(&place(s))
            .and_then(|found| found.one(&s.location.path));
        s.probable_key = probable;
    }
}

/// What public keys share a stem: key, whether it is an issuer's, and a file.
#[derive(Default)]
struct Found {
    keys: BTreeMap<(String, KeyId), bool>,
}

impl Found {
    fn add(&mut self, id: &KeyId, is_ca: bool, path: &str) {
        let ca = self
            .keys
            .entry((path.to_owned(), id.clone()))
            .or_insert(is_ca);
        *ca = *ca && is_ca;
    }

    /// The only key in the same file, else the only one in all; leaves come before issuers.
    fn one(&self, path: &str) -> Option<KeyId> {
        let pick = |same_file: bool, ca: bool| {
            let mut ids: Vec<&KeyId> = self
                .keys
                .iter()
                .filter(|((file, _), is_ca)| (!same_file || file == path) && **is_ca == ca)
                .map(|((_, id), _)| id)
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

/// A private key in a service's or the system's place without any public use.
pub(super) fn judge(cx: &KeyContext<'_, '_>, out: &mut Vec<Draft>) {
    let paired = cx
        .world
        .at(&cx.key.all)
        .any(|s| !s.kind.is_private() || s.probable_key.is_some());
    let mut private = cx
        .private()
        .map(|(_, s)| s)
        .filter(|s| s.kind == Kind::PrivateKey);
    let Some(s) = private
        .find(|s| spot(s) == Spot::Service)
        .filter(|_| !paired)
    else {
        return;
    };
    let why = format!(
        "no certificate, public key, grant or request of the private key in {} was seen",
        World::place(s)
    );
    out.push(Draft::new(
        Flag::Unpaired,
        cx.world.policy.severity(Flag::Unpaired),
        why,
    ));
}

#[cfg(test)]
mod tests {
    use super::stem;

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
}
