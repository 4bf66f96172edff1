//! Packs, bundles and loose objects that stand in no repository, or in one that is inside an archive. Without the repository nobody
//! knows commit and path: what is found is told by the object's name.

use super::super::{Archive, Failure, Input, Members, Source, little::u32_be};
use super::entry::{Body, Entry};
use super::inflate::{Exactly, Gauge};
use super::loose::{HEADER_MAX, header};
use super::{Forest, Index, Inflater, Kind, Meter, ObjectId, Objects, Pack};
use crate::archives::Once;
use crate::archives::held::Held;
use crate::archives::source::Slice;
use crate::model::{GapReason, Member};
use flate2::bufread::ZlibDecoder;
use flate2::{Decompress, FlushDecompress};
use sha1::{Digest, Sha1};
use sha2::Sha256;
use std::io::{BufRead as _, Read as _};
use std::sync::atomic::AtomicBool;

/// The types of the members: a file, and the text of a commit or tag.
const BLOB: &str = "blob";
const MESSAGE: &str = "message";
/// Without an index one is made in memory, of so many objects at most: some 40 MB.
const OBJECTS_MAX: u32 = 500_000;
const INDEXED: usize = 80;
/// As many bytes of objects wait for deltas that build on them.
const HELD_MAX: usize = 16 << 20;
/// What may be unpacked to put objects together, which the budget of the file does not see: times the pack's size, but so
/// much in any case; and for how many seconds.
const WORK: (u64, u64) = (400, 1 << 30);
const SECONDS: u64 = 1800;
/// As many faults of one pack are told one by one.
const FAULTS_MAX: usize = 100;
/// The longest head of a bundle.
const BUNDLE_MAX: usize = 16 << 20;
/// Nobody stops it but the budget, which is asked with each object.
static GO_ON: AtomicBool = AtomicBool::new(false);

fn meter(size: u64) -> Meter<'static> {
    let (ratio, least) = WORK;
    Meter::new(size.saturating_mul(ratio).max(least), SECONDS, &GO_ON)
}

/// A pack without its index (gitformat-pack(5)).
pub(in super::super) struct LonePack;

const PACK_HEAD: usize = 12;

impl Archive for LonePack {
    fn name(&self) -> &'static str {
        "git_pack"
    }

    fn begins(&self, start: &[u8]) -> bool {
        matches!(start, [b'P', b'A', b'C', b'K', 0, 0, 0, 2 | 3, ..])
    }

    fn needs_any_place(&self) -> bool {
        true
    }

    fn read(&self, input: &mut Input<'_>, members: &mut dyn Members) -> Result<(), Failure> {
        let (end, damage) = input.with_random(|source| whole(source, members))?;
        input.skip_to(end)?;
        damage.map_or(Ok(()), Err)
    }
}

/// Hands over all objects; gives where the pack ends, or where it is damaged and how.
fn whole(
    source: &dyn Source,
    members: &mut dyn Members,
) -> Result<(u64, Option<Failure>), Failure> {
    let meter = meter(source.size());
    let mut made = Made::of::<Sha1>(source, &meter)?;
    // Which names its objects have only the checksum behind them tells, by its length.
    let left = source.size().saturating_sub(made.end);
    if made.damage.is_none() && left == Sha256::output_size() as u64 {
        made = Made::of::<Sha256>(source, &meter)?;
    }
    let _held = Held::take(made.objects.len() * INDEXED);
    let damage = made.damage.take();
    let end = match damage {
        None => made
            .end
            .saturating_add(made.id_size as u64)
            .min(source.size()),
        Some(_) => made.end,
    };
    let index = Index::open(Box::new(made.index()))?;
    let pack = Pack::open(source, index)?;
    let mut forest = Forest::of(&pack, &meter)?;
    let mut told = Told {
        index: pack.index(),
        members,
        faults: 0,
    };
    for (offset, reason, detail) in forest.faults() {
        told.fault(offset, reason, detail);
    }
    let mut inflater = Inflater::default();
    for tree in 0..forest.len() {
        forest.visit(&pack, tree, (&mut inflater, &meter), HELD_MAX, &mut told)?;
    }
    if let Some(more @ 1..) = told.faults.checked_sub(FAULTS_MAX) {
        let detail = format!("git: {more} more objects of this pack could not be read");
        members.fault(None, 0, GapReason::Malformed, detail);
    }
    Ok((end, damage))
}

/// The index of a pack, made by going through it once.
struct Made {
    /// Names and places. A delta's name is known only when it is put together; here it has one that no object has.
    objects: Vec<(ObjectId, u64)>,
    /// Bytes of a name, and of the checksum at the end.
    id_size: usize,
    /// Where the objects end, or where nothing more is understood, and why.
    end: u64,
    damage: Option<Failure>,
}

impl Made {
    fn of<H: Digest>(source: &dyn Source, meter: &Meter<'_>) -> Result<Self, Failure> {
        let mut head = [0; PACK_HEAD];
        super::super::read_exact_at(source, &mut head, 0)?;
        let count = u32_be(&head, 8);
        let mut made = Self {
            objects: Vec::new(),
            id_size: <H as Digest>::output_size(),
            end: PACK_HEAD as u64,
            damage: None,
        };
        let mut gauge = Gauge::default();
        for number in 0..count {
            if number == OBJECTS_MAX {
                let detail = format!("git: a pack of more than {OBJECTS_MAX} objects, alone");
                made.damage = Some(Failure::limit(detail));
                return Ok(made);
            }
            match one::<H>(source, made.end, &mut gauge, meter) {
                Ok((id, end)) => {
                    made.objects.push((id, made.end));
                    made.end = end;
                }
                Err(failure @ (Failure::Io(_) | Failure::Stop)) => return Err(failure),
                Err(failure) => {
                    made.damage = Some(failure);
                    return Ok(made);
                }
            }
        }
        Ok(made)
    }

    /// A file of version 2 (gitformat-pack(5), "pack-*.idx files"), without the checksums that nobody asks for.
    fn index(&mut self) -> Vec<u8> {
        self.objects.sort_unstable();
        let mut bytes = vec![0xff, b't', b'O', b'c', 0, 0, 0, 2];
        let mut large = Vec::new();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes();
        for first in 0..=u8::MAX {
            let up_to = |(id, _): &(ObjectId, u64)| id.as_bytes().first() <= Some(&first);
            bytes.extend(number(self.objects.partition_point(up_to)));
        }
        for (id, _) in &self.objects {
            bytes.extend(id.as_bytes());
        }
        bytes.resize(bytes.len() + self.objects.len() * 4, 0);
        for (_, offset) in &self.objects {
            match u32::try_from(*offset) {
                Ok(small) if small < 1 << 31 => bytes.extend(small.to_be_bytes()),
                _ => {
                    bytes.extend(
                        (1 << 31 | u32::from_be_bytes(number(large.len() / 8))).to_be_bytes(),
                    );
                    large.extend(offset.to_be_bytes());
                }
            }
        }
        bytes.append(&mut large);
        bytes.resize(bytes.len() + 2 * self.id_size, 0);
        bytes
    }
}

/// The name of the object at a place, and where it ends.
fn one<H: Digest>(
    source: &dyn Source,
    place: u64,
    gauge: &mut Gauge,
    meter: &Meter<'_>,
) -> Result<(ObjectId, u64), Failure> {
    let entry = Entry::read(source, place, <H as Digest>::output_size())?;
    let mut name = H::new();
    match entry.body {
        Body::Whole(kind) => name.update(format!("{} {}\0", kind.word(), entry.size)),
        Body::OnOffset(_) | Body::OnObject(_) => name.update(place.to_be_bytes()),
    }
    let is_whole = matches!(entry.body, Body::Whole(_));
    let end = gauge.measure(source, &entry, meter, |bytes| {
        if is_whole {
            name.update(bytes);
        }
    })?;
    let id = ObjectId::new(&name.finalize());
    Ok((id.ok_or(Failure::NotMine)?, end))
}

/// Hands over what a pack holds.
struct Told<'a> {
    index: &'a Index,
    members: &'a mut dyn Members,
    faults: usize,
}

impl Objects for Told<'_> {
    fn object(&mut self, kind: Kind, number: u32, content: &dyn Source) -> Result<(), Failure> {
        let container = match kind {
            Kind::Tree => return Ok(()),
            Kind::Blob => BLOB,
            Kind::Commit | Kind::Tag => MESSAGE,
        };
        let id = match content.is_random() {
            true if self.index.id_size() == Sha256::output_size() => {
                name_of::<Sha256>(kind, content)?
            }
            true => name_of::<Sha1>(kind, content)?,
            false => self.index.id(number)?,
        };
        let offset = self.index.offset(number)?;
        let member = Member::named(container, id.to_string().as_bytes()).at(offset);
        self.members.member(member, content)
    }

    fn fault(&mut self, offset: u64, reason: GapReason, detail: String) {
        self.faults += 1;
        if self.faults <= FAULTS_MAX {
            self.members.fault(None, offset, reason, detail);
        }
    }
}

/// The name of an object that is in memory.
fn name_of<H: Digest>(kind: Kind, content: &dyn Source) -> Result<ObjectId, Failure> {
    let mut name = H::new();
    name.update(format!("{} {}\0", kind.word(), content.size()));
    let mut buffer = [0; 16 << 10];
    let mut at = 0;
    while let count @ 1.. = content.read_at(&mut buffer, at)? {
        name.update(buffer.get(..count).unwrap_or_default());
        at += count as u64;
    }
    ObjectId::new(&name.finalize()).ok_or(Failure::NotMine)
}

/// A bundle (gitformat-bundle(5)): its references, before a pack that is read as the next thing.
pub(in super::super) struct Bundle;

impl Archive for Bundle {
    fn name(&self) -> &'static str {
        "git_bundle"
    }

    fn begins(&self, start: &[u8]) -> bool {
        start.starts_with(b"# v2 git bundle\n") || start.starts_with(b"# v3 git bundle\n")
    }

    fn read(&self, input: &mut Input<'_>, _: &mut dyn Members) -> Result<(), Failure> {
        let mut read = 0;
        loop {
            let mut line = Vec::new();
            let most = (BUNDLE_MAX - read) as u64;
            read += input.by_ref().take(most).read_until(b'\n', &mut line)?;
            match *line {
                [b'\n'] => return Ok(()),
                [.., b'\n'] => {}
                _ if read == BUNDLE_MAX => {
                    let detail = format!(
                        "git: the head of a bundle has more than {} MiB",
                        BUNDLE_MAX >> 20
                    );
                    return Err(Failure::limit(detail));
                }
                _ => return Err(Failure::truncated("git: the head of a bundle is cut off")),
            }
        }
    }
}

/// An object with a file of its own.
pub(in super::super) struct LoneObject;

impl Archive for LoneObject {
    fn name(&self) -> &'static str {
        "git_object"
    }

    fn begins(&self, start: &[u8]) -> bool {
        // A stream of zlib with a window of 32 KiB (RFC 1950, section 2.2).
        let [0x78, flags, ..] = start else {
            return false;
        };
        if !(0x7800 | u16::from(*flags)).is_multiple_of(31) {
            return false;
        }
        let mut head = [0; HEADER_MAX];
        let mut decoder = Decompress::new(true);
        let first = start.get(..256).unwrap_or(start);
        let decoded = decoder.decompress(first, &mut head, FlushDecompress::None);
        let length = usize::try_from(decoder.total_out()).unwrap_or(0);
        decoded.is_ok() && header(&mut head.get(..length).unwrap_or_default()).is_ok()
    }

    fn read(&self, input: &mut Input<'_>, members: &mut dyn Members) -> Result<(), Failure> {
        // Its bytes are all handed over, so that the budget of the file sees them.
        let meter = Meter::new(u64::MAX, SECONDS, &GO_ON);
        let mut stream = ZlibDecoder::new(input);
        let (kind, size) = header(&mut stream)?;
        let mut stream = Exactly {
            stream,
            left: size,
            meter: &meter,
        };
        let content = Once::new(&mut stream);
        let container = match kind {
            Kind::Tree => None,
            Kind::Blob => Some(BLOB),
            Kind::Commit | Kind::Tag => Some(MESSAGE),
        };
        if let Some(container) = container {
            let content = Slice::new(&content, 0, size);
            members.member(Member::named(container, b""), &content)?;
        }
        content
            .finish()
            .map_err(|error| Failure::reading("git", error))
    }
}
