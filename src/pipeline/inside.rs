//! The chain of members in which something stands.

use crate::model::{EntryFacts, Member};
use std::cell::OnceCell;
use std::sync::Arc;

/// The chain of members in which the search is, outermost first.
#[derive(Default)]
pub(super) struct Chain {
    members: Vec<Member>,
    /// The same, as the sightings in it share them.
    shared: OnceCell<Arc<[Member]>>,
    entries: Vec<Option<Arc<EntryFacts>>>,
}

impl Chain {
    pub(super) fn enter(&mut self, member: Member, entry: Option<Arc<EntryFacts>>) {
        self.shared.take();
        self.members.push(member);
        self.entries.push(entry);
    }

    pub(super) fn leave(&mut self) {
        self.shared.take();
        self.members.pop();
        self.entries.pop();
    }

    /// The members of the chain.
    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    /// The members of the chain, for a sighting.
    pub(super) fn shared_members(&self) -> Arc<[Member]> {
        let shared = self.shared.get_or_init(|| self.members.as_slice().into());
        Arc::clone(shared)
    }

    /// What the containers around say, the innermost first.
    pub(super) fn entries(&self) -> impl Iterator<Item = &EntryFacts> {
        self.entries.iter().rev().flatten().map(AsRef::as_ref)
    }
}
