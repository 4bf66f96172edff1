//! Images of optical discs: ISO 9660 (ECMA-119) with the names of Rock Ridge (IEEE P1282) or Joliet, read in place.
//!
//! What no file has (boot images, directories, what was removed from the listing) is searched as it lies.

mod record;
mod walk;

use super::little::{u16_at, u32_at};
use super::{Archive, Failure, Input, Members, Source, read_exact_at};
use record::Record;

/// The archive.
pub(super) struct Iso9660;

const NAME: &str = "iso9660";
/// Volume descriptors stand in sectors of this size, from this place on.
const SECTOR: u64 = 2048;
const DESCRIPTORS: u64 = 16 * SECTOR;
/// As many are looked at.
const DESCRIPTORS_MAX: u64 = 64;
const MAGIC: &[u8] = b"CD001\x01";
/// What says that the names of a supplementary volume are in UCS-2.
const JOLIET: [&[u8]; 3] = [b"%/@", b"%/C", b"%/E"];

/// A tree of directories.
struct Volume {
    root: Record,
    block: u64,
    blocks: u64,
    is_joliet: bool,
}

impl Archive for Iso9660 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn begins(&self, start: &[u8]) -> bool {
        let place = usize::try_from(DESCRIPTORS).unwrap_or(0);
        let descriptor = start.get(place..).unwrap_or_default();
        matches!(descriptor, [0..=3 | 255, magic @ ..] if magic.starts_with(MAGIC))
    }

    fn read(&self, input: &mut Input<'_>, members: &mut dyn Members) -> Result<(), Failure> {
        let end = input.with_random(|source| {
            let volume = volume(source)?;
            walk::whole(source, &volume, members)?;
            Ok((volume.blocks * volume.block).min(source.size()))
        });
        let end = end.map_err(|failure| failure.in_archive(NAME))?;
        Ok(input.skip_to(end)?)
    }
}

/// The volume with the best names.
fn volume(source: &dyn Source) -> Result<Volume, Failure> {
    let (mut primary, mut joliet) = (None, None);
    for number in 0..DESCRIPTORS_MAX {
        let mut descriptor = [0; 2048];
        read_exact_at(source, &mut descriptor, DESCRIPTORS + number * SECTOR)?;
        let [kind, rest @ ..] = &descriptor;
        if !rest.starts_with(MAGIC) || *kind == 255 {
            break;
        }
        let escape = descriptor.get(88..91).unwrap_or_default();
        match kind {
            1 if primary.is_none() => primary = described(&descriptor, false),
            2 if JOLIET.contains(&escape) => joliet = described(&descriptor, true),
            _ => {}
        }
    }
    let has_names = match &primary {
        Some(primary) => walk::has_names(source, primary)?,
        None => false,
    };
    let volume = if has_names {
        primary
    } else {
        joliet.or(primary)
    };
    volume.ok_or_else(|| Failure::malformed("no descriptor of a volume"))
}

fn described(descriptor: &[u8], is_joliet: bool) -> Option<Volume> {
    let block = u64::from(u16_at(descriptor, 128));
    let (root, _) = Record::read(descriptor.get(156..190)?)?;
    matches!(block, 512 | 1024 | 2048).then_some(Volume {
        root,
        block,
        blocks: u32_at(descriptor, 80).into(),
        is_joliet,
    })
}
