//! What the rules are asked about: keys, certificates and rows, each with what belongs to it.

use super::evidence::Ages;
use super::join::{Link, Token};
use super::listed::Listed;
use super::names::Name;
use super::openpgp::Families;
use super::places::Place;
use super::sweeps::Hosts;
use crate::model::{
    Certificate, CertificateStatus, Class, Entry, Flag, KeyId, Kind, Severity, Sha256Hex,
    SharedText, Sighting, State,
};
use crate::policy::{Owners, Policy};

/// Everything that the rules may look at.
pub(super) struct World<'a> {
    pub(super) sightings: Vec<Sighting>,
    /// The host's number of each sighting.
    pub(super) host_of: Vec<usize>,
    pub(super) hosts: Hosts,
    pub(super) keys: Vec<Key>,
    pub(super) certificates: Vec<Cert>,
    /// OpenPGP's primary keys and their subkeys.
    pub(super) families: Families,
    /// What is known of the age of keys.
    pub(super) ages: Ages,
    /// When the last of the inventories was exported, if all tell.
    pub(super) exported: Option<jiff::Timestamp>,
    /// Sightings without a key.
    pub(super) others: Vec<usize>,
    pub(super) rows: Vec<Row<'a>>,
    pub(super) policy: &'a Policy,
    pub(super) owners: Option<&'a Owners>,
    /// What an asset list says of the hosts.
    pub(super) listed: Listed,
    /// The sweeps are all of the estate.
    pub(super) estate: bool,
    pub(super) now: jiff::Timestamp,
}

/// All sightings of one public key or one secret.
pub(super) struct Key {
    pub(super) id: KeyId,
    /// The strongest class, over whose sightings the key is judged.
    pub(super) class: Class,
    /// Every sighting.
    pub(super) all: Vec<usize>,
    /// Those of the strongest class.
    pub(super) judged: Vec<usize>,
    /// Seen in references only.
    pub(super) reference_only: bool,
    /// Its certificates that were seen among the judged.
    pub(super) certificates: Vec<usize>,
}

/// All sightings of one certificate.
pub(super) struct Cert {
    pub(super) key: usize,
    pub(super) sha256: Option<Sha256Hex>,
    /// Every sighting; never empty.
    pub(super) sightings: Vec<usize>,
    /// Those over which its key is judged.
    pub(super) judged: Vec<usize>,
    pub(super) subject: String,
    pub(super) issuer: String,
    /// Alternative names, lower case, sorted.
    pub(super) names: Vec<String>,
    pub(super) status: CertificateStatus,
    /// The newest certificate that replaced it where it was seen, by number.
    pub(super) successor: Option<usize>,
}

/// One row with what was prepared of it.
pub(super) struct Row<'a> {
    pub(super) entry: &'a Entry,
    /// Which inventory it is from.
    pub(super) inventory: usize,
    /// What names it in digests; the id, made unique.
    pub(super) tag: String,
    /// The tokens of each of its identifiers.
    pub(super) identifiers: Vec<Vec<Token>>,
    pub(super) subject: Option<Name>,
    pub(super) issuer: Option<Name>,
    pub(super) places: Vec<Place>,
}

/// A finding before it has its identity.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    pub(super) flag: Flag,
    pub(super) severity: Severity,
    pub(super) why: String,
    pub(super) row: Option<usize>,
    pub(super) certificate: Option<Sha256Hex>,
    pub(super) place: Option<String>,
}

impl Draft {
    pub(super) fn new(flag: Flag, severity: Severity, why: impl Into<String>) -> Self {
        Self {
            flag,
            severity,
            why: why.into(),
            row: None,
            certificate: None,
            place: None,
        }
    }

    pub(super) fn row(mut self, row: usize) -> Self {
        self.row = Some(row);
        self
    }

    pub(super) fn certificate(mut self, certificate: Option<Sha256Hex>) -> Self {
        self.certificate = certificate;
        self
    }

    pub(super) fn place(mut self, place: String) -> Self {
        self.place = Some(place);
        self
    }
}

/// One key and all that the rules may know of it.
#[derive(Clone, Copy)]
pub(super) struct KeyContext<'w, 'a> {
    pub(super) world: &'w World<'a>,
    pub(super) index: usize,
    pub(super) key: &'w Key,
    /// The rows that name it or one of its certificates.
    pub(super) links: &'w [Link],
}

impl<'w, 'a> KeyContext<'w, 'a> {
    /// The sightings over which it is judged.
    pub(super) fn judged(&self) -> impl Iterator<Item = &'w Sighting> + use<'w, 'a> {
        self.world.at(&self.key.judged)
    }

    /// Those that hold private or secret material, with their numbers.
    pub(super) fn private(&self) -> impl Iterator<Item = (usize, &'w Sighting)> + use<'w, 'a> {
        let world = self.world;
        let key = self.key;
        key.judged
            .iter()
            .filter_map(move |&i| Some((i, world.sightings.get(i)?)))
            .filter(|(_, s)| s.kind.is_private())
    }

    /// Its certificates.
    pub(super) fn certificates(&self) -> impl Iterator<Item = (usize, &'w Cert)> + use<'w, 'a> {
        let world = self.world;
        let key = self.key;
        key.certificates
            .iter()
            .filter_map(move |&i| Some((i, world.certificates.get(i)?)))
    }

    /// The row of a link.
    pub(super) fn row(&self, link: &Link) -> Option<&'w Row<'a>> {
        self.world.rows.get(link.row)
    }
}

impl<'a> World<'a> {
    /// Sightings by number.
    pub(super) fn at<'w>(
        &'w self,
        numbers: &'w [usize],
    ) -> impl Iterator<Item = &'w Sighting> + use<'w, 'a> {
        numbers.iter().filter_map(|&i| self.sightings.get(i))
    }

    /// What a certificate says.
    pub(super) fn facts(&self, cert: &Cert) -> Option<&Certificate> {
        let mut sightings = cert.sightings.iter().filter_map(|&i| self.sightings.get(i));
        sightings.find_map(|s| s.certificate.as_deref())
    }

    /// `host:path`.
    pub(super) fn place(sighting: &Sighting) -> String {
        format!(
            "{}:{}",
            sighting.host.as_deref().unwrap_or("?"),
            sighting.location.path
        )
    }

    /// The number of a sighting's host.
    pub(super) fn host(&self, sighting: usize) -> usize {
        self.host_of.get(sighting).copied().unwrap_or(usize::MAX)
    }
}

impl Cert {
    /// `certificate 3f9a1c2b… (CN=shop.example)`, for a sentence.
    pub(super) fn title(&self, facts: &Certificate) -> String {
        let digest = self.sha256.map(|d| d.to_string()).unwrap_or_default();
        let short: String = digest.chars().take(8).collect();
        let name = if facts.subject.is_empty() {
            facts
                .sans
                .first()
                .cloned()
                .unwrap_or_else(|| "no subject".to_owned())
        } else {
            facts.subject.clone()
        };
        format!("certificate {short}… ({name})")
    }
}

impl Row<'_> {
    /// `row K-17`, for a sentence.
    pub(super) fn title(&self) -> String {
        match &self.entry.name {
            Some(name) if *name != self.entry.id => format!("row {} ({name})", self.entry.id),
            _ => format!("row {}", self.entry.id),
        }
    }

    /// Its state; a row without one counts as active.
    pub(super) fn state(&self) -> State {
        self.entry.state.unwrap_or(State::Active)
    }

    /// Whether the thing is meant to be in use.
    pub(super) fn is_live(&self) -> bool {
        matches!(self.state(), State::Active | State::Suspended)
    }

    /// Whether a sighting of this kind can be what the row means.
    pub(super) fn covers(&self, kind: Kind) -> bool {
        kind != Kind::Keystore && self.entry.kind.is_none_or(|k| k.covers(kind))
    }
}

/// All paths of a sighting: its own, links and hard links.
pub(super) fn paths(sighting: &Sighting) -> impl Iterator<Item = &str> {
    let location = &sighting.location;
    std::iter::once(&location.path)
        .chain(location.links.iter())
        .chain(location.hard_links.iter())
        .map(SharedText::as_str)
}

/// The last component of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The directory of a path.
pub(super) fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}
