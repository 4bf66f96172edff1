//! Every rule over every key, and then over every row.

use super::at_place::{AtPlace, Files};
use super::context::{Draft, KeyContext, Row, World};
use super::finding::{self, Subject};
use super::join::{Join, Method, RowMatch};
use super::overview::Overview;
use super::renewal::Replaced;
use super::sharing::{self, ByRows, Environments};
use super::summary::Tally;
use super::trust::{self, Trust};
use super::{
    agreement, ahead, compromise, duplicates, exposure, ownership, pairing, placement, places,
    rotation, state, status, strength, validity, weak,
};
use crate::identity::known_public;
use crate::model::ahead::{BATCH, each};
use crate::model::{
    EntryReport, EntryStatus, Finding, Inventory, KeyId, KeyReport, SharedText, ShortList,
};

/// What was found of keys and rows.
pub(super) struct Verdict<'w> {
    pub(super) keys: Vec<KeyReport>,
    pub(super) entries: Vec<EntryReport>,
    pub(super) trust: Trust,
    /// Names in `known_hosts` that stayed unjudged.
    pub(super) unjudged: u64,
    pub(super) tally: Tally<'w>,
}

/// Runs every rule over every key, and then over every row.
pub(super) fn judge<'w>(
    world: &'w World<'_>,
    mut join: Join,
    inventories: &[Inventory],
) -> Verdict<'w> {
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
    let mut methods = Words::default();
    let mut states = Words::default();
    let unowned: Vec<bool> = inventories.iter().map(|i| !i.has_owner_column).collect();
    let mut of_rows: Vec<(usize, Finding)> = Vec::new();
    let mut drafts: Vec<Draft> = Vec::new();
    let mut keys = Vec::with_capacity(world.keys.len());
    for (index, key) in each(&world.keys, |keys| ahead::keys(world, keys)).enumerate() {
        if index % BATCH == 0 {
            ahead::linked(world, &join, index, BATCH);
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
        let published = known_public(&key.id);
        compromise::judge(&cx, published, &mut drafts);
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
        let entries = links.iter().filter_map(|l| Some(cx.row(l)?.id()));
        let report = KeyReport {
            key_id: key.id.clone(),
            class: key.class,
            algorithm: world.at(&key.judged).find_map(|s| s.algorithm.clone()),
            bits: world.at(&key.judged).find_map(|s| s.bits),
            known_public: published.map(SharedText::new),
            entries: entries.collect(),
            matched_by: links
                .iter()
                .map(|l| l.method)
                .min()
                .map(|method| methods.method(method)),
            flags,
            sightings: ShortList::Empty,
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
        if number % BATCH == 0 {
            ahead::ids_of_keys(world, &join, number, BATCH);
        }
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
        let report = entry_report(
            world,
            row,
            join.rows.get(number),
            status,
            flags,
            (&mut methods, &mut states),
        );
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

/// Words of the program by the number of what they stand for, each in memory once.
#[derive(Default)]
struct Words(Vec<Option<SharedText>>);

impl Words {
    fn shared(&mut self, number: usize, word: &'static str) -> SharedText {
        if number >= self.0.len() {
            self.0.resize(number + 1, None);
        }
        match self.0.get_mut(number) {
            Some(slot) => slot.get_or_insert_with(|| SharedText::new(word)).clone(),
            None => SharedText::new(word),
        }
    }

    fn method(&mut self, method: Method) -> SharedText {
        self.shared(method as usize, method.as_str())
    }
}

fn entry_report(
    world: &World<'_>,
    row: &Row<'_>,
    found: Option<&RowMatch>,
    status: EntryStatus,
    flags: Vec<Finding>,
    (methods, states): (&mut Words, &mut Words),
) -> EntryReport {
    let matched = found.filter(|f| f.is_matched());
    let numbers = matched.into_iter().flat_map(|f| f.keys.iter());
    let numbers = numbers.filter_map(|k| world.keys.get(k));
    let mut keys: ShortList<KeyId> = numbers.map(|k| k.id.clone()).collect();
    keys.sort_unstable_by(KeyId::by_text);
    EntryReport {
        id: row.id(),
        source: row.entry.source.clone(),
        name: row.entry.name.clone().map(SharedText::from),
        owner: row.entry.owner.clone().map(SharedText::from),
        state: row
            .entry
            .state
            .map(|s| states.shared(s as usize, s.as_str())),
        status,
        matched_by: matched
            .and_then(|f| f.method)
            .map(|method| methods.method(method)),
        keys,
        flags,
    }
}
