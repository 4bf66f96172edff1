//! Tells of what was found in layers which images hold it, and what became of it in them.

use super::gather::{Gathered, TAR};
use super::overlay;
use super::place::{self, Key};
use super::table::{Documents, Known, Table};
use crate::archives::image::{Names, Naming};
use crate::model::{Gap, GapReason, Image, Member, Removed, Sighting};
use crate::walk::{Aliases, HostRoot};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::Arc;

/// The type of the member that names a layer.
const LAYER: &str = "layer";
/// As many images are told of one sighting.
const IMAGES_MAX: usize = 16;
/// As many images are looked at that share a configuration.
const CONFIGURED_MAX: usize = 1000;
/// As many names are told of one image.
const NAMES_MAX: usize = 16;
/// As often a layer is asked whether it removes something.
const QUESTIONS_MAX: usize = 5_000_000;

/// Relates what was gathered to what was found.
pub(in crate::pipeline) fn relate(
    gathered: Vec<Gathered>,
    (root, aliases): (&HostRoot, &Aliases),
    sightings: &mut [Sighting],
    gaps: &mut Vec<Gap>,
) {
    let Some(first) = gathered.first() else {
        return;
    };
    let naming = first.shared.naming.clone();
    let mut documents = Documents::new();
    let mut layers: BTreeMap<Key, Names> = BTreeMap::new();
    let mut members: BTreeSet<Key> = BTreeSet::new();
    let mut overfull = false;
    for thread in gathered {
        for heard in thread.documents {
            let key = place::key(&heard.path, &heard.inside);
            documents.insert(place::canonical(&key, aliases), heard);
        }
        for (key, names) in thread.layers {
            let key = place::canonical(&key, aliases);
            layers.entry(key).or_default().append(names);
        }
        let keys = thread.members.iter();
        members.extend(keys.map(|key| place::canonical(key, aliases)));
        overfull |= thread.overfull;
    }
    if documents.is_empty() {
        return;
    }
    for heard in documents.values_mut() {
        heard.path = aliases.canonical(&heard.path).into_owned();
    }
    layers.values_mut().for_each(Names::seal);
    let table = Table::new(&documents, &|key| layers.contains_key(key), aliases);
    // What a damaged or closed file did not give is told there.
    let told: BTreeSet<Vec<u8>> = gaps.iter().map(Gap::exact_path).collect();
    let mut lacking = table.gaps(&documents, &|known, key| {
        if documents.contains_key(key) || layers.contains_key(key) || overfull {
            return true;
        }
        if known.is_packed() {
            return members.contains(key) || told.contains(known.path());
        }
        let opened = root.open_file(key);
        !opened.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    });
    let mut relation = Relation::new(&table, &layers, &naming, (root, aliases));
    for sighting in sightings.iter_mut() {
        relation.tell(sighting);
    }
    for gap in gaps.iter_mut() {
        let path = gap.exact_path();
        relation.name_layers(&path, &mut gap.inside);
    }
    if (overfull || relation.questions > QUESTIONS_MAX)
        && let Some(first) = table.images.first()
    {
        let detail = "image: too many images; whether later layers remove what was found is not known of all";
        lacking.push(Gap::at(first.path(), GapReason::Limit, detail));
    }
    gaps.append(&mut lacking);
}

/// What holds a layer: an image, and how many layers are beneath it there.
type Holder = (usize, usize);

/// How and by which layer something is removed, and the image in which that is so.
type Fate<'a> = (Option<(Removed, &'a str)>, usize);

struct Relation<'a> {
    table: &'a Table<'a>,
    layers: &'a BTreeMap<Key, Names>,
    naming: &'a Naming,
    root: &'a HostRoot,
    aliases: &'a Aliases,
    /// The digest of each layer, and what holds it.
    holders: HashMap<&'a Key, (&'a str, Vec<Holder>)>,
    configurations: HashMap<&'a Key, Vec<usize>>,
    /// What was told last: most of what is found in a layer has the same images.
    last: Option<Arc<[Image]>>,
    questions: usize,
}

impl<'a> Relation<'a> {
    fn new(
        table: &'a Table<'a>,
        layers: &'a BTreeMap<Key, Names>,
        naming: &'a Naming,
        (root, aliases): (&'a HostRoot, &'a Aliases),
    ) -> Self {
        let mut holders: HashMap<&Key, (&str, Vec<Holder>)> = HashMap::new();
        let mut configurations: HashMap<&Key, Vec<usize>> = HashMap::new();
        for (image, known) in table.images.iter().enumerate() {
            for (number, (digest, key)) in known.layers.iter().enumerate() {
                let (_, all) = holders.entry(key).or_insert((digest, Vec::new()));
                // What an image has twice is what it has last.
                match all.last_mut() {
                    Some((last, again)) if *last == image => *again = number,
                    _ => all.push((image, number)),
                }
            }
            if let Some(key) = &known.config {
                configurations.entry(key).or_default().push(image);
            }
        }
        // An image that no index lists any more counts only where no other holds the layer.
        let is_listed = |image: &usize| {
            table
                .images
                .get(*image)
                .is_some_and(|known| known.is_listed)
        };
        for (_, all) in holders.values_mut() {
            if all.iter().any(|(image, _)| is_listed(image)) {
                all.retain(|(image, _)| is_listed(image));
            }
        }
        for all in configurations.values_mut() {
            if all.iter().any(is_listed) {
                all.retain(is_listed);
            }
        }
        Self {
            table,
            layers,
            naming,
            root,
            aliases,
            holders,
            configurations,
            last: None,
            questions: 0,
        }
    }

    /// Tells of one sighting in which layer and which images it is.
    fn tell(&mut self, sighting: &mut Sighting) {
        let path = sighting.location.exact_path();
        let mut inside = sighting.location.inside().to_vec();
        let in_layers = self.name_layers(&path, &mut inside);
        if !in_layers.is_empty() {
            sighting.location.change(|rare| rare.inside = inside.into());
        }
        let mut fates = Vec::new();
        for (key, at) in &in_layers {
            let mut content = sighting.location.inside().iter().skip(*at);
            let entry = content.find(|member| member.container == TAR);
            let entry = entry.map(Member::exact_name);
            fates.append(&mut self.fates(key, entry.as_deref()));
        }
        for (layer, entry) in overlay::places(&path) {
            fates.append(&mut self.fates(&layer.to_vec(), Some(entry)));
        }
        if in_layers.is_empty() {
            let configured = self.configured(&path, sighting.location.inside());
            fates.extend(configured.iter().map(|image| (None, *image)));
        }
        if fates.is_empty() {
            return;
        }
        fates.sort_unstable();
        fates.dedup();
        let gone = fates
            .iter()
            .filter(|(removal, _)| removal.is_some())
            .count();
        if let Some((Some((how, _)), _)) = fates.last() {
            let how = how.as_str();
            let note = match fates.len() {
                1 => format!("{how} by a later layer of the image"),
                all if gone == all => format!("removed by later layers of all {all} images"),
                all => format!("removed by later layers of {gone} of {all} images"),
            };
            sighting.rare_mut().notes.push(note.into());
        }
        if let Some(more @ 1..) = fates.len().checked_sub(IMAGES_MAX) {
            sighting
                .rare_mut()
                .notes
                .push(format!("in {more} more images").into());
        }
        let images: Vec<Image> = fates
            .iter()
            .take(IMAGES_MAX)
            .filter_map(|(removal, image)| Some(image_of(self.table.images.get(*image)?, *removal)))
            .collect();
        let known = self.last.take().filter(|last| **last == *images);
        let images = known.unwrap_or_else(|| images.into());
        self.last = Some(Arc::clone(&images));
        sighting.rare_mut().images = Some(images);
    }

    /// Puts a member before what stands in a layer; gives the places of the layers, and where each one's content begins.
    fn name_layers(&self, path: &[u8], inside: &mut Vec<Member>) -> Vec<(Key, usize)> {
        let mut found = Vec::new();
        if inside.is_empty() {
            return found;
        }
        let mut key = self.aliases.canonical(path).into_owned();
        let mut at = 0;
        loop {
            let is_path = at == 0 || inside.get(at - 1).is_some_and(|m| m.container == TAR);
            let layer = self.holders.get(&key).filter(|_| is_path);
            let here = at;
            let Some(member) = inside.get(at) else {
                return found;
            };
            place::enter(&mut key, member);
            at += 1;
            if let Some((digest, _)) = layer {
                let mut holder = key.clone();
                let last = holder.iter().rposition(|byte| *byte == 0).unwrap_or(0);
                holder.truncate(last);
                inside.insert(here, Member::named(LAYER, digest.as_bytes()));
                at += 1;
                found.push((holder, at - 1));
            }
        }
    }

    /// The images that hold a layer, with what became of its entry of this path.
    fn fates(&mut self, key: &Key, path: Option<&[u8]>) -> Vec<Fate<'a>> {
        let Some((_, holders)) = self.holders.get(key) else {
            return Vec::new();
        };
        let mut fates = Vec::new();
        for (image, number) in holders {
            let Some(known) = self.table.images.get(*image) else {
                continue;
            };
            let later = known.layers.get(number + 1..).unwrap_or_default();
            self.questions += 1 + later.len();
            if self.questions > QUESTIONS_MAX {
                // Nothing more is asked, and no more is told than can be.
                if fates.len() >= IMAGES_MAX {
                    break;
                }
                fates.push((None, *image));
                continue;
            }
            let removes = |key: &Key| match (self.layers.get(key), path?) {
                (Some(names), path) => names.removes(self.naming, path),
                (None, path) if known.is_plain => overlay::removes(self.root, key, path),
                (None, _) => None,
            };
            let remover = later
                .iter()
                .find_map(|(by, key)| Some((removes(key)?, by.as_str())));
            fates.push((remover, *image));
        }
        fates
    }

    /// The images whose configuration this is.
    fn configured(&self, path: &[u8], inside: &[Member]) -> &[usize] {
        let mut key = self.aliases.canonical(path).into_owned();
        let mut members = inside.iter();
        loop {
            if let Some(images) = self.configurations.get(&key) {
                return images
                    .get(..images.len().min(CONFIGURED_MAX))
                    .unwrap_or_default();
            }
            match members.next() {
                Some(member) => place::enter(&mut key, member),
                None => return &[],
            }
        }
    }
}

fn image_of(known: &Known, removal: Option<(Removed, &str)>) -> Image {
    Image {
        removed: removal.map(|(how, _)| how),
        removed_by: removal.map(|(_, by)| by.to_owned()),
        names: known.names.iter().take(NAMES_MAX).cloned().collect(),
        digest: known.digest.clone(),
        id: known.id.clone(),
        platform: known.platform.clone(),
    }
}
