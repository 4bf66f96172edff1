//! 7z (7zFormat.txt of 7-Zip's DOC): folders of packed streams, each of which may hold many files, and a header at the end.
//!
//! Own code: the kept crate needs a newer Rust, holds the header unbounded, and gives no member in place.

mod coders;
mod folder;
mod header;
mod reader;

use super::checked::Checked;
use super::held::Held;
use super::little::{u32_at, u64_at};
use super::{Archive, Failure, Input, Members, Once, Slice, Source, read_exact_at};
use crate::model::{GapReason, Member};
use coders::Packed;
use flate2::Crc;
use folder::Folder;
use header::{Contents, Piece, Streams};
use reader::Reader;
use std::io::Read as _;
use zeroize::Zeroizing;

/// The archive.
pub(super) struct SevenZip;

const NAME: &str = "7z";
const MAGIC: &[u8] = b"7z\xbc\xaf\x27\x1c";
/// The head, from which all places are counted.
const HEAD: u64 = 32;
/// A longer header is not read.
const HEADER_MAX: u64 = 16 << 20;
/// As often may a header be packed in another one.
const HEADERS_MAX: usize = 4;
/// As many members of an archive are told one by one to be encrypted or damaged.
const FAULTS_MAX: usize = 10_000;

impl Archive for SevenZip {
    fn name(&self) -> &'static str {
        NAME
    }

    fn begins(&self, start: &[u8]) -> bool {
        // The version's first number is 0.
        start.starts_with(MAGIC) && start.get(6) == Some(&0) && start.len() >= 32
    }

    fn needs_any_place(&self) -> bool {
        true
    }

    fn read(&self, input: &mut Input<'_>, members: &mut dyn Members) -> Result<(), Failure> {
        let end = input.with_random(|source| whole(source, members));
        let end = end.map_err(|failure| failure.in_archive(NAME))?;
        Ok(input.skip_to(end)?)
    }
}

/// Looks into an archive; gives where it ends.
fn whole(source: &dyn Source, members: &mut dyn Members) -> Result<u64, Failure> {
    let mut head = [0; 32];
    read_exact_at(source, &mut head, 0)?;
    if crc_of(head.get(12..).unwrap_or_default()) != u32_at(&head, 8) {
        return Err(Failure::malformed("the checksum of its head is wrong"));
    }
    let (offset, size) = (u64_at(&head, 12), u64_at(&head, 20));
    let place = HEAD.saturating_add(offset);
    let end = place.saturating_add(size);
    if size == 0 {
        return Ok(HEAD);
    }
    if end > source.size() {
        return Err(Failure::truncated("cut off before its header"));
    }
    let mut header = bounded(size)?;
    read_exact_at(source, &mut header, place)?;
    if crc_of(&header) != u32_at(&head, 28) {
        return Err(Failure::malformed("the checksum of its header is wrong"));
    }
    for _ in 0..HEADERS_MAX {
        let mut reader = Reader::new(&header);
        let next = match reader.byte()? {
            header::HEADER => {
                // What is made of it takes as much again.
                let _held = Held::window(header.len() as u64 * 3)?;
                let contents = Contents::read(&mut reader)?;
                Walk::new(source, members).contents(&contents)?;
                return Ok(end);
            }
            header::ENCODED => unpacked(source, &Streams::read(&mut reader)?)?,
            _ => return Err(Failure::malformed("its header is none")),
        };
        header = next;
    }
    Err(Failure::limit("headers packed in headers"))
}

fn crc_of(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn bounded(size: u64) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if size > HEADER_MAX {
        let most = HEADER_MAX >> 20;
        return Err(Failure::limit(format!("a header of more than {most} MiB")));
    }
    Ok(Zeroizing::new(vec![0; usize::try_from(size).unwrap_or(0)]))
}

/// A header that is packed as the first folder.
fn unpacked(source: &dyn Source, streams: &Streams<'_>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let folder = streams.folders.first();
    let folder = folder.ok_or_else(|| Failure::malformed("a packed header of nothing"))?;
    if folder.is_encrypted() {
        return Err(Failure::Fault(
            GapReason::Encrypted,
            "its header is encrypted, names and all".to_owned(),
        ));
    }
    let mut header = bounded(folder.size())?;
    let packed = Packed::of(source, streams, 0)?;
    coders::unpack(folder, &packed)?.read_exact(&mut header)?;
    if folder.crc.is_some_and(|crc| crc != crc_of(&header)) {
        return Err(Failure::malformed("the checksum of its header is wrong"));
    }
    Ok(header)
}

/// A way through an archive.
struct Walk<'w> {
    source: &'w dyn Source,
    members: &'w mut dyn Members,
    faults: usize,
}

impl<'w> Walk<'w> {
    fn new(source: &'w dyn Source, members: &'w mut dyn Members) -> Self {
        Self {
            source,
            members,
            faults: 0,
        }
    }

    fn contents(&mut self, contents: &Contents<'_>) -> Result<(), Failure> {
        let streams = &contents.streams;
        let mut names = contents.names_of_files();
        let mut pieces = streams.pieces.iter();
        for (number, folder) in streams.folders.iter().enumerate() {
            let count = folder.pieces;
            let mut inside = pieces.by_ref().take(count).zip(names.by_ref());
            match Packed::of(self.source, streams, number) {
                Ok(packed) => self.folder(folder, &packed, &mut inside)?,
                Err(Failure::Fault(reason, detail)) => {
                    let place = HEAD;
                    let detail = format!("{NAME}: {detail}");
                    self.members.fault(None, place, reason, detail);
                }
                Err(failure) => return Err(failure),
            }
            // Those that damage left over.
            inside.for_each(drop);
        }
        Ok(())
    }

    /// Looks into the files of a folder, one behind the other.
    fn folder(
        &mut self,
        folder: &Folder<'_>,
        packed: &Packed<'_>,
        files: &mut dyn Iterator<Item = (&Piece, Vec<u8>)>,
    ) -> Result<(), Failure> {
        let place = packed.place();
        if folder.is_encrypted() {
            for (_, name) in files {
                let member = Member::named(NAME, &name);
                self.fault(member, 0, GapReason::Encrypted, "encrypted with AES-256");
            }
            return Ok(());
        }
        if let Some(stored) = packed.stored(folder) {
            let mut at = 0;
            for (piece, name) in files {
                let slice = Slice::new(self.source, stored.saturating_add(at), piece.size);
                let member = Member::named(NAME, &name).at(stored.saturating_add(at));
                let content = Checked::new(&slice);
                self.members.member(member.clone(), &content)?;
                if slice.size() < piece.size {
                    self.fault(member, slice.size(), GapReason::Truncated, "cut off");
                } else if piece.crc.is_some_and(|crc| content.is_wrong(crc)) {
                    self.fault(member, 0, GapReason::Malformed, "its checksum is wrong");
                }
                at = at.saturating_add(piece.size);
            }
            return Ok(());
        }
        let mut stream = match coders::unpack(folder, packed) {
            Ok(stream) => stream,
            Err(Failure::Fault(reason, detail)) => {
                for (_, name) in files {
                    let member = Member::named(NAME, &name).at(place);
                    self.fault(member, 0, reason, &detail);
                }
                return Ok(());
            }
            Err(failure) => return Err(failure),
        };
        while let Some((piece, name)) = files.next() {
            // Where a file of a compressed folder begins, only the folder's own place says.
            let member = Member::named(NAME, &name).at(place);
            let mut content = (&mut stream).take(piece.size);
            let once = Once::new(&mut content);
            let content = Checked::new(&once);
            self.members.member(member.clone(), &content)?;
            let place = content.position();
            let outcome = once.finish();
            let damage = match outcome.map_err(Failure::from) {
                Ok(()) if once.position() < piece.size => Failure::truncated("cut off"),
                Ok(()) => {
                    if piece.crc.is_some_and(|crc| content.is_wrong(crc)) {
                        self.fault(member, 0, GapReason::Malformed, "its checksum is wrong");
                    }
                    continue;
                }
                Err(failure) => failure,
            };
            let Failure::Fault(reason, detail) = damage else {
                return Err(damage);
            };
            // Nothing of the folder can be had behind the damage.
            self.fault(member, place, reason, &detail);
            for (_, name) in &mut *files {
                let member = Member::named(NAME, &name);
                let detail = "behind damage in what it is packed with";
                self.fault(member, 0, reason, detail);
            }
        }
        Ok(())
    }

    fn fault(&mut self, member: Member, place: u64, reason: GapReason, detail: &str) {
        self.faults += 1;
        if self.faults < FAULTS_MAX {
            let detail = format!("{NAME}: {detail}");
            self.members.fault(Some(member), place, reason, detail);
        } else if self.faults == FAULTS_MAX {
            let detail = format!("{NAME}: {detail}; further members are not told one by one");
            self.members.fault(None, 0, reason, detail);
        }
    }
}
