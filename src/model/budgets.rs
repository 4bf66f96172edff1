//! What one file may cost, with all that is unpacked from it.

/// Limits for one file and all that is unpacked from it. What they cut off is a `limit` gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// Archives are left closed.
    pub shallow: bool,
    /// How many members may stand in one another.
    pub depth: usize,
    /// How many bytes may be unpacked; those of a member in a member count twice.
    pub expanded: u64,
    /// How many times the file's size may be unpacked.
    pub ratio: u64,
    /// As many bytes may be unpacked whatever the ratio.
    pub ratio_from: u64,
    /// How many members there may be.
    pub members: u64,
    /// How long it may take, from the first member on.
    pub seconds: u64,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            shallow: false,
            depth: 8,
            expanded: 1 << 40,
            ratio: 200,
            ratio_from: 1 << 29,
            members: 2_000_000,
            seconds: 1800,
        }
    }
}
