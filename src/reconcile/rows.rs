//! The rows of all inventories, each with what is prepared of it.

use super::context::{Row, issuer_beside_serial};
use super::few::short;
use super::names::{NameId, NameReader, Names};
use super::sweeps::Hosts;
use super::texts::{Repeated, Texts};
use super::{places, sharing};
use crate::model::{Entry, Inventory};
use foldhash::HashMap;

/// The rows of all inventories, in the order of their sources.
pub(super) fn prepare<'a>(
    inventories: &'a [Inventory],
    hosts: &Hosts,
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
