//! Tells which files of a disk image could not be read: each by itself, up to a number.

use super::{Failure, Members};
use crate::model::{GapReason, Member};

/// As many are told one by one.
const MOST: u32 = 10_000;

/// What was told of one image.
pub(super) struct Unread {
    /// The image's kind.
    name: &'static str,
    /// Where the image says what it is: the place of what is told of the rest.
    place: u64,
    count: u32,
}

impl Unread {
    pub(super) const fn new(name: &'static str, place: u64) -> Self {
        Self {
            name,
            place,
            count: 0,
        }
    }

    /// Tells one, at a place in the member, or in the image.
    pub(super) fn tell(
        &mut self,
        members: &mut dyn Members,
        member: Option<Member>,
        place: u64,
        (reason, detail): (GapReason, &str),
    ) {
        self.count += 1;
        let name = self.name;
        if self.count < MOST {
            members.fault(member, place, reason, format!("{name}: {detail}"));
        } else if self.count == MOST {
            let detail = format!("{name}: {detail}; further files are not told one by one");
            members.fault(None, self.place, reason, detail);
        }
    }

    /// Tells a fault, and gives back what is none.
    pub(super) fn settle(
        &mut self,
        members: &mut dyn Members,
        member: Option<Member>,
        place: u64,
        outcome: Result<(), Failure>,
    ) -> Result<(), Failure> {
        match outcome {
            Err(Failure::Fault(reason, detail)) => {
                self.tell(members, member, place, (reason, &detail));
                Ok(())
            }
            other => other,
        }
    }
}
