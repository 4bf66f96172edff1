//! Pure judgement: sightings, entries, policy and a time become findings.
//!
//! A hash join gives each key its sightings and its rows. What spans keys (places, renewals, environments,
//! coverage) is put into small tables first; then every rule is a function of one key's context, a file for
//! each family. Nothing here reads a clock or a file, and the order of the input never shows in the report.

mod agreement;
mod ahead;
mod alternative_names;
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
mod lineage;
mod listed;
mod located;
mod names;
mod openpgp;
mod overview;
mod ownership;
mod pairing;
mod placement;
mod places;
pub mod propose;
mod renames;
mod renewal;
mod rotation;
mod sharing;
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

use crate::identity::fill_probable_keys;
use crate::model::ahead::{BATCH, whole_sightings};
use crate::model::report::{IncludedSummary, REPORT_SCHEMA};
use crate::model::{
    Entry, EntryReport, Finding, Flag, HostList, Inventory, InventorySummary, KeyId, KeyReport,
    PolicySummary, Report, SharedText, Sighting, Summary, Sweep,
};
use crate::policy::{Owners, Policy};
use at_place::{AtPlace, Files};
use context::{Draft, KeyContext, Row, World, issuer_beside_serial};
use few::{Few, short};
use finding::Subject;
use foldhash::HashMap;
use join::{Join, RowMatch};
use names::{NameId, NameReader, Names};
use overview::Overview;
use renewal::Replaced;
use sharing::{ByRows, Environments};
use summary::Tally;
use texts::{Repeated, Texts};
use trust::Trust;

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
    let mut sightings = judged.sightings;
    fill_probable_keys(&mut sightings);
    let mut names = Names::default();
    let gathered = gather::gather(&sightings, &mut NameReader::new(&mut names));
    // Those of one host follow one another.
    let of_one_host = sightings.chunk_by(|one, next| one.host == next.host);
    let host_of = of_one_host.flat_map(|group| {
        let host = group.first().and_then(|s| s.host.as_deref());
        let number = host.and_then(|host| judged.hosts.number(host));
        std::iter::repeat_n(number.map_or(few::NONE, short), group.len())
    });
    let families = openpgp::Families::find(&gathered.keys, &sightings);
    let ages = evidence::Ages::find(&sightings, &names, judged.earlier);
    let mut environments = Texts::default();
    let rows = rows(
        input.inventories,
        &judged.hosts,
        &mut names,
        &mut environments,
    );
    let mut world = World {
        families,
        ages,
        exported: exported(input.inventories),
        host_of: host_of.collect(),
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
    } = judge(&world, join, input.inventories);
    let invalid = exceptions::apply(
        &world,
        !input.inventories.is_empty(),
        &mut key_reports,
        &mut entries,
    );
    let inventories = input
        .inventories
        .iter()
        .map(|i| describe(i, &world))
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
        policy: Some(describe_policy(input.policy, invalid)),
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

/// The place of each number in a list that has each once.
fn places_of(order: &[u32]) -> Vec<u32> {
    let mut places = vec![few::NONE; order.len()];
    for (place, &number) in (0..).zip(order) {
        if let Some(slot) = places.get_mut(number as usize) {
            *slot = place;
        }
    }
    places
}

/// Brings reports into the order of their places, without a second list of them.
fn in_order(reports: &mut [KeyReport], mut places: Vec<u32>) {
    for number in 0..places.len() {
        while let Some(place) = places.get(number).map(|&place| place as usize)
            && place != number
            && place < reports.len()
        {
            reports.swap(number, place);
            places.swap(number, place);
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

/// What was found of keys and rows.
struct Verdict<'w> {
    keys: Vec<KeyReport>,
    entries: Vec<EntryReport>,
    trust: Trust,
    /// Names in `known_hosts` that stayed unjudged.
    unjudged: u64,
    tally: Tally<'w>,
}

/// Runs every rule over every key, and then over every row.
fn judge<'w>(world: &'w World<'_>, mut join: Join, inventories: &[Inventory]) -> Verdict<'w> {
    // Rows and sightings are large: each is looked at once for all that is asked first.
    let mut overview = Overview::new(world);
    let mut files = Files::new(world);
    let mut names = weak::Names::default();
    let mut environments = ByRows::new(world);
    for ((number, row), found) in (0u32..).zip(&world.rows).zip(&join.rows) {
        overview.add_row(world, row);
        files.add_row(row);
        names.add_row(number, row, found);
        environments.add_row(row);
    }
    files.number();
    for ((number, sighting), host) in (0u32..).zip(&world.sightings).zip(&world.host_of) {
        if (number as usize).is_multiple_of(BATCH) {
            let batch = world.sightings.iter().skip(number as usize).take(BATCH);
            whole_sightings(batch.map(AsRef::as_ref));
        }
        overview.add_sighting(sighting);
        files.add_sighting(*host, number, sighting);
        names.add_sighting(number, sighting);
    }
    overview.add_keys(world);
    let at_place = AtPlace::of(files, world, &overview);
    let (pointing, weak) = weak::extend(world, &overview, &at_place, names, &mut join);
    let replaced = Replaced::find(world, &overview, &join, &at_place);
    let coverage = places::Coverage::new(world, &overview, &join);
    let environments = Environments::of_hosts(world, environments);
    let mut demands = strength::Demands::new(world);
    let place_rules = placement::rules(&world.policy.places);
    let trust = Trust::find(world, &overview, &join, !inventories.is_empty());
    let (contradicted, unjudged) = trust::contradictions(world, &overview);
    let mut contradicted = contradicted.into_iter().peekable();
    let mut tally = Tally::new();
    let mut words = Words::default();
    let unowned: Vec<bool> = inventories.iter().map(|i| !i.has_owner_column).collect();
    let mut of_rows: Vec<(usize, Finding)> = Vec::new();
    let mut drafts: Vec<Draft> = Vec::new();
    let mut keys = Vec::with_capacity(world.keys.len());
    for (index, key) in world.keys.iter().enumerate() {
        if index % BATCH == 0 {
            ahead::keys(world, &join, index..world.keys.len().min(index + BATCH));
        }
        let links = join.links.get(index);
        let cx = KeyContext {
            world,
            index,
            key,
            links,
            overview: &overview,
            at_place: &at_place,
        };
        if !inventories.is_empty() {
            ownership::judge(
                &cx,
                &join,
                (weak.get(index), pointing.get(index)),
                &replaced,
                &trust,
                &unowned,
                &mut drafts,
            );
            agreement::judge(&cx, &replaced, &mut drafts);
            placement::judge(&cx, &replaced, &mut drafts);
            state::judge(&cx, &mut drafts);
            rotation::judge(&cx, &replaced, &mut drafts);
        }
        if inventories.is_empty() {
            drafts.extend(trust::orphan(&cx, &trust));
        }
        let of_key = contradicted.next_if(|(key, _)| *key == index);
        drafts.extend(of_key.into_iter().flat_map(|(_, drafts)| drafts));
        validity::judge(&cx, &mut drafts);
        exposure::judge(&cx, &mut drafts);
        strength::judge(&cx, &mut demands, &mut drafts);
        compromise::judge(&cx, &mut drafts);
        sharing::judge(&cx, &environments, &trust, &mut drafts);
        pairing::judge(&cx, &mut drafts);
        placement::by_policy(&cx, &place_rules, &environments, &mut drafts);
        let mut flags = Vec::with_capacity(drafts.len());
        for mut draft in drafts.drain(..) {
            finding::soften(&mut draft, key, world.policy);
            let row = draft.row;
            let finding = finding::finish(
                draft,
                &Subject::Key(key),
                row.and_then(|r| world.rows.get(r)),
            );
            of_rows.extend(row.map(|row| (row, finding::repeated(&finding, key))));
            flags.push(finding);
        }
        finding::sort(&mut flags);
        let mut entries = Vec::with_capacity(links.len());
        entries.extend(links.iter().filter_map(|l| Some(cx.row(l)?.id())));
        let report = KeyReport {
            key_id: key.id.clone(),
            class: key.class,
            algorithm: world.at(&key.judged).find_map(|s| s.algorithm.clone()),
            bits: world.at(&key.judged).find_map(|s| s.bits),
            known_public: crate::identity::known_public(&key.id).map(SharedText::new),
            entries,
            matched_by: links
                .iter()
                .map(|l| l.method)
                .min()
                .map(|m| words.shared(m.as_str())),
            flags,
            sightings: Vec::with_capacity(key.all.len()),
        };
        tally.key(world, key, &report);
        keys.push(report);
    }
    let doubles = duplicates::find(world, &overview, &join);
    let mut doubles = doubles.into_iter().peekable();
    of_rows.sort_by_key(|(row, _)| *row);
    let mut of_rows = of_rows.into_iter().peekable();
    let mut entries = Vec::with_capacity(world.rows.len());
    for (number, row) in world.rows.iter().enumerate() {
        let status = status::judge(world, number, row, &join, &replaced, &coverage, &mut drafts);
        let double = doubles.next_if(|(row, _)| *row == number);
        drafts.extend(double.map(|(_, draft)| draft));
        let mut flags = Vec::with_capacity(drafts.len());
        while let Some((_, finding)) = of_rows.next_if(|(row, _)| *row == number) {
            flags.push(finding);
        }
        let own = drafts.drain(..);
        flags.extend(own.map(|d| finding::finish(d, &Subject::Row, Some(row))));
        finding::sort(&mut flags);
        flags.shrink_to_fit();
        let report = entry_report(world, row, join.rows.get(number), status, flags, &mut words);
        tally.row(world, row, &report);
        entries.push(report);
    }
    Verdict {
        keys,
        entries,
        trust,
        unjudged,
        tally,
    }
}

/// The words of states and methods, each in memory once.
#[derive(Default)]
struct Words(Vec<(&'static str, SharedText)>);

impl Words {
    fn shared(&mut self, word: &'static str) -> SharedText {
        // They are texts of the program: one place is one word.
        let same = |known: &str| std::ptr::eq(known, word);
        if let Some((_, known)) = self.0.iter().find(|(known, _)| same(known)) {
            return known.clone();
        }
        let text = SharedText::new(word);
        self.0.push((word, text.clone()));
        text
    }
}

fn entry_report(
    world: &World<'_>,
    row: &Row<'_>,
    found: Option<&RowMatch>,
    status: crate::model::EntryStatus,
    flags: Vec<Finding>,
    words: &mut Words,
) -> EntryReport {
    let matched = found.filter(|f| f.is_matched());
    let numbers = matched.into_iter().flat_map(|f| f.keys.iter());
    let numbers = numbers.filter_map(|k| world.keys.get(k));
    let mut keys = Vec::with_capacity(matched.map_or(0, |f| f.keys.len()));
    keys.extend(numbers.map(|k| k.id.clone()));
    keys.sort_unstable_by(KeyId::by_text);
    EntryReport {
        id: row.id(),
        source: row.entry.source.clone(),
        name: row.entry.name.clone(),
        owner: row.entry.owner.as_deref().map(SharedText::new),
        state: row.entry.state.map(|s| words.shared(s.as_str())),
        status,
        matched_by: matched
            .and_then(|f| f.method)
            .map(|m| words.shared(m.as_str())),
        keys,
        flags,
    }
}

/// The rows of all inventories, in the order of their sources.
fn rows<'a>(
    inventories: &'a [Inventory],
    hosts: &sweeps::Hosts,
    names: &mut Names,
    environments: &mut Texts,
) -> Vec<Row<'a>> {
    let mut list: Vec<(usize, &'a Entry)> = Vec::new();
    for (number, inventory) in inventories.iter().enumerate() {
        list.extend(inventory.entries.iter().map(|entry| (number, entry)));
    }
    list.sort_by(|a, b| (a.0, &a.1.source, &a.1.id).cmp(&(b.0, &b.1.source, &b.1.id)));
    let ids = list.iter().map(|(_, entry)| &*entry.id);
    let mut ids = Repeated::among(ids);
    let mut words: HashMap<&str, Option<u32>> = HashMap::default();
    let mut names = NameReader::new(names);
    let mut hosts = places::HostReader::new(hosts);
    let row = |(inventory, entry): (usize, &'a Entry)| {
        let nth = ids.nth(&entry.id);
        // Ids that occur again are told apart by their source and order, never by a line that shifts.
        let tag = (nth > 1).then(|| {
            let source = inventories.get(inventory).map(|i| i.name.as_str());
            format!("{} {} {nth}", entry.id, source.unwrap_or_default()).into()
        });
        let mut issuers = entry.identifiers.iter().filter_map(issuer_beside_serial);
        let first = issuers.next();
        // The others are found by their texts.
        issuers.for_each(|issuer| _ = names.read(issuer));
        let issuer = entry.issuer.as_ref().or(first);
        let environment = entry.environment.as_deref();
        Row {
            entry,
            inventory: short(inventory),
            tag,
            subject: entry.subject.as_deref().and_then(|text| names.read(text)),
            issuer: issuer.and_then(|text| names.read(text)),
            of_serial: first.map_or(NameId::BLANK, |text| names.read_id(text)),
            environment: environment.and_then(|text| {
                let word = || Some(environments.number(&sharing::environment_word(text)?));
                *words.entry(text).or_insert_with(word)
            }),
            places: places::prepare(&entry.places, &mut hosts),
        }
    };
    list.into_iter().map(row).collect()
}

/// A policy by name and digest, with what holds for its exceptions.
fn describe_policy(policy: &Policy, flags: Vec<Finding>) -> PolicySummary {
    let included = policy.included.iter();
    PolicySummary {
        name: policy.name.clone(),
        sha256: policy.sha256.clone(),
        included: included
            .map(|(name, sha256)| IncludedSummary {
                name: name.clone(),
                sha256: sha256.clone(),
            })
            .collect(),
        flags,
    }
}

/// The date of the last export, if all have one: what is newer can be in none of them.
fn exported(inventories: &[Inventory]) -> Option<jiff::Timestamp> {
    let dates: Option<Vec<_>> = inventories.iter().map(|i| i.as_of).collect();
    dates?.into_iter().max()
}

/// An inventory without its rows, with what holds for it as a whole.
fn describe(inventory: &Inventory, world: &World<'_>) -> InventorySummary {
    let mut flags = Vec::new();
    if !inventory.has_owner_column && !inventory.entries.is_empty() {
        let why = format!(
            "{} has no column for owners: nobody answers for its rows",
            inventory.name
        );
        let draft = Draft::new(Flag::Unowned, world.policy.severity(Flag::Unowned), why);
        flags.push(finding::finish(
            draft,
            &Subject::Source(&inventory.name),
            None,
        ));
    }
    let fault = |f: &crate::model::RowFault| match &f.column {
        Some(column) => format!("{}: {column}: {}", f.source, f.reason),
        None => format!("{}: {}", f.source, f.reason),
    };
    InventorySummary {
        name: inventory.name.clone(),
        as_of: inventory.as_of,
        rows: inventory.rows,
        usable: inventory.rows.saturating_sub(inventory.unusable),
        faults: inventory
            .doubts
            .iter()
            .map(|doubt| format!("{}: {}", inventory.name, doubt.reason))
            .chain(inventory.faults.iter().map(fault))
            .collect(),
        flags,
    }
}
