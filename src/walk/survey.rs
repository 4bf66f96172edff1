//! What a walk would cover, without reading content.

use super::crawl::{Content, Crawl};
use super::{HostRoot, OpenFile, Progress, Visitor, WalkError, WalkOptions};
use crate::model::Gap;
use std::sync::atomic::Ordering;

/// What a walk would cover. No file was opened, so one that cannot be read is counted all the same.
#[derive(Debug)]
pub struct Survey {
    /// Directories that would be listed (and were).
    pub directories: u64,
    /// Regular files that would be read.
    pub files: u64,
    /// Their sizes together, holes included.
    pub bytes: u64,
    /// What would be left out, and directories that could not be listed; sorted.
    pub gaps: Vec<Gap>,
    /// Whether the stop flag ended it.
    pub stopped: bool,
}

struct Gaps(Vec<Gap>);

impl Visitor for Gaps {
    fn file(&mut self, _: &OpenFile<'_>) {}

    fn gap(&mut self, gap: Gap) {
        self.0.push(gap);
    }
}

/// Says what [`super::walk`] would cover with the same arguments: lists directories and reads no content.
///
/// # Errors
/// As [`super::walk`].
pub fn survey(
    host: &HostRoot,
    roots: &[Vec<u8>],
    options: &WalkOptions,
    progress: &Progress,
) -> Result<Survey, WalkError> {
    let make = || Gaps(Vec::new());
    let bytes = progress.bytes.load(Ordering::Relaxed);
    let outcome = Crawl::new(host, options, progress, &make, Content::Count)?.run(roots)?;
    let mut gaps: Vec<Gap> = outcome.visitors.into_iter().flat_map(|v| v.0).collect();
    gaps.sort();
    Ok(Survey {
        directories: outcome.directories,
        files: outcome.files,
        bytes: progress.bytes.load(Ordering::Relaxed).saturating_sub(bytes),
        gaps,
        stopped: outcome.stopped,
    })
}
