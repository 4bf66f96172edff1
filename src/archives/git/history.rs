//! Which commit holds a blob, and under which path.

use super::super::Failure;
use super::super::directories::joined;
use super::object::{self, EntryKind};
use super::{Kind, Meter, ObjectId, Store};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashSet};

/// Directories in one another that are entered.
const LEVELS_MAX: usize = 1000;
/// A longer path is not told.
const PATH_MAX: usize = 16 << 10;
/// No commit.
const NONE: u32 = u32::MAX;

/// Where a blob stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The oldest commit that holds it: by the committer's date, but never before its parents.
    pub commit: ObjectId,
    /// Its path there: the first, where it has several.
    pub path: Vec<u8>,
}

/// What history says of the blobs that were asked about.
#[derive(Debug, Default)]
pub struct History {
    /// Where each stands; those that no commit holds are left out.
    pub named: BTreeMap<ObjectId, Named>,
    /// Those that are in the tip of a branch.
    pub in_tips: BTreeSet<ObjectId>,
    /// Which commits of `named` can be reached from a reference.
    pub reached: BTreeSet<ObjectId>,
}

/// What is asked.
pub struct Question<'a> {
    /// All commits of the repository, sorted.
    pub commits: &'a [ObjectId],
    /// The blobs.
    pub wanted: &'a BTreeSet<ObjectId>,
    /// What the branches name.
    pub tips: &'a [ObjectId],
    /// What all references name, and the reflogs of stashes.
    pub references: &'a [ObjectId],
}

/// Asks history. What was learned before a limit stays in `history`.
///
/// # Errors
/// A limit, or errors of reading.
pub fn ask(
    question: &Question<'_>,
    store: &mut Store<'_>,
    meter: &Meter<'_>,
    history: &mut History,
) -> Result<(), Failure> {
    let graph = Graph::of(question.commits, store, meter)?;
    if !question.wanted.is_empty() {
        let mut trees = Trees::new(store, meter);
        for commit in graph.oldest_first() {
            let (Some(id), Some(tree)) = (graph.id(commit), graph.tree(commit)) else {
                continue;
            };
            trees.walk(tree, &mut |blob, directory, name| {
                if question.wanted.contains(blob) && !history.named.contains_key(blob) {
                    let path = joined(directory, name);
                    history.named.insert(*blob, Named { commit: id, path });
                }
            })?;
            if history.named.len() == question.wanted.len() {
                break;
            }
        }
        let mut trees = Trees::new(store, meter);
        for tip in question.tips {
            let tip = trees.store.peel(*tip);
            let Some(tree) = graph.find(&tip).and_then(|commit| graph.tree(commit)) else {
                continue;
            };
            trees.walk(tree, &mut |blob, _, _| {
                if question.wanted.contains(blob) {
                    history.in_tips.insert(*blob);
                }
            })?;
        }
    }
    let references = question.references.iter().map(|id| store.peel(*id));
    let reached = graph.reached(references);
    for named in history.named.values() {
        let commit = graph.find(&named.commit);
        let commit = commit.and_then(|commit| usize::try_from(commit).ok());
        if commit.is_some_and(|commit| reached.get(commit) == Some(&true)) {
            history.reached.insert(named.commit);
        }
    }
    Ok(())
}

/// All commits by their numbers in the sorted list.
struct Graph<'a> {
    ids: &'a [ObjectId],
    dates: Vec<i64>,
    trees: Vec<Option<ObjectId>>,
    /// Commit and parent.
    edges: Vec<(u32, u32)>,
}

impl<'a> Graph<'a> {
    fn of(ids: &'a [ObjectId], store: &mut Store<'_>, meter: &Meter<'_>) -> Result<Self, Failure> {
        let mut graph = Self {
            ids,
            dates: vec![0; ids.len()],
            trees: vec![None; ids.len()],
            edges: Vec::new(),
        };
        for (number, id) in (0u32..).zip(ids) {
            let commit = match store.read(id) {
                Ok(Some((Kind::Commit, bytes))) => object::links(&bytes),
                // That it is damaged was told when it was searched.
                Ok(_) => None,
                Err(Failure::Fault(..)) if !meter.is_spent() => None,
                Err(other) => return Err(other),
            };
            let Some(commit) = commit else { continue };
            let at = usize::try_from(number).unwrap_or(usize::MAX);
            if let (Some(date), Some(tree)) = (graph.dates.get_mut(at), graph.trees.get_mut(at)) {
                *date = commit.date;
                *tree = Some(commit.tree);
            }
            let parents = commit.parents.iter().filter_map(|id| graph.find(id));
            let edges: Vec<_> = parents.map(|parent| (number, parent)).collect();
            graph.edges.extend(edges);
        }
        Ok(graph)
    }

    fn find(&self, id: &ObjectId) -> Option<u32> {
        u32::try_from(self.ids.binary_search(id).ok()?).ok()
    }

    fn id(&self, commit: u32) -> Option<ObjectId> {
        self.ids.get(usize::try_from(commit).ok()?).copied()
    }

    fn tree(&self, commit: u32) -> Option<ObjectId> {
        *self.trees.get(usize::try_from(commit).ok()?)?
    }

    /// The edges, sorted by one end, which `by` gives.
    fn sorted(&self, by: impl Fn(&(u32, u32)) -> (u32, u32)) -> Vec<(u32, u32)> {
        let mut edges: Vec<_> = self.edges.iter().map(by).collect();
        edges.sort_unstable();
        edges
    }

    /// Commits by date, but none before its parents; then by name.
    fn oldest_first(&self) -> impl Iterator<Item = u32> {
        let children = self.sorted(|(child, parent)| (*parent, *child));
        let mut waits = vec![0u32; self.ids.len()];
        for (child, _) in &self.edges {
            if let Some(count) = usize::try_from(*child)
                .ok()
                .and_then(|at| waits.get_mut(at))
            {
                *count += 1;
            }
        }
        let date = |commit: u32| {
            let at = usize::try_from(commit).unwrap_or(usize::MAX);
            self.dates.get(at).copied().unwrap_or(0)
        };
        let mut ready: BinaryHeap<Reverse<(i64, u32)>> = (0u32..)
            .zip(&waits)
            .filter(|(_, count)| **count == 0)
            .map(|(commit, _)| Reverse((date(commit), commit)))
            .collect();
        std::iter::from_fn(move || {
            let Reverse((_, commit)) = ready.pop()?;
            for child in ends(&children, commit) {
                let count = usize::try_from(child).ok().and_then(|at| waits.get_mut(at));
                if let Some(count) = count {
                    *count -= 1;
                    if *count == 0 {
                        ready.push(Reverse((date(child), child)));
                    }
                }
            }
            Some(commit)
        })
    }

    /// Which commits can be reached from these.
    fn reached(&self, from: impl Iterator<Item = ObjectId>) -> Vec<bool> {
        let parents = self.sorted(|edge| *edge);
        let mut reached = vec![false; self.ids.len()];
        let mut todo: Vec<u32> = from.filter_map(|id| self.find(&id)).collect();
        while let Some(commit) = todo.pop() {
            let met = usize::try_from(commit)
                .ok()
                .and_then(|at| reached.get_mut(at));
            if met.is_some_and(|met| !std::mem::replace(met, true)) {
                todo.extend(ends(&parents, commit));
            }
        }
        reached
    }
}

/// The second ends of all edges that begin at `start`, in a sorted list.
fn ends(edges: &[(u32, u32)], start: u32) -> impl Iterator<Item = u32> {
    let first = edges.partition_point(|edge| *edge < (start, 0));
    let rest = edges.get(first..).unwrap_or_default().iter();
    rest.take_while(move |edge| edge.0 == start && start != NONE)
        .map(|edge| edge.1)
}

/// Takes a blob with the path of its directory and its name.
type Found<'f> = dyn FnMut(&ObjectId, &[u8], &[u8]) + 'f;

/// Trees, each of which is entered once.
struct Trees<'s, 'a> {
    store: &'s mut Store<'a>,
    meter: &'s Meter<'s>,
    /// Packed ones by their numbers, a bit each; the others by their names.
    entered: Vec<u64>,
    others: HashSet<ObjectId>,
}

impl<'s, 'a> Trees<'s, 'a> {
    fn new(store: &'s mut Store<'a>, meter: &'s Meter<'s>) -> Self {
        Self {
            store,
            meter,
            entered: Vec::new(),
            others: HashSet::new(),
        }
    }

    /// Whether a tree is met for the first time.
    fn is_new(&mut self, tree: &ObjectId) -> Result<bool, Failure> {
        let Some(number) = self.store.number(tree)? else {
            return Ok(self.others.insert(*tree));
        };
        let (word, bit) = (number / 64, 1u64 << (number % 64));
        if self.entered.len() <= word {
            self.entered.resize(word + 1, 0);
        }
        let Some(word) = self.entered.get_mut(word) else {
            return Ok(false);
        };
        let is_new = *word & bit == 0;
        *word |= bit;
        Ok(is_new)
    }

    /// Gives all blobs in a tree and below, but for trees that were entered before.
    fn walk(&mut self, tree: ObjectId, found: &mut Found<'_>) -> Result<(), Failure> {
        let mut todo = Vec::new();
        if self.is_new(&tree)? {
            todo.push((tree, Vec::new(), 0));
        }
        while let Some((tree, path, level)) = todo.pop() {
            self.meter.take(0)?;
            let bytes = match self.store.read(&tree) {
                Ok(Some((Kind::Tree, bytes))) => bytes,
                Ok(_) => continue,
                Err(Failure::Fault(..)) if !self.meter.is_spent() => continue,
                Err(other) => return Err(other),
            };
            let before = todo.len();
            for (kind, name, id) in object::entries(&bytes, tree.as_bytes().len()) {
                if path.len() + name.len() > PATH_MAX {
                    continue;
                }
                match kind {
                    EntryKind::Blob => found(&id, &path, name),
                    EntryKind::Tree if level < LEVELS_MAX && self.is_new(&id)? => {
                        todo.push((id, joined(&path, name), level + 1));
                    }
                    EntryKind::Tree => {}
                }
            }
            // In the order of the tree.
            if let Some(new) = todo.get_mut(before..) {
                new.reverse();
            }
        }
        Ok(())
    }
}
