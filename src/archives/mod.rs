//! What holds other things as streams of bytes: compressed files, archives, images, repositories.
//!
//! One file an archive behind one trait and one static list. An archive knows nothing of keys: it hands each member, as
//! bytes that can be read, to [`Members`], and the pipeline looks into them with every reader there is. What is
//! small enough to stand whole in memory beside its surroundings (armours, keystores, base64) is a container
//! instead, in `src/containers`.

mod ahead;
mod ar;
mod bzip2;
mod codec;
mod compress;
mod cpio;
mod fault;
mod gzip;
mod input;
mod lz4;
mod lzma;
mod rpm;
mod source;
mod stored;
mod tar;
mod xz;
mod zstd;

pub use fault::Failure;
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

    /// Tells that a member, or a place of the archive, was recognised and not read.
    fn fault(&mut self, member: Option<Member>, offset: u64, reason: GapReason, detail: String);
}

/// A reader of one kind of archive. It keeps no state.
pub trait Archive: Sync {
    /// The type of its members in records, lower snake case.
    fn name(&self) -> &'static str;

    /// Whether bytes that begin with these are worth a try: at least the first 64 KiB, or all there is.
    fn begins(&self, start: &[u8]) -> bool;

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
    // Those that begin with little that is their own come last.
    &compress::COMPRESS,
    &lzma::LZMA,
];

/// The archive that begins with these bytes.
pub fn recognise(start: &[u8]) -> Option<&'static dyn Archive> {
    ALL.iter().find(|archive| archive.begins(start)).copied()
}
