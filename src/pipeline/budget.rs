//! What one file may cost, with all that is unpacked from it.

use crate::archives::Source;
use crate::model::{Budgets, GapReason};
use std::cell::{Cell, RefCell};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What is left for one file.
pub(super) struct Budget<'a> {
    budgets: &'a Budgets,
    stop: &'a AtomicBool,
    /// As many bytes may be unpacked.
    expanded_max: u64,
    expanded: Cell<u64>,
    members: Cell<u64>,
    /// Set when the first member is met: reading a large file that holds nothing takes as long as it takes.
    deadline: Cell<Option<Instant>>,
    spent: Cell<bool>,
    to_tell: RefCell<Option<String>>,
}

impl<'a> Budget<'a> {
    /// The whole budget of a file of this size.
    pub(super) fn new(budgets: &'a Budgets, size: u64, stop: &'a AtomicBool) -> Self {
        let by_ratio = size.saturating_mul(budgets.ratio).max(budgets.ratio_from);
        Self {
            budgets,
            stop,
            expanded_max: by_ratio.min(budgets.expanded),
            expanded: Cell::new(0),
            members: Cell::new(0),
            deadline: Cell::new(None),
            spent: Cell::new(false),
            to_tell: RefCell::new(None),
        }
    }

    /// Whether nothing more may be read: what is told afterwards would come of that.
    pub(super) const fn is_spent(&self) -> bool {
        self.spent.get()
    }

    /// How many bytes were unpacked.
    pub(super) const fn expanded(&self) -> u64 {
        self.expanded.get()
    }

    /// How many bytes were unpacked, and how many members were met.
    pub(super) const fn used(&self) -> (u64, u64) {
        (self.expanded.get(), self.members.get())
    }

    /// Counts what was unpacked once before.
    pub(super) fn charge(&self, expanded: u64, members: u64) {
        self.members.set(self.members.get() + members);
        self.count_members();
        self.expanded.set(self.expanded.get() + expanded);
        self.count_expanded();
    }

    /// Which limit was reached, once.
    pub(super) fn is_to_tell(&self) -> Option<String> {
        self.to_tell.take()
    }

    /// How many members may stand in one another.
    pub(super) const fn depth(&self) -> usize {
        self.budgets.depth
    }

    /// Why an archive at this depth is not opened.
    pub(super) fn keeps_closed(&self, name: &str, depth: usize) -> Option<(GapReason, String)> {
        if self.budgets.shallow {
            return Some((GapReason::NotSwept, format!("{name}: left closed")));
        }
        let most = self.budgets.depth;
        (depth >= most).then(|| {
            (
                GapReason::Limit,
                format!("{name}: nested deeper than {most}"),
            )
        })
    }

    /// Counts a member; false if there are too many.
    pub(super) fn member(&self) -> bool {
        if self.deadline.get().is_none() {
            let time = Duration::from_secs(self.budgets.seconds);
            self.deadline.set(Instant::now().checked_add(time));
        }
        self.members.set(self.members.get() + 1);
        self.count_members();
        // The clock is asked seldom, as most members are small.
        if self.members.get().is_multiple_of(64) {
            self.look_at_the_clock();
        }
        !self.is_spent()
    }

    fn count_members(&self) {
        if self.members.get() > self.budgets.members {
            self.spend(format!(
                "more than {} members in one file",
                self.budgets.members
            ));
        }
    }

    /// Counts unpacked bytes; false if there are too many.
    fn expand(&self, count: usize) -> bool {
        self.expanded.set(self.expanded.get() + count as u64);
        self.count_expanded();
        if count >= 16 << 10 {
            self.look_at_the_clock();
        }
        !self.is_spent()
    }

    fn count_expanded(&self) {
        if self.expanded.get() > self.expanded_max {
            let mib = self.expanded_max >> 20;
            let by_ratio = self.expanded_max < self.budgets.expanded;
            self.spend(if by_ratio {
                let ratio = self.budgets.ratio;
                format!("unpacks to more than {mib} MiB, {ratio} times the file's size")
            } else {
                format!("unpacks to more than {mib} MiB")
            });
        }
    }

    fn look_at_the_clock(&self) {
        if self.stop.load(Ordering::Relaxed) {
            self.spent.set(true);
        } else if self.deadline.get().is_some_and(|end| Instant::now() > end) {
            let seconds = self.budgets.seconds;
            self.spend(format!("took more than {seconds} seconds"));
        }
    }

    fn spend(&self, detail: String) {
        if !self.spent.replace(true) {
            *self.to_tell.borrow_mut() = Some(detail);
        }
    }
}

/// A member's content that counts what is read of it, and ends where the budget does.
pub(super) struct Metered<'a> {
    content: &'a dyn Source,
    budget: &'a Budget<'a>,
}

impl<'a> Metered<'a> {
    pub(super) const fn new(content: &'a dyn Source, budget: &'a Budget<'a>) -> Self {
        Self { content, budget }
    }
}

impl Source for Metered<'_> {
    fn size(&self) -> u64 {
        self.content.size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if self.budget.is_spent() {
            return Ok(0);
        }
        let count = self.content.read_at(buffer, offset)?;
        Ok(if self.budget.expand(count) { count } else { 0 })
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        self.content.next_data(offset)
    }

    fn is_random(&self) -> bool {
        self.content.is_random()
    }
}

/// A file that counts what is read of it.
pub(super) struct Counted<'a> {
    source: &'a dyn Source,
    read: Cell<u64>,
}

impl<'a> Counted<'a> {
    pub(super) const fn new(source: &'a dyn Source) -> Self {
        Self {
            source,
            read: Cell::new(0),
        }
    }

    pub(super) const fn read(&self) -> u64 {
        self.read.get()
    }
}

impl Source for Counted<'_> {
    fn size(&self) -> u64 {
        self.source.size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = self.source.read_at(buffer, offset)?;
        self.read.set(self.read.get() + count as u64);
        Ok(count)
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        self.source.next_data(offset)
    }

    fn is_random(&self) -> bool {
        self.source.is_random()
    }
}
