//! Pure judgement: sightings, entries, policy and a time become findings.
//!
//! A hash join gives each key its sightings and its rows. What spans keys (places, renewals, environments,
//! coverage) is put into small tables first; then every rule is a function of one key's context, a file for
//! each family. Nothing here reads a clock or a file, and the order of the input never shows in the report.

mod agreement;
mod ahead;
mod alternative_names;
mod arrange;
mod at_place;
mod certificate_status;
mod compromise;
mod context;
mod dates;
mod duplicates;
mod evidence;
mod exceptions;
mod exposure;
mod few;
mod finding;
mod gather;
mod glob;
mod grouped;
mod join;
mod judge;
mod lineage;
mod listed;
mod located;
mod names;
mod openpgp;
mod ordering;
mod overview;
mod ownership;
mod pairing;
mod placement;
mod places;
pub mod propose;
mod renames;
mod renewal;
mod rotation;
mod rows;
mod sharing;
mod sources;
mod state;
mod status;
mod strength;
mod summary;
mod sweeps;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod texts;
mod tokens;
mod trust;
mod validity;
mod wanted;
mod weak;

use crate::model::report::REPORT_SCHEMA;
use crate::model::{HostList, Inventory, KeyReport, Report, Sighting, Summary, Sweep};
use crate::policy::{Owners, Policy};
use arrange::{Arranged, arrange};
use context::World;
use few::Few;
use judge::Verdict;
use names::{NameReader, Names};
use ordering::{in_order, places_of};
use texts::Texts;

/// What is judged, and by what.
pub struct Input<'a> {
    /// The sweeps; their sightings are moved into the report.
    pub sweeps: Vec<Sweep>,
    /// The inventories; without any, only the flags that need none are told.
    pub inventories: &'a [Inventory],
    /// Thresholds and severities.
    pub policy: &'a Policy,
    /// What is known of owners, where a list of them was given.
    pub owners: Option<&'a Owners>,
    /// The hosts that should have been swept, where a list of them was given.
    pub hosts: Option<&'a HostList>,
    /// Sweeps that began longer ago than this prove no absence, and their hosts have not reported.
    pub max_sweep_age: Option<jiff::SignedDuration>,
    /// The sweeps are all of the estate: what none of them has is nowhere.
    pub estate: bool,
    /// The time of judgement.
    pub now: jiff::Timestamp,
    /// Name and version of the program, for the report.
    pub tool: String,
}

/// Judges sweeps against inventories. Never fails: what cannot be decided is said so in the report.
pub fn reconcile(input: Input<'_>) -> Report {
    let oldest = input
        .max_sweep_age
        .map(|age| input.now.checked_sub(age).unwrap_or(jiff::Timestamp::MIN));
    let mut judged = sweeps::choose(input.sweeps, input.hosts, oldest);
    let listed = listed::judge(input.hosts, oldest.is_some(), &mut judged.hosts);
    let Arranged {
        sightings,
        host_of,
        numbering,
        pgp,
    } = arrange(std::mem::take(&mut judged.lists), &judged.hosts);
    let mut names = Names::default();
    let gathered = gather::gather(&sightings, numbering, &mut NameReader::new(&mut names));
    let families = openpgp::Families::find(&pgp, &gathered.key_of, &sightings);
    let ages = evidence::Ages::find(&sightings, &gathered, &names, judged.earlier);
    let mut environments = Texts::default();
    let rows = rows::prepare(
        input.inventories,
        &judged.hosts,
        &mut names,
        &mut environments,
    );
    let mut world = World {
        families,
        ages,
        exported: sources::exported(input.inventories),
        host_of,
        sightings,
        rows,
        hosts: judged.hosts,
        names,
        environments,
        rank: places_of(&gathered.by_id),
        keys: gathered.keys,
        by_id: gathered.by_id,
        key_of: gathered.key_of,
        certificates: gathered.certificates,
        others: gathered.others,
        policy: input.policy,
        owners: input.owners,
        listed,
        estate: input.estate,
        now: input.now,
        today: exceptions::today(input.now),
    };
    certificate_status::decide(&mut world);
    let join = join::join(&world);
    let Verdict {
        keys: mut key_reports,
        mut entries,
        trust,
        unjudged,
        tally,
    } = judge::judge(&world, join, input.inventories);
    let invalid = exceptions::apply(
        &world,
        !input.inventories.is_empty(),
        &mut key_reports,
        &mut entries,
    );
    let inventories = input
        .inventories
        .iter()
        .map(|i| sources::inventory(i, &world))
        .collect();
    let mut metrics = summary::metrics(&world, &tally);
    let findings = tally.findings;
    let exceptions = input.policy.exceptions.len();
    let excused = exceptions::metrics(&key_reports, &entries, exceptions, invalid.len());
    metrics.extend(excused.map(|numbers| ("exceptions".to_owned(), numbers)));
    if !trust.is_empty() || unjudged > 0 {
        metrics.insert("ssh".to_owned(), trust.metrics(unjudged));
    }
    let Kept {
        sightings,
        key_of,
        others,
        rank,
        listed,
    } = Kept::of(world);
    let seen = sightings.len();
    let others = hand_out(sightings, &key_of, others.len(), &mut key_reports);
    in_order(&mut key_reports, rank);
    let mut report = Report {
        schema: REPORT_SCHEMA.to_owned(),
        tool: input.tool,
        generated: input.now,
        sweeps: judged.sweeps,
        policy: Some(sources::policy(input.policy, invalid)),
        hosts: listed.reports,
        inventories,
        summary: Summary::default(),
        keys: key_reports,
        others,
        entries,
        access: trust.into_report(),
        gaps: judged.gaps,
    };
    report.summary = summary::count(&report, seen, findings, metrics);
    report
}

/// What is needed when all is judged; the rest goes, so that it takes no memory meanwhile.
struct Kept {
    sightings: Vec<Box<Sighting>>,
    key_of: Vec<u32>,
    others: Few,
    rank: Vec<u32>,
    listed: listed::Listed,
}

impl Kept {
    fn of(world: World<'_>) -> Self {
        Self {
            sightings: world.sightings,
            key_of: world.key_of,
            others: world.others,
            rank: world.rank,
            listed: world.listed,
        }
    }
}

/// Moves the sightings into the reports of their keys; gives those that have none.
fn hand_out(
    sightings: Vec<Box<Sighting>>,
    key_of: &[u32],
    others: usize,
    reports: &mut [KeyReport],
) -> Vec<Box<Sighting>> {
    let mut rest = Vec::with_capacity(others);
    for (sighting, key) in sightings.into_iter().zip(key_of) {
        match reports.get_mut(*key as usize) {
            Some(report) => report.sightings.push(sighting),
            None => rest.push(sighting),
        }
    }
    rest
}
