//! Exceptions of the policy, held against findings: what they excuse, and which of them do not hold.

use super::context::{Draft, World};
use super::finding::{Subject, finish, sort};
use super::located::Located;
use super::places::pattern_doubt;
use super::wanted::{Match, Wanted};
use crate::model::{
    EntryReport, Excuse, Finding, FindingId, Flag, KeyReport, Severity, SharedText, Sighting,
};
use crate::policy::Exception;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// An exception, prepared.
struct Prepared<'p> {
    exception: &'p Exception,
    key: Wanted,
    location: Option<Located>,
    /// Why it excuses nothing.
    fault: Option<String>,
    ended: bool,
    begun: bool,
    /// Findings that it is about, whether it excuses them or not.
    hits: u64,
}

/// Marks what is excused, says at findings that an exception for them has ended, and gives a finding for each exception that
/// does not hold.
pub(super) fn apply(
    world: &World<'_>,
    has_inventory: bool,
    keys: &mut [KeyReport],
    entries: &mut [EntryReport],
) -> Vec<Finding> {
    let today = today(world.now);
    let mut all: Vec<Prepared<'_>> = world
        .policy
        .exceptions
        .iter()
        .map(|exception| Prepared {
            key: Wanted::new(exception.key.as_deref().unwrap_or_default()),
            location: exception.location.as_deref().map(Located::read),
            fault: exception.fault(world.owners, today, world.policy.exception_max_days),
            ended: exception.has_ended(today),
            begun: exception.has_begun(today),
            hits: 0,
            exception,
        })
        .collect();
    if all.is_empty() {
        return Vec::new();
    }
    // What a row repeats follows what was decided at its key.
    let mut decided: BTreeMap<FindingId, (Option<Box<Excuse>>, SharedText)> = BTreeMap::new();
    for (index, report) in keys.iter_mut().enumerate() {
        let named: Vec<Option<Match>> = all
            .iter()
            .map(|one| {
                world
                    .keys
                    .get(index)
                    .and_then(|key| one.key.of_key(world, &key.all, report))
            })
            .collect();
        if named.iter().all(Option::is_none) {
            continue;
        }
        let mut flags = std::mem::take(&mut report.flags);
        for finding in &mut flags {
            for (one, named) in all.iter_mut().zip(&named) {
                let Some(named) = named else { continue };
                if one.exception.flag == Some(finding.flag)
                    && named.fits(finding)
                    && covers(world, index, finding, one.location.as_ref())
                {
                    one.meet(finding);
                }
            }
            decided.insert(finding.id, (finding.exception.clone(), finding.why.clone()));
        }
        report.flags = flags;
    }
    for (report, row) in entries.iter_mut().zip(&world.rows) {
        for finding in &mut report.flags {
            if finding.key_id.is_some() {
                if let Some((excuse, why)) = decided.get(&finding.id) {
                    finding.exception.clone_from(excuse);
                    finding.why.clone_from(why);
                }
                continue;
            }
            for one in &mut all {
                let located = |location: &Located| {
                    location.is_all()
                        || (!row.entry.places.is_empty()
                            && row
                                .entry
                                .places
                                .iter()
                                .all(|place| location.contains(place)))
                };
                if one.exception.flag == Some(finding.flag)
                    && *one.key.exact == *row.entry.id
                    && one.location.as_ref().is_some_and(located)
                {
                    one.meet(finding);
                }
            }
        }
    }
    let mut findings: Vec<Finding> = all
        .iter()
        .filter_map(|one| one.invalid(world, has_inventory))
        .collect();
    sort(&mut findings);
    findings
}

/// The day of judgement, in UTC as all days are.
pub(super) fn today(now: jiff::Timestamp) -> Date {
    jiff::tz::TimeZone::UTC.to_datetime(now).date()
}

impl Prepared<'_> {
    /// It is about this finding: excuses it, or is told at it.
    fn meet(&mut self, finding: &mut Finding) {
        self.hits += 1;
        let e = self.exception;
        if self.fault.is_some() || !self.begun {
            return;
        }
        let Some(until) = e.until else { return };
        if self.ended {
            let why = format!("{}; {} for it ended on {until}", finding.why, e.title());
            finding.why = SharedText::of_its_own(&why);
            return;
        }
        // Of several the one that runs longest is told.
        if finding
            .exception
            .as_ref()
            .is_some_and(|known| known.until >= until)
        {
            return;
        }
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        finding.exception = Some(Box::new(Excuse {
            ticket: text(&e.ticket),
            until,
            reason: text(&e.reason),
            requester: text(&e.requester),
            approver: text(&e.approver),
            source: e.source.clone(),
        }));
    }

    /// The finding on the exception itself.
    fn invalid(&self, world: &World<'_>, has_inventory: bool) -> Option<Finding> {
        let e = self.exception;
        let why = if let Some(fault) = &self.fault {
            format!("{} {fault}; it excuses nothing", e.title())
        } else if self.ended {
            let until = e.until?;
            let counts = match self.hits {
                0 => "there is nothing left that it would excuse",
                _ => "what it excused counts again",
            };
            format!("{} ended on {until}; {counts}", e.title())
        } else if self.begun && self.hits == 0 && self.could_be_seen(world, has_inventory) {
            let flag = e.flag.map_or("", Flag::as_str);
            format!(
                "{} excuses {flag} of {} in {}, which is no finding here (any more)",
                e.title(),
                e.key.as_deref().unwrap_or_default(),
                e.location.as_deref().unwrap_or_default()
            )
        } else {
            return None;
        };
        let severity: Severity = world.policy.severity(Flag::ExceptionInvalid);
        // Its own content tells it from others, never a line that shifts.
        let subject = format!(
            "exception {} {} {} {}",
            e.ticket.as_deref().unwrap_or_default(),
            e.key.as_deref().unwrap_or_default(),
            e.flag.map_or("", Flag::as_str),
            e.location.as_deref().unwrap_or_default()
        );
        let draft = Draft::new(Flag::ExceptionInvalid, severity, why);
        Some(finish(draft, &Subject::Source(&subject), None))
    }

    /// Whether a finding that it is about would have been seen: its place was completely swept, and a flag that rests on rows
    /// had rows.
    fn could_be_seen(&self, world: &World<'_>, has_inventory: bool) -> bool {
        if !has_inventory && !self.exception.flag.is_some_and(needs_no_inventory) {
            return false;
        }
        let Some(location) = &self.location else {
            return false;
        };
        let numbers: Vec<usize> = location.hosts(&world.hosts).collect();
        !numbers.is_empty()
            && numbers
                .iter()
                .filter_map(|&n| world.hosts.get(n))
                .all(|host| match location.path() {
                    Some((glob, pattern)) => pattern_doubt(host, glob, pattern).is_none(),
                    None => super::places::whole_host(host).is_none(),
                })
    }
}

const fn needs_no_inventory(flag: Flag) -> bool {
    matches!(
        flag,
        Flag::Expired
            | Flag::Expiring
            | Flag::NotYetValid
            | Flag::ResidualPrivate
            | Flag::Unpaired
            | Flag::Exposed
            | Flag::Tamperable
            | Flag::Unprotected
            | Flag::Weak
            | Flag::Compromised
    )
}

/// Whether all that a finding rests on lies in a location: its place, its certificate's sightings, or the key's. One copy
/// elsewhere is not excused by an exception for here.
fn covers(world: &World<'_>, key: usize, finding: &Finding, location: Option<&Located>) -> bool {
    let Some(location) = location else {
        return false;
    };
    if location.is_all() {
        return true;
    }
    if let Some(place) = &finding.place {
        return location.covers(place);
    }
    let Some(of_key) = world.keys.get(key) else {
        return false;
    };
    let of_certificate = finding.certificate().and_then(|digest| {
        let certificates = of_key.certificates.iter();
        let mut certificates = certificates.filter_map(|c| world.certificates.get(c));
        let same = certificates.find(|c| c.sha256 == Some(digest))?;
        Some(&same.judged)
    });
    let numbers = of_certificate.unwrap_or(&of_key.judged);
    let mut seen = world
        .at(numbers)
        .filter(|s| counts(finding.flag, s))
        .peekable();
    seen.peek().is_some() && seen.all(|s| location.holds(s))
}

/// Whether a flag rests on a sighting: some are about the private half alone.
fn counts(flag: Flag, sighting: &Sighting) -> bool {
    let private_only = matches!(
        flag,
        Flag::Shared | Flag::SharedAcrossEnvironments | Flag::Unpaired
    );
    !private_only || sighting.kind.is_private()
}

/// How many findings are excused, and how many exceptions do not hold.
pub(super) fn metrics(
    keys: &[KeyReport],
    entries: &[EntryReport],
    exceptions: usize,
    invalid: usize,
) -> Option<serde_json::Value> {
    if exceptions == 0 {
        return None;
    }
    let own = |e: &&Finding| e.key_id.is_none();
    let excused = keys
        .iter()
        .flat_map(|key| &key.flags)
        .chain(entries.iter().flat_map(|entry| &entry.flags).filter(own))
        .filter(|finding| finding.exception.is_some())
        .count();
    Some(serde_json::json!({ "total": exceptions, "invalid": invalid, "findings": excused }))
}
