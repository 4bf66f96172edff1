//! From member to member: as the directory lists them, or as they lie.

use super::NAME;
use super::directory::{Directory, END, END64, LOCATOR};
use super::header::{CENTRAL, DESCRIPTOR, Header, LOCAL, Listed};
use crate::archives::little::{u16_at, u32_at, u64_at};
use crate::archives::{Failure, Input, Members, Memory, Slice, Source};
use crate::model::{GapReason, Member};
use memchr::memmem;
use zeroize::Zeroizing;

/// Fewer bytes between members hold no key: descriptors, what aligns them.
const GAP_MIN: u64 = 25;
/// As many members of an archive are told one by one to be encrypted or damaged.
const FAULTS_MAX: u32 = 10_000;

/// A way through an archive.
pub(super) struct Walk<'w, 'i> {
    pub(super) input: &'w mut Input<'i>,
    /// Place of the input's first byte in what holds the archive.
    pub(super) base: u64,
    pub(super) members: &'w mut dyn Members,
    faults: u32,
}

/// Looks into all that a directory lists, and into what lies between.
pub(super) fn listed(
    source: &dyn Source,
    directory: &Directory,
    members: &mut dyn Members,
) -> Result<(), Failure> {
    let found = directory.places(source)?;
    let mut records = Input::new(source, Zeroizing::new(Vec::new()));
    let mut input = Input::new(source, Zeroizing::new(Vec::new()));
    let mut walk = Walk::new(&mut input, 0, members);
    let mut done = 0;
    for place in &found.places {
        let before = place.local.min(directory.archive_end);
        between(source, done, before, walk.members)?;
        records.go_to(place.record)?;
        let listed = Listed::read(&mut records)?;
        done = done.max(before).max(walk.listed(place.local, &listed)?);
    }
    if let Some((place, Failure::Fault(reason, detail))) = found.damage {
        let detail = format!("{NAME}: {detail}");
        walk.members.fault(None, place, reason, detail);
    }
    between(source, done, directory.archive_end, walk.members)
}

/// Looks into what nothing lists: members that have a local header all the same, and whatever else.
fn between(
    source: &dyn Source,
    start: u64,
    end: u64,
    members: &mut dyn Members,
) -> Result<(), Failure> {
    let end = end.min(source.size());
    let length = end.saturating_sub(start);
    if length < GAP_MIN {
        return Ok(());
    }
    let gap = Slice::new(source, start, length);
    let mut input = Input::new(&gap, Zeroizing::new(Vec::new()));
    // A descriptor may stand before it.
    let first = input.peek(64)?;
    let near = first.get(..64).unwrap_or(first);
    if let Some(at) = memmem::find(near, LOCAL).filter(|at| *at as u64 <= GAP_MIN) {
        input.skip_to(at as u64)?;
        let mut walk = Walk::new(&mut input, start, members);
        match walk.as_they_lie() {
            Ok(()) | Err(Failure::Fault(..)) => {}
            Err(failure) => return Err(failure),
        }
    }
    let from = input.position();
    if length.saturating_sub(from) < GAP_MIN {
        return Ok(());
    }
    members.plain(start + from, &Slice::new(&gap, from, length))
}

impl<'w, 'i> Walk<'w, 'i> {
    pub(super) fn new(input: &'w mut Input<'i>, base: u64, members: &'w mut dyn Members) -> Self {
        Self {
            input,
            base,
            members,
            faults: 0,
        }
    }

    /// Looks into a member that the directory lists; gives where it ends.
    fn listed(&mut self, place: u64, listed: &Listed) -> Result<u64, Failure> {
        let header = &listed.header;
        let told = self.input.go_to(place).map_err(Failure::from);
        let local = match told.and_then(|()| Header::local(self.input)) {
            Ok(local) => local,
            Err(Failure::Fault(reason, detail)) => {
                let member = Member::named(NAME, &header.name).at(place);
                self.fault(member, 0, reason, &detail);
                return Ok(0);
            }
            Err(failure) => return Err(failure),
        };
        let data = self.input.position();
        let contradiction = header.contradiction(&local);
        if let Some(what) = contradiction {
            let detail = format!("the directory and its local header tell another {what}");
            let member = Member::named(NAME, &header.name).at(data);
            self.fault(member, 0, GapReason::Malformed, &detail);
        }
        let mut end = data.saturating_add(header.packed);
        if !listed.is_empty() {
            self.known(header, data)?;
        }
        if matches!(contradiction, Some("method" | "size")) && !local.is_streamed() {
            // Others may read it by its local header.
            self.input.go_to(data)?;
            self.known(&local, data)?;
            end = end.max(data.saturating_add(local.packed));
        }
        Ok(end)
    }

    /// Reads to the end of an archive by its local headers.
    pub(super) fn in_order(mut self) -> Result<(), Failure> {
        let start = self.input.peek(8)?;
        if start.get(4..).is_some_and(|next| next.starts_with(LOCAL)) {
            self.input.skip_to(4)?;
        }
        self.as_they_lie()?;
        self.directory()
    }

    /// Looks into members as long as one stands next.
    fn as_they_lie(&mut self) -> Result<(), Failure> {
        while self.input.peek(LOCAL.len())?.starts_with(LOCAL) {
            let header = Header::local(self.input)?;
            let data = self.input.position();
            if header.is_streamed() {
                self.streamed(&header, data)?;
            } else {
                if header.packed > 0 {
                    self.known(&header, data)?;
                }
                self.go_on(data.saturating_add(header.packed))?;
                if header.has_descriptor() {
                    self.descriptor(header.packed)?;
                }
            }
        }
        Ok(())
    }

    /// Goes on to a place, or as far as there is something.
    fn go_on(&mut self, place: u64) -> Result<(), Failure> {
        let size = self.input.size();
        if self.input.random().is_some() && place > size {
            self.input.go_to(size)?;
            return Err(Failure::truncated(format!("{NAME}: cut off in a member")));
        }
        // A compressed member was read to its end, or not: it does not matter any more.
        if place > self.input.position() {
            self.input.skip_to(place)?;
        }
        Ok(())
    }

    /// Goes on behind the descriptor that follows so many bytes of data: with a signature or without, of 32 or 64 bits.
    pub(super) fn descriptor(&mut self, packed: u64) -> Result<(), Failure> {
        let next = self.input.peek(24)?;
        let signature = if next.starts_with(DESCRIPTOR) { 4 } else { 0 };
        let sizes = next.get(signature + 4..).unwrap_or_default();
        let length = if u64_at(sizes, 0) == packed && sizes.len() >= 16 {
            signature as u64 + 20
        } else if u64::from(u32_at(sizes, 0)) == packed && sizes.len() >= 8 {
            signature as u64 + 12
        } else {
            return Ok(());
        };
        Ok(self.input.skip_to(self.input.position() + length)?)
    }

    /// Goes behind the directory, whose comments are looked into.
    fn directory(&mut self) -> Result<(), Failure> {
        loop {
            let place = self.input.position();
            let next = self.input.peek(20)?;
            if next.starts_with(CENTRAL) {
                let listed = Listed::read(self.input)?;
                if listed.comment.len() as u64 >= GAP_MIN {
                    let place = self.base + place;
                    self.members.plain(place, &Memory(&listed.comment))?;
                }
            } else if next.starts_with(END64) {
                let length = u64_at(next, 4).saturating_add(12);
                self.input.skip_to(place.saturating_add(length))?;
            } else if next.starts_with(LOCATOR) {
                self.input.skip_to(place + 20)?;
            } else if next.starts_with(b"PK\x05\x05") {
                let length = 6 + u64::from(u16_at(next, 4));
                self.input.skip_to(place + length)?;
            } else if next.starts_with(END) {
                let end: [u8; 22] = self.input.take_array()?;
                let length = usize::from(u16_at(&end, 20));
                let comment = self.input.peek(length)?;
                let comment = comment.get(..length.min(comment.len())).unwrap_or_default();
                self.members
                    .plain(self.base + place + 22, &Memory(comment))?;
                let length = comment.len() as u64;
                return Ok(self.input.skip_to(place + 22 + length)?);
            } else if next.is_empty() {
                return Err(Failure::truncated(format!(
                    "{NAME}: cut off before its directory"
                )));
            } else {
                return Err(Failure::malformed(format!(
                    "{NAME}: neither a member nor the directory"
                )));
            }
        }
    }

    /// Tells a fault of a member.
    pub(super) fn fault(&mut self, member: Member, place: u64, reason: GapReason, detail: &str) {
        self.faults += 1;
        if self.faults < FAULTS_MAX {
            let detail = format!("{NAME}: {detail}");
            self.members.fault(Some(member), place, reason, detail);
        } else if self.faults == FAULTS_MAX {
            let detail = format!("{NAME}: {detail}; further members are not told one by one");
            self.members.fault(None, self.base, reason, detail);
        }
    }
}
