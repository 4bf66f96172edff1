//! What the rules are asked about: keys, certificates and rows, each with what belongs to it.

use super::at_place::AtPlace;
use super::evidence::Ages;
use super::few::{Few, NONE, long};
use super::join::Link;
use super::listed::Listed;
use super::names::{NameId, Named, Names};
use super::openpgp::Families;
use super::overview::{Fact, Overview};
use super::places::Place;
use super::sweeps::Hosts;
use super::texts::Texts;
use super::tokens::{Token, methods_of, of_decimal, of_identifier};
use crate::model::{
    Certificate, CertificateStatus, Class, Entry, EntryKind, Flag, Hex, Identifier, KeyId, Kind,
    Severity, Sha256Hex, SharedText, ShortList, Sighting, State,
};
use crate::policy::{Owners, Policy};
use arcstr::ArcStr;
use jiff::civil::Date;
use std::cell::Cell;
use std::cmp::Ordering;
use std::fmt::{self, Write as _};

/// Everything that the rules may look at.
pub(super) struct World<'a> {
    pub(super) sightings: Vec<Box<Sighting>>,
    /// The host's number of each sighting.
    pub(super) host_of: Vec<u32>,
    pub(super) hosts: Hosts,
    /// The distinguished names of certificates and rows.
    pub(super) names: Names,
    /// The words for environments.
    pub(super) environments: Texts,
    /// In the order in which each is seen first.
    pub(super) keys: Vec<Key>,
    /// Their numbers in the order of their ids.
    pub(super) by_id: Vec<u32>,
    /// The place of each key in that order: what is told of several keys is in it, so that a further sighting changes nothing else.
    pub(super) rank: Vec<u32>,
    /// The number of the key of each sighting.
    pub(super) key_of: Vec<u32>,
    pub(super) certificates: Vec<Cert>,
    /// OpenPGP's primary keys and their subkeys.
    pub(super) families: Families,
    /// What is known of the age of keys.
    pub(super) ages: Ages,
    /// When the last of the inventories was exported, if all tell.
    pub(super) exported: Option<jiff::Timestamp>,
    /// Sightings without a key.
    pub(super) others: Few,
    pub(super) rows: Vec<Row<'a>>,
    pub(super) policy: &'a Policy,
    pub(super) owners: Option<&'a Owners>,
    /// What an asset list says of the hosts.
    pub(super) listed: Listed,
    /// The sweeps are all of the estate.
    pub(super) estate: bool,
    pub(super) now: jiff::Timestamp,
    /// Its day, in UTC as all days are.
    pub(super) today: Date,
}

/// All sightings of one public key or one secret.
pub(super) struct Key {
    pub(super) id: KeyId,
    /// The strongest class, over whose sightings the key is judged.
    pub(super) class: Class,
    /// Every sighting.
    pub(super) all: Few,
    /// Those of the strongest class.
    pub(super) judged: Few,
    /// Seen in references only.
    pub(super) reference_only: bool,
    /// Its certificates that were seen among the judged.
    pub(super) certificates: Few,
}

/// All sightings of one certificate.
pub(super) struct Cert {
    key: u32,
    pub(super) sha256: Option<Sha256Hex>,
    /// Every sighting; never empty.
    pub(super) sightings: Few,
    /// Those over which its key is judged.
    pub(super) judged: Few,
    pub(super) subject: NameId,
    pub(super) issuer: NameId,
    pub(super) status: CertificateStatus,
    /// The newest certificate that replaced it where it was seen, by number.
    successor: u32,
}

/// One row with what was prepared of it.
pub(super) struct Row<'a> {
    pub(super) entry: &'a Entry,
    /// Which inventory it is from.
    pub(super) inventory: u32,
    /// What names it in digests where another row has its id.
    pub(super) tag: Option<Box<str>>,
    pub(super) subject: Option<Named>,
    pub(super) issuer: Option<Named>,
    /// The issuer of its first serial that has one.
    pub(super) of_serial: NameId,
    /// The word for its environment, by number.
    pub(super) environment: Option<u32>,
    pub(super) places: ShortList<Place<'a>>,
}

/// A finding before it has its identity.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    pub(super) flag: Flag,
    pub(super) severity: Severity,
    pub(super) why: SharedText,
    pub(super) row: Option<usize>,
    pub(super) certificate: Option<Sha256Hex>,
    pub(super) place: Option<String>,
}

impl Draft {
    /// The reason is formatted once, into a text that has its exact size.
    pub(super) fn new(flag: Flag, severity: Severity, why: impl fmt::Display) -> Self {
        Self::written(flag, severity, |text| {
            // Writing to a String does not fail.
            let _ = write!(text, "{why}");
        })
    }

    /// With a reason that is written piece by piece.
    pub(super) fn written(flag: Flag, severity: Severity, why: impl FnOnce(&mut String)) -> Self {
        Self {
            flag,
            severity,
            why: in_passing(|text| {
                why(text);
                SharedText::of_its_own(text)
            }),
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

/// Makes something of a text that is used again each time, and so costs no memory of its own.
pub(super) fn in_passing<R>(make: impl FnOnce(&mut String) -> R) -> R {
    thread_local! {
        static TEXT: Cell<String> = const { Cell::new(String::new()) };
    }
    let mut text = TEXT.take();
    text.clear();
    let out = make(&mut text);
    TEXT.set(text);
    out
}

/// One key and all that the rules may know of it.
#[derive(Clone, Copy)]
pub(super) struct KeyContext<'w, 'a> {
    pub(super) world: &'w World<'a>,
    pub(super) index: usize,
    pub(super) key: &'w Key,
    /// The rows that name it or one of its certificates.
    pub(super) links: &'w [Link],
    /// What is asked first of rows and sightings.
    pub(super) overview: &'w Overview,
    /// What lies at the files that rows name.
    pub(super) at_place: &'w AtPlace,
}

impl<'w, 'a> KeyContext<'w, 'a> {
    /// The sightings over which it is judged.
    pub(super) fn judged(&self) -> impl Iterator<Item = &'w Sighting> + use<'w, 'a> {
        self.world.at(&self.key.judged)
    }

    /// Those that hold private or secret material, with their numbers.
    pub(super) fn private(&self) -> impl Iterator<Item = (usize, &'w Sighting)> + use<'w, 'a> {
        let (world, overview) = (self.world, self.overview);
        let judged = match overview.is_private(self.index) {
            true => self.key.judged.as_slice(),
            false => &[],
        };
        let numbers = judged.iter().map(|&number| number as usize);
        numbers
            .filter(|&n| overview.kind(n).is_some_and(Kind::is_private))
            .filter_map(|n| Some((n, &**world.sightings.get(n)?)))
    }

    /// Its certificates.
    pub(super) fn certificates(&self) -> impl Iterator<Item = (usize, &'w Cert)> + use<'w, 'a> {
        let world = self.world;
        let key = self.key;
        key.certificates
            .iter()
            .filter_map(move |i| Some((i, world.certificates.get(i)?)))
    }

    /// The rows that name it itself, if something holds of them.
    pub(super) fn own_links(&self, fact: Fact) -> impl Iterator<Item = &'w Link> + use<'w, 'a> {
        let overview = self.overview;
        let own = self.links.iter().filter(|link| !link.by_primary);
        own.filter(move |link| overview.row_is(link.row(), fact))
    }

    /// The row of a link.
    pub(super) fn row(&self, link: &Link) -> Option<&'w Row<'a>> {
        self.world.rows.get(link.row())
    }
}

impl<'a> World<'a> {
    /// Sightings by number.
    pub(super) fn at<'w>(
        &'w self,
        numbers: &'w Few,
    ) -> impl Iterator<Item = &'w Sighting> + Clone + use<'w, 'a> {
        self.seen(numbers.as_slice())
    }

    /// The same, of numbers as they are kept.
    pub(super) fn seen<'w>(
        &'w self,
        numbers: &'w [u32],
    ) -> impl Iterator<Item = &'w Sighting> + Clone + use<'w, 'a> {
        numbers
            .iter()
            .filter_map(|&i| self.sightings.get(i as usize).map(AsRef::as_ref))
    }

    /// What a certificate says.
    pub(super) fn facts(&self, cert: &Cert) -> Option<&Certificate> {
        let mut sightings = cert.sightings.iter().filter_map(|i| self.sightings.get(i));
        sightings.find_map(|s| s.certificate.as_deref())
    }

    /// `host:path`.
    pub(super) fn place(sighting: &Sighting) -> At<'_> {
        At(sighting)
    }

    /// The number of a key.
    pub(super) fn key_number(&self, id: &KeyId) -> Option<usize> {
        let of = |number: u32| self.keys.get(number as usize).map(|key| &key.id);
        let order = |&number: &u32| of(number).map_or(Ordering::Less, |own| own.by_text(id));
        let place = self.by_id.binary_search_by(order).ok()?;
        self.by_id.get(place).map(|&number| number as usize)
    }

    /// The number of the key of a sighting.
    pub(super) fn key(&self, sighting: usize) -> Option<usize> {
        self.key_of.get(sighting).and_then(|&key| long(key))
    }

    /// The place of a key in the order of the ids.
    pub(super) fn rank(&self, key: usize) -> u32 {
        self.rank.get(key).copied().unwrap_or(NONE)
    }

    /// The number of a sighting's host.
    pub(super) fn host(&self, sighting: usize) -> usize {
        let host = self.host_of.get(sighting);
        host.and_then(|&host| long(host)).unwrap_or(usize::MAX)
    }
}

/// `host:path` of a sighting, for a sentence.
#[derive(Clone, Copy)]
pub(super) struct At<'s>(&'s Sighting);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.host.as_deref().unwrap_or("?"))?;
        f.write_str(":")?;
        f.write_str(&self.0.location.path)
    }
}

impl Cert {
    pub(super) fn new(
        key: u32,
        sha256: Option<Sha256Hex>,
        (sightings, judged): (Few, Few),
        (subject, issuer): (NameId, NameId),
    ) -> Self {
        Self {
            key,
            sha256,
            sightings,
            judged,
            subject,
            issuer,
            status: CertificateStatus::Current,
            successor: NONE,
        }
    }

    /// The number of its key.
    pub(super) const fn key(&self) -> usize {
        self.key as usize
    }

    /// The number of its successor.
    pub(super) fn successor(&self) -> Option<usize> {
        long(self.successor)
    }

    /// Sets the status and the successor.
    pub(super) fn settle(&mut self, status: CertificateStatus, successor: Option<usize>) {
        self.status = status;
        self.successor = successor.map_or(NONE, super::few::short);
    }

    /// `certificate 3f9a1c2b… (CN=shop.example)`, for a sentence.
    pub(super) fn title<'f>(&self, facts: &'f Certificate) -> Title<'f> {
        Title {
            sha256: self.sha256,
            facts,
        }
    }
}

/// What a certificate is called in a sentence.
#[derive(Clone, Copy)]
pub(super) struct Title<'f> {
    sha256: Option<Sha256Hex>,
    facts: &'f Certificate,
}

impl fmt::Display for Title<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("certificate ")?;
        if let Some(first) = self.sha256.as_ref().and_then(|d| d.0.first_chunk::<4>()) {
            fmt::Display::fmt(&Hex(*first), f)?;
        }
        let first = || self.facts.sans.first().map_or("no subject", String::as_str);
        let name = match &*self.facts.subject {
            "" => first(),
            subject => subject,
        };
        write!(f, "… ({name})")
    }
}

/// What a row is called in a sentence.
#[derive(Clone, Copy)]
pub(super) struct RowTitle<'a>(&'a Entry);

impl<'a> RowTitle<'a> {
    /// Its pieces; of a row without a name of its own the last three are empty.
    fn pieces(self) -> [&'a str; 5] {
        let Entry { id, name, .. } = self.0;
        match name {
            Some(name) if name != id => ["row ", id, " (", name, ")"],
            _ => ["row ", id, "", "", ""],
        }
    }

    /// Adds it to a text.
    pub(super) fn add_to(self, text: &mut String) {
        text.extend(self.pieces());
    }
}

impl fmt::Display for RowTitle<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut pieces = self.pieces().into_iter();
        pieces.try_for_each(|piece| f.write_str(piece))
    }
}

impl<'a> Row<'a> {
    /// `row K-17`, for a sentence.
    pub(super) fn title(&self) -> RowTitle<'a> {
        RowTitle(self.entry)
    }

    /// Its id, in the memory that findings and reports share.
    pub(super) fn id(&self) -> SharedText {
        SharedText::from(ArcStr::clone(&self.entry.id))
    }

    /// What names it in digests; unlike its id it is never that of another row.
    pub(super) fn tag(&self) -> &str {
        self.tag.as_deref().unwrap_or(&self.entry.id)
    }

    /// Whether anything that a sighting could have identifies it.
    pub(super) fn has_identifiers(&self) -> bool {
        !self.entry.identifiers.is_empty()
    }

    /// Its identifiers in normal form.
    pub(super) fn tokens(&self, names: &Names, mut each: impl FnMut(Token)) {
        for identifier in &self.entry.identifiers {
            of_identifier(identifier, self.issuer_of(identifier, names), &mut each);
        }
    }

    /// Its serials that are written in decimal, as certificates have them.
    pub(super) fn decimal_tokens(&self, names: &Names) -> impl Iterator<Item = Token> {
        let identifiers = self.entry.identifiers.iter();
        identifiers.filter_map(|i| of_decimal(i, self.issuer_of(i, names)))
    }

    /// The name of the issuer that an identifier has beside its serial.
    fn issuer_of(&self, identifier: &Identifier, names: &Names) -> NameId {
        let Identifier::IssuerSerial { issuer, .. } = identifier else {
            return NameId::BLANK;
        };
        let first = self.entry.identifiers.iter().find_map(issuer_beside_serial);
        if first == Some(issuer) {
            return self.of_serial;
        }
        names.find(issuer).map_or(NameId::BLANK, |named| named.id)
    }

    /// The kinds of its strong identifiers; without `mixed` those that may as well be weak (40 digits that
    /// can be a subject key identifier) do not count.
    pub(super) fn strong_methods(&self, mixed: bool) -> u32 {
        let methods = self.entry.identifiers.iter().map(methods_of);
        methods
            .filter(|methods| mixed || methods.iter().all(|m| m.is_strong()))
            .flatten()
            .filter(|m| m.is_strong())
            .fold(0, |mask, m| mask | m.bit())
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
        covers(self.entry.kind, kind)
    }
}

/// Whether a sighting of a kind can be what a row of a type means.
pub(super) fn covers(row: Option<EntryKind>, kind: Kind) -> bool {
    kind != Kind::Keystore && row.is_none_or(|row| row.covers(kind))
}

/// The issuer that an identifier has beside its serial, as written.
pub(super) fn issuer_beside_serial(identifier: &Identifier) -> Option<&ArcStr> {
    match identifier {
        Identifier::IssuerSerial { issuer, .. } => Some(issuer),
        _ => None,
    }
}

/// All paths of a sighting: its own, links and hard links.
pub(super) fn paths(sighting: &Sighting) -> impl Iterator<Item = &str> {
    let location = &sighting.location;
    std::iter::once(&location.path)
        .chain(location.links())
        .chain(location.hard_links())
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
