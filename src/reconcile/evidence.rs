//! How old a key is: what proves that it existed at a time, and what says that it was made after one.
//!
//! A certificate is made of a key that exists, so its start proves age, less what authorities backdate. A file's
//! date is in the hands of whoever copies the file: it may contradict that a key is new, and never proves it.

use super::context::{KeyContext, World};
use super::dates::{day, plus_hours};
use super::names::name_key;
use super::openpgp;
use crate::model::{KeyId, Kind, Moment, Sha256Hex, Sighting};
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};

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
    authorities: HashSet<(String, Timestamp)>,
    /// The end of the earliest sweep that saw a key, of those that later ones replaced.
    earlier: HashMap<KeyId, Timestamp>,
}

impl Ages {
    pub(super) fn find(sightings: &[Sighting], earlier: HashMap<KeyId, Timestamp>) -> Self {
        let authorities = sightings
            .iter()
            .filter(|s| s.kind == Kind::Certificate)
            .filter_map(|s| s.certificate.as_deref())
            .filter(|facts| facts.is_ca)
            .filter_map(|facts| Some((name_key(&facts.subject), facts.not_before?)))
            .collect();
        Self {
            authorities,
            earlier,
        }
    }
}

/// A fact that proves that a key existed at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Evidence {
    /// When it existed at the latest.
    pub(super) at: Timestamp,
    /// What says so, for a sentence.
    pub(super) what: String,
    pub(super) certificate: Option<Sha256Hex>,
}

impl Evidence {
    /// Whether the key is older than a moment that a row gives.
    pub(super) fn is_before(&self, moment: Moment) -> bool {
        let doubt = if moment.has_time {
            CLOCK_HOURS
        } else {
            ZONE_HOURS
        };
        self.at < plus_hours(moment.at, -doubt)
    }
}

/// The earliest proof that a key existed.
pub(super) fn earliest(cx: &KeyContext<'_, '_>) -> Option<Evidence> {
    let world = cx.world;
    let certificates = world.certificates_of(cx.index).filter_map(|certificate| {
        let facts = world.facts(certificate)?;
        let start = facts.not_before.filter(|&start| is_a_date(start))?;
        let given = certificate.issuer != certificate.subject
            && world
                .ages
                .authorities
                .contains(&(certificate.issuer.clone(), start));
        (!given).then(|| Evidence {
            at: plus_hours(start, BACKDATED_HOURS),
            what: format!(
                "{} of it starts on {}",
                certificate.title(facts),
                day(start)
            ),
            certificate: certificate.sha256,
        })
    });
    let told = world
        .at(&cx.key.all)
        .flat_map(|s| [of_ssh(s), of_pgp(s), of_store(s)].into_iter().flatten());
    let swept = cx.key.all.iter().filter_map(|&number| {
        let host = world.hosts.get(world.host(number))?;
        Some((host.swept?, host.name.as_str()))
    });
    let swept = swept.min().map(|(at, host)| Evidence {
        at,
        what: format!("the sweep of {host} that ended on {} saw it", day(at)),
        certificate: None,
    });
    let before = world.ages.earlier.get(&cx.key.id).map(|&at| Evidence {
        at,
        what: format!("an earlier sweep, which ended on {}, saw it", day(at)),
        certificate: None,
    });
    certificates
        .chain(told)
        .chain(swept)
        .chain(before)
        .min_by(|a, b| (a.at, &a.what).cmp(&(b.at, &b.what)))
}

/// Clocks that were never set begin in 1970, and some certificates of devices in 2000; those are no dates.
fn is_a_date(at: Timestamp) -> bool {
    const YEAR_2001: i64 = 978_307_200;
    at.as_second() >= YEAR_2001
}

fn of_ssh(s: &Sighting) -> Option<Evidence> {
    let start = s.ssh.as_deref()?.valid_after?;
    (s.kind == Kind::SshCertificate && is_a_date(start)).then(|| Evidence {
        at: plus_hours(start, BACKDATED_HOURS),
        what: format!(
            "its SSH certificate in {} starts on {}",
            World::place(s),
            day(start)
        ),
        certificate: None,
    })
}

fn of_pgp(s: &Sighting) -> Option<Evidence> {
    let pgp = s.pgp.as_deref()?;
    let at = pgp.created.filter(|&at| is_a_date(at))?;
    Some(Evidence {
        at,
        what: format!("{} was made on {}", openpgp::title(s, pgp), day(at)),
        certificate: None,
    })
}

fn of_store(s: &Sighting) -> Option<Evidence> {
    let at = s.created.filter(|&at| is_a_date(at))?;
    let alias = s.location.alias.as_deref().unwrap_or("without name");
    Some(Evidence {
        at,
        what: format!("the entry {alias} of {} is of {}", World::place(s), day(at)),
        certificate: None,
    })
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
