//! ext2, ext3 and ext4 ("ext4 Data Structures and Algorithms" of the kernel's documentation), read in place.
//!
//! Own code: the kept crate wants a reader that it owns, reads a directory and a map as they come, however large, and does not
//! say which blocks no file has. Those are searched as they lie: what was deleted stands there until it is overwritten.

mod directory;
mod inode;
mod map;
mod volume;
mod walk;

use super::{Archive, Failure, Input, Members};
use volume::Volume;

/// The archive.
pub(super) struct Ext;

const NAME: &str = "ext";

impl Archive for Ext {
    fn name(&self) -> &'static str {
        NAME
    }

    fn begins(&self, start: &[u8]) -> bool {
        volume::is_likely(start)
    }

    fn read(&self, input: &mut Input<'_>, members: &mut dyn Members) -> Result<(), Failure> {
        let end = input.with_random(|source| {
            let volume = Volume::open(source)?;
            walk::whole(&volume, members)?;
            Ok(volume.size().min(source.size()))
        });
        let end = end.map_err(|failure| failure.in_archive(NAME))?;
        Ok(input.skip_to(end)?)
    }
}
