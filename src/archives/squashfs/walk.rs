//! All files of an image.

use super::super::unread::Unread;
use super::NAME;
use super::file::Content;
use super::image::Image;
use super::inode::{Inode, Listing, Stored};
use crate::archives::directories::{Waiting, joined};
use crate::archives::{Failure, Members};
use crate::model::{GapReason, Member};
use std::collections::HashSet;

/// So many directories, and files with several names, are known again.
const SEEN_MAX: usize = 1 << 20;

/// Looks into an image.
pub(super) fn whole(image: &Image<'_>, members: &mut dyn Members) -> Result<(), Failure> {
    let size = image.source.size();
    let mut walk = Walk {
        image,
        members,
        seen: HashSet::new(),
        waiting: Waiting::new(image.root),
        unread: Unread::new(NAME, 0),
    };
    if image.size() > size {
        walk.fault(None, size, GapReason::Truncated, "cut off");
    }
    walk.tree()
}

struct Walk<'w, 's> {
    image: &'w Image<'s>,
    members: &'w mut dyn Members,
    /// Inodes of directories, and of files with several names, by their place.
    seen: HashSet<u64>,
    /// Directories that are to be entered.
    waiting: Waiting<u64>,
    unread: Unread,
}

impl Walk<'_, '_> {
    fn tree(&mut self) -> Result<(), Failure> {
        if !matches!(
            Inode::read(self.image, self.image.root)?,
            Inode::Directory(_)
        ) {
            return Err(Failure::malformed("its root is no directory"));
        }
        while let Some((place, path)) = self.waiting.pop() {
            let outcome = self.directory(place, &path);
            if self.image.metadata.is_exhausted() {
                return outcome;
            }
            let member = (!path.is_empty()).then(|| Member::named(NAME, &path));
            self.told(member, 0, outcome)?;
        }
        Ok(())
    }

    fn directory(&mut self, place: u64, path: &[u8]) -> Result<(), Failure> {
        if self.seen.len() >= SEEN_MAX {
            return Err(Failure::limit(format!("more than {SEEN_MAX} directories")));
        }
        if !self.seen.insert(place) {
            return Err(Failure::malformed("a directory that was entered already"));
        }
        let Inode::Directory(listing) = Inode::read(self.image, place)? else {
            return Ok(());
        };
        self.entries(listing, path)
    }

    fn entries(&mut self, mut listing: Listing<'_, '_>, path: &[u8]) -> Result<(), Failure> {
        while let Some(entry) = listing.next()? {
            let name = joined(path, &entry.name);
            let outcome = self.entry(entry.inode, &name);
            if self.image.metadata.is_exhausted() {
                return outcome;
            }
            self.told(Some(Member::named(NAME, &name)), 0, outcome)?;
        }
        Ok(())
    }

    fn entry(&mut self, place: u64, name: &[u8]) -> Result<(), Failure> {
        match Inode::read(self.image, place)? {
            Inode::Directory(_) => self.waiting.push(place, name),
            Inode::File(stored) => self.file(place, stored, name),
            Inode::Other => Ok(()),
        }
    }

    fn file(&mut self, place: u64, mut stored: Stored<'_, '_>, name: &[u8]) -> Result<(), Failure> {
        let is_known = self.seen.len() < SEEN_MAX;
        if stored.is_linked && is_known && !self.seen.insert(place) {
            return Ok(());
        }
        let content = Content::of(self.image, &mut stored)?;
        let member = Member::named(NAME, name);
        let member = match content.place() {
            Some(place) => member.at(place),
            None => member,
        };
        self.members.member(member.clone(), &content)?;
        match content.damage() {
            Some((place, failure)) => self.told(Some(member), place, Err(failure)),
            None => Ok(()),
        }
    }

    /// Tells a fault, and gives back what is none.
    fn told(
        &mut self,
        member: Option<Member>,
        place: u64,
        outcome: Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.unread.settle(self.members, member, place, outcome)
    }

    fn fault(&mut self, member: Option<Member>, place: u64, reason: GapReason, detail: &str) {
        self.unread
            .tell(self.members, member, place, (reason, detail));
    }
}
