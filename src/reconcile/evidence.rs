//! How old a key is: what proves that it existed at a time, and what says that it was made after one.
//!
//! A certificate is made of a key that exists, so its start proves age, less what authorities backdate. A file's
//! date is in the hands of whoever copies the file: it may contradict that a key is new, and never proves it.

use super::context::{Cert, KeyContext, World};
use super::dates::{day, plus_hours};
use super::gather::Gathered;
use super::names::{NameId, Names};
use super::openpgp;
use crate::model::{KeyId, Kind, Moment, Sha256Hex, SharedText, Sighting};
use foldhash::HashSet;
use jiff::Timestamp;
use std::collections::HashMap;

/// Authorities begin a certificate's validity before they sign it: minutes to an hour for skewed clocks, and at most at
/// the start of the day. So much later the key existed for certain.
const BACKDATED_HOURS: i64 = 24;
/// What the clocks of two machines may differ by.
const CLOCK_HOURS: i64 = 1;
/// A date without a time is anywhere from UTC+14 on.
const ZONE_HOURS: i64 = 14;

/// What is known of the age of keys beside what their sightings say.
#[derive(Default)]
pub(super) struct Ages {
    /// Subject and start of each authority that was seen. A certificate that starts with its authority's own was given
    /// that start (kubeadm does so), and proves nothing.
    authorities: HashSet<(NameId, Timestamp)>,
    /// The end of the earliest sweep that saw a key, of those that later ones replaced.
    earlier: HashMap<KeyId, Timestamp>,
}

impl Ages {
    pub(super) fn find(
        sightings: &[Box<Sighting>],
        gathered: &Gathered,
        names: &Names,
        earlier: HashMap<KeyId, Timestamp>,
    ) -> Self {
        let mut authorities = HashSet::default();
        let facts_of = |number: usize| {
            let s = sightings.get(number);
            let s = s.filter(|s| s.kind == Kind::Certificate);
            s.and_then(|s| s.certificate.as_deref())
        };
        for certificate in &gathered.certificates {
            let mut first = None;
            for facts in certificate.sightings.iter().filter_map(facts_of) {
                let subject = *first.get_or_insert(&facts.subject);
                let Some(start) = facts.not_before.filter(|_| facts.is_ca) else {
                    continue;
                };
                // Its name was read when it was found.
                let name = match *subject == facts.subject {
                    true => Some(certificate.subject),
                    false => names.find(&facts.subject).map(|named| named.id),
                };
                authorities.extend(name.map(|name| (name, start)));
            }
        }
        for facts in gathered.others.iter().filter_map(facts_of) {
            let named = || Some((names.find(&facts.subject)?.id, facts.not_before?));
            authorities.extend(facts.is_ca.then(named).flatten());
        }
        Self {
            authorities,
            earlier,
        }
    }
}

/// A fact that proves that a key existed at a time.
#[derive(Clone, Copy)]
pub(super) struct Evidence<'w> {
    /// When it existed at the latest.
    pub(super) at: Timestamp,
    /// The day that the source names.
    told: Timestamp,
    source: Source<'w>,
}

#[derive(Clone, Copy)]
enum Source<'w> {
    Certificate(&'w Cert),
    SshCertificate(&'w Sighting),
    Pgp(&'w Sighting),
    Store(&'w Sighting),
    Sweep(&'w str),
    EarlierSweep,
}

impl<'w> Evidence<'w> {
    fn of(told: Timestamp, source: Source<'w>) -> Self {
        let backdated = match source {
            Source::Certificate(_) | Source::SshCertificate(_) => BACKDATED_HOURS,
            _ => 0,
        };
        Self {
            at: plus_hours(told, backdated),
            told,
            source,
        }
    }

    /// Whether the key is older than a moment that a row gives.
    pub(super) fn is_before(&self, moment: Moment) -> bool {
        let doubt = if moment.has_time {
            CLOCK_HOURS
        } else {
            ZONE_HOURS
        };
        self.at < plus_hours(moment.at, -doubt)
    }

    pub(super) fn certificate(&self) -> Option<Sha256Hex> {
        match self.source {
            Source::Certificate(certificate) => certificate.sha256,
            _ => None,
        }
    }

    /// What says so, for a sentence.
    pub(super) fn text(&self, world: &World<'_>) -> String {
        let day = day(self.told);
        match self.source {
            Source::Certificate(certificate) => {
                let title = world
                    .facts(certificate)
                    .map(|f| certificate.title(f).to_string());
                format!("{} of it starts on {day}", title.unwrap_or_default())
            }
            Source::SshCertificate(s) => {
                format!("its SSH certificate in {} starts on {day}", World::place(s))
            }
            Source::Pgp(s) => {
                let title = s.pgp.as_deref().map(|pgp| openpgp::title(s, pgp));
                format!("{} was made on {day}", title.unwrap_or_default())
            }
            Source::Store(s) => {
                let alias = s
                    .location
                    .alias()
                    .map_or("without name", SharedText::as_str);
                format!("the entry {alias} of {} is of {day}", World::place(s))
            }
            Source::Sweep(host) => format!("the sweep of {host} that ended on {day} saw it"),
            Source::EarlierSweep => format!("an earlier sweep, which ended on {day}, saw it"),
        }
    }
}

/// The earliest proof that a key existed; of several of one time the first of their order here.
pub(super) fn earliest<'w>(cx: &KeyContext<'w, '_>) -> Option<Evidence<'w>> {
    let world = cx.world;
    let certificates = world.certificates_of(cx.index).filter_map(|certificate| {
        let start = world.facts(certificate)?.not_before.filter(is_a_date)?;
        let given = certificate.issuer != certificate.subject
            && world
                .ages
                .authorities
                .contains(&(certificate.issuer, start));
        (!given).then(|| Evidence::of(start, Source::Certificate(certificate)))
    });
    let told = world.at(&cx.key.all).flat_map(|s| {
        let ssh = s.ssh.as_deref().filter(|_| s.kind == Kind::SshCertificate);
        let dated = [
            (
                ssh.and_then(|ssh| ssh.rare().valid_after),
                Source::SshCertificate(s),
            ),
            (s.pgp.as_deref().and_then(|pgp| pgp.created), Source::Pgp(s)),
            (s.created(), Source::Store(s)),
        ];
        dated
            .into_iter()
            .filter_map(|(at, source)| Some(Evidence::of(at.filter(is_a_date)?, source)))
    });
    let swept = cx.key.all.iter().filter_map(|number| {
        let host = world.hosts.get(world.host(number))?;
        Some(Evidence::of(host.swept?, Source::Sweep(&host.name)))
    });
    let earlier = world.ages.earlier.get(&cx.key.id);
    let earlier = earlier.map(|&at| Evidence::of(at, Source::EarlierSweep));
    certificates
        .chain(told)
        .chain(swept)
        .chain(earlier)
        .min_by_key(|evidence| evidence.at)
}

/// Clocks that were never set begin in 1970, and some certificates of devices in 2000; those are no dates.
fn is_a_date(at: &Timestamp) -> bool {
    const YEAR_2001: i64 = 978_307_200;
    at.as_second() >= YEAR_2001
}

/// The date of the last export, if a key is newer: its first certificate, or the OpenPGP key itself, is of a later day,
/// and neither a sweep nor the date of a file that holds it says that it is older.
pub(super) fn newer_than_inventory(cx: &KeyContext<'_, '_>) -> Option<(Timestamp, Timestamp)> {
    let world = cx.world;
    let export = world.exported?;
    let starts = world
        .certificates_of(cx.index)
        .filter_map(|c| world.facts(c)?.not_before);
    let made = world
        .at(&cx.key.all)
        .filter_map(|s| s.pgp.as_deref()?.created);
    let first = starts.chain(made).min().filter(|&first| first > export)?;
    let older_file = world
        .at(&cx.key.all)
        .filter_map(|s| s.file.as_ref()?.modified)
        .any(|modified| modified < export);
    let older = older_file || earliest(cx).is_some_and(|evidence| evidence.at < export);
    (!older).then_some((first, export))
}
