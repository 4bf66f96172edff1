//! squashfs 4.0 ("Squashfs 4.0 Filesystem" of the kernel's documentation), read in place.
//!
//! Own code: the kept crate loads all inodes and directories at once, unpacks without a bound and brings a second xz in C.

mod file;
mod image;
mod inode;
mod metadata;
mod unpack;
mod walk;

use super::{Archive, Failure, Input, Members};
use image::Image;

/// The archive.
pub(super) struct SquashFs;

const NAME: &str = "squashfs";

impl Archive for SquashFs {
    fn name(&self) -> &'static str {
        NAME
    }

    fn begins(&self, start: &[u8]) -> bool {
        image::is_likely(start)
    }

    fn read(&self, input: &mut Input<'_>, members: &mut dyn Members) -> Result<(), Failure> {
        let end = input.with_random(|source| {
            let image = Image::open(source)?;
            walk::whole(&image, members)?;
            Ok(image.size().min(source.size()))
        });
        let end = end.map_err(|failure| failure.in_archive(NAME))?;
        Ok(input.skip_to(end)?)
    }
}
