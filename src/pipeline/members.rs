//! Looks into the members of an archive, each with all that it holds before the next.

use super::budget::Metered;
use super::content::{Context, Scanner, Sink};
use crate::archives::{Failure, Members, Memory, Source};
use crate::model::{GapReason, Member};
use crate::parse::Content;
use std::io;

/// Takes what an archive holds.
pub(super) struct Inside<'s, 'a, 'c> {
    scanner: &'s mut Scanner<'a>,
    context: Context<'c>,
    /// Place of the archive in what holds it.
    base: u64,
    sink: &'s mut dyn Sink,
}

impl<'s, 'a, 'c> Inside<'s, 'a, 'c> {
    pub(super) fn new(
        scanner: &'s mut Scanner<'a>,
        context: Context<'c>,
        base: u64,
        sink: &'s mut dyn Sink,
    ) -> Self {
        Self {
            scanner,
            context,
            base,
            sink,
        }
    }

    /// The member with its place counted from the start of what holds the archive.
    fn place(&self, mut member: Member) -> Member {
        member.offset = member.offset.map(|offset| self.base + offset);
        member
    }
}

impl Members for Inside<'_, '_, '_> {
    fn member(&mut self, member: Member, content: &dyn Source) -> Result<(), Failure> {
        let budget = self.context.budget;
        if !budget.member() {
            if let Some(detail) = budget.is_to_tell() {
                let offset = self.base + member.offset.unwrap_or(0);
                self.sink.fault(GapReason::Limit, offset, detail);
            }
            return Err(Failure::Stop);
        }
        let name = member.exact_name();
        let context = Context {
            file_name: last_component(&name),
            depth: self.context.depth + 1,
            ..self.context
        };
        self.sink.enter(self.place(member), None);
        let content = Metered::new(content, budget);
        let outcome = self.scanner.scan_content(&content, context, self.sink);
        self.sink.leave();
        if budget.is_spent() {
            return Err(Failure::Stop);
        }
        outcome.map_err(Failure::Io)
    }

    fn plain(&mut self, offset: u64, content: &dyn Source) -> Result<(), Failure> {
        let place = self.base + offset;
        let (scanner, context) = (&mut *self.scanner, self.context);
        let outcome = scanner.scan_plain(content, place, context, self.sink);
        if context.budget.is_spent() {
            return Err(Failure::Stop);
        }
        outcome.map_err(Failure::Io)
    }

    fn bare(&mut self, name: &[u8]) {
        self.sink.bare(name);
    }

    fn is_worth(&self, content: &[u8]) -> Result<bool, Failure> {
        if self.context.budget.is_spent() || self.scanner.is_stopped() {
            return Err(Failure::Stop);
        }
        Ok(self.scanner.would_look_at(content))
    }

    fn fault(&mut self, member: Option<Member>, offset: u64, reason: GapReason, detail: String) {
        match member {
            Some(member) => {
                self.sink.enter(self.place(member), None);
                self.sink.fault(reason, offset, detail);
                self.sink.leave();
            }
            None => self.sink.fault(reason, self.base + offset, detail),
        }
    }
}

fn last_component(name: &[u8]) -> &[u8] {
    let mut parts = name.rsplit(|byte| matches!(byte, b'/' | b'\\'));
    parts.next().unwrap_or(name)
}

impl Scanner<'_> {
    /// Searches what a reader decoded out of a window.
    pub(super) fn scan_inner(
        &mut self,
        content: Content,
        place: u64,
        context: Context<'_>,
        sink: &mut dyn Sink,
    ) -> io::Result<()> {
        let budget = context.budget;
        let mut member = content.member;
        member.offset = Some(place);
        if context.depth >= budget.depth() {
            let detail = format!(
                "{}: nested deeper than {}",
                member.container,
                budget.depth()
            );
            sink.fault(GapReason::Limit, place, detail);
            return Ok(());
        }
        if !budget.member() {
            if let Some(detail) = budget.is_to_tell() {
                sink.fault(GapReason::Limit, place, detail);
            }
            return Ok(());
        }
        let name = member.exact_name();
        let inner = Context {
            file_name: last_component(&name),
            depth: context.depth + 1,
            ..context
        };
        sink.enter(member, content.entry);
        let memory = Memory(&content.bytes);
        let outcome = self.scan_content(&Metered::new(&memory, budget), inner, sink);
        sink.leave();
        outcome
    }
}
