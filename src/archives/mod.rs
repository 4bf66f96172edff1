//! What holds other things as streams of bytes: compressed files, archives, images, repositories.
//!
//! One file an archive behind one trait and one static list. An archive knows nothing of keys: it hands each member, as
//! bytes that can be read, to [`Members`], and the pipeline looks into them with every reader there is. What is
//! small enough to stand whole in memory beside its surroundings (armours, keystores, base64) is a container
//! instead, in `src/containers`.

mod ahead;
mod ar;
mod bits;
mod bzip2;
mod checked;
mod codec;
mod compress;
mod cpio;
mod directories;
mod ext;
mod fault;
pub mod git;
mod gzip;
mod held;
pub mod image;
mod input;
mod iso9660;
mod little;
mod lz4;
mod lzma;
mod mapped;
mod methods;
mod partitions;
mod pdf;
mod rpm;
mod seven_zip;
mod source;
mod sqlite;
mod squashfs;
mod stored;
mod tar;
mod told;
mod unread;
mod xz;
mod zip;
mod zstd;

pub use fault::Failure;
pub use held::Held;
pub use input::Input;
pub use source::{Memory, Once, Slice, Source, read_exact_at};

use crate::model::{GapReason, Member};

/// Takes what an archive holds.
pub trait Members {
    /// Looks into one member, at once.
    ///
    /// # Errors
    /// [`Failure::Stop`] when nothing more is wanted: the archive gives it back at once.
    fn member(&mut self, member: Member, content: &dyn Source) -> Result<(), Failure>;

    /// Searches bytes between the members, which belong to none, from this place of the archive on: as they are, and not as an archive.
    ///
    /// # Errors
    /// As for a member.
    fn plain(&mut self, offset: u64, content: &dyn Source) -> Result<(), Failure>;

    /// Notes an entry that has no content, such as a link, by its exact name; that of a directory ends with a slash.
    fn bare(&mut self, _name: &[u8]) {}
    /// Whether the search would look twice at a member of these bytes: of many small ones, only those are handed over.
    ///
    /// # Errors
    /// As for a member.
    fn is_worth(&self, content: &[u8]) -> Result<bool, Failure>;

    /// Tells that a member, or a place of the archive, was recognised and not read.
    fn fault(&mut self, member: Option<Member>, offset: u64, reason: GapReason, detail: String);
}

/// A reader of one kind of archive. It keeps no state.
pub trait Archive: Sync {
    /// The type of its members in records, lower snake case.
    fn name(&self) -> &'static str;

    /// Whether bytes that begin with these are worth a try: at least the first 64 KiB, or all there is.
    fn begins(&self, start: &[u8]) -> bool;

    /// Whether bytes that begin with these, which no archive begins with, may have one behind them: a program that unpacks itself.
    fn may_stand_behind(&self, _start: &[u8]) -> bool {
        false
    }

    /// Whether one stands behind them. The input must stand at its start afterwards.
    ///
    /// # Errors
    /// What the source says, or that it cannot be known.
    fn stands_behind(&self, _input: &mut Input<'_>) -> Result<bool, Failure> {
        Ok(false)
    }

    /// Whether a stream of it is kept in memory, since it must be read at any place.
    fn needs_any_place(&self) -> bool {
        false
    }

    /// Hands over all members; the input stands behind the archive afterwards, so that what follows it can be searched.
    ///
    /// # Errors
    /// What was wrong, or [`Failure::NotMine`] before the first member: then it was chance, and the bytes are searched as they are.
    fn read(&self, input: &mut Input<'_>, members: &mut dyn Members) -> Result<(), Failure>;
}

/// Every archive, in the order in which they are asked.
static ALL: &[&dyn Archive] = &[
    &gzip::Gzip,
    &bzip2::BZIP2,
    &xz::XZ,
    &zstd::ZSTD,
    &lz4::LZ4,
    &tar::Tar,
    &cpio::Cpio,
    &ar::Ar,
    &rpm::Rpm,
    &pdf::Pdf,
    &sqlite::Sqlite,
    &zip::Zip,
    &seven_zip::SevenZip,
    &git::LonePack,
    &git::Bundle,
    &git::LoneObject,
    &squashfs::SquashFs,
    &told::QCOW,
    &told::VMDK,
    &told::VHDX,
    &told::VHD,
    &told::VDI,
    &told::RAR,
    &told::CAB,
    &told::WIM,
    &told::CRAMFS,
    &told::EROFS,
    &told::XFS,
    &told::LVM,
    &told::NTFS,
    // What may stand behind a boot sector, before the partitions that one may tell.
    &ext::Ext,
    &told::BTRFS,
    &iso9660::Iso9660,
    &partitions::Partitions,
    // Those that begin with little that is their own come last.
    &compress::COMPRESS,
    &lzma::LZMA,
];

/// The archive that begins with these bytes.
pub fn recognise(start: &[u8]) -> Option<&'static dyn Archive> {
    ALL.iter().find(|archive| archive.begins(start)).copied()
}

/// Whether [`recognise_behind`] is worth a look.
pub fn may_stand_behind(start: &[u8]) -> bool {
    ALL.iter().any(|archive| archive.may_stand_behind(start))
}

/// The archive that stands behind a program.
pub fn recognise_behind(input: &mut Input<'_>) -> Result<Option<&'static dyn Archive>, Failure> {
    for archive in ALL {
        if archive.may_stand_behind(input.peek(1 << 10)?) && archive.stands_behind(input)? {
            return Ok(Some(*archive));
        }
    }
    Ok(None)
}
