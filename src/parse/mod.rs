//! The worklist: candidates in, artifacts, nested candidates and faults out. One place for depth and count.

use crate::formats::Format;
use crate::model::{
    Artifact, Candidate, Clue, Encoding, EntryFacts, Fault, GapReason, Member, Nested, Reading,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use zeroize::Zeroizing;

/// How deep candidates may nest.
const DEPTH_MAX: usize = 8;
/// How many candidates one candidate may give rise to.
const COUNT_MAX: usize = 100_000;

/// Asks the formats about candidates.
pub struct Parser {
    by_clue: BTreeMap<Clue, Vec<&'static dyn Format>>,
}

/// What became of one candidate and everything inside it.
#[derive(Debug, Default)]
pub struct Parsed {
    /// What was understood; offsets count from the first byte of the examined bytes.
    pub artifacts: Vec<Artifact>,
    /// What was recognised and not understood.
    pub faults: Vec<Fault>,
    /// Decoded bytes that are to be searched as if they were files.
    pub contents: Vec<Content>,
    /// Where to look on.
    pub advance: Advance,
}

/// Decoded bytes that are to be searched as if they were a file.
#[derive(Debug)]
pub struct Content {
    /// The step that leads to them, without its place.
    pub member: Member,
    /// Them.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Where they stand in the examined bytes.
    pub offset: usize,
    /// What the container says of them.
    pub entry: Option<Arc<EntryFacts>>,
}

/// Where the search goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Advance {
    /// Behind the literal: it meant nothing.
    #[default]
    Step,
    /// From this place in the examined bytes.
    To(usize),
    /// Behind the literal: it stood in what has the form of an object, and no format knows that. Objects may stand
    /// inside it.
    Inside {
        /// Where in the examined bytes that object starts.
        start: usize,
        /// Where it ends.
        end: usize,
    },
    /// After the window was moved to start at this place and filled further.
    NeedMore {
        /// Where in the examined bytes the object starts.
        from: usize,
    },
}

impl Parser {
    /// A parser that asks these formats, in their order.
    pub fn new(formats: &'static [&'static dyn Format]) -> Self {
        let mut by_clue: BTreeMap<Clue, Vec<&'static dyn Format>> = BTreeMap::new();
        for format in formats {
            for clue in format.clues() {
                by_clue.entry(*clue).or_default().push(*format);
            }
        }
        Self { by_clue }
    }

    /// Examines one candidate and everything inside it.
    pub fn examine(&self, candidate: &Candidate<'_>) -> Parsed {
        let mut parsed = Parsed::default();
        let found = match self.ask(candidate) {
            Reading::NotMine => return parsed,
            Reading::NeedMore { from } => {
                parsed.advance = Advance::NeedMore { from };
                return parsed;
            }
            Reading::Found(found) => found,
        };
        // A carved object that nobody takes was chance: the search must then look inside it.
        let tentative = found.artifacts.is_empty()
            && found.faults.is_empty()
            && !found.nested.is_empty()
            && found.nested.iter().all(|nested| !nested.declared);
        let start = found.nested.first().map_or(0, |nested| nested.offset);
        parsed.artifacts = found.artifacts;
        parsed.faults = found.faults;
        let mut work: Vec<Work> = found
            .nested
            .into_iter()
            .rev()
            .map(|nested| Work::new(nested, 0, false, 1))
            .collect();
        let mut count = work.len();
        while let Some(item) = work.pop() {
            if item.nested.clue == Clue::Content {
                parsed.contents.extend(item.into_content());
                continue;
            }
            count += self.unfold(&item, candidate, &mut parsed, &mut work);
            if count > COUNT_MAX {
                parsed.faults.push(item.fault(
                    GapReason::Limit,
                    format!("more than {COUNT_MAX} objects inside one another"),
                ));
                break;
            }
        }
        let nothing =
            parsed.artifacts.is_empty() && parsed.faults.is_empty() && parsed.contents.is_empty();
        parsed.advance = if tentative && nothing {
            Advance::Inside {
                start,
                end: found.end,
            }
        } else {
            Advance::To(found.end)
        };
        parsed
    }

    /// Reads one nested candidate; gives how many it added to the work.
    fn unfold(
        &self,
        item: &Work,
        outer: &Candidate<'_>,
        parsed: &mut Parsed,
        work: &mut Vec<Work>,
    ) -> usize {
        let nested = &item.nested;
        if item.depth > DEPTH_MAX {
            let detail = format!("nested deeper than {DEPTH_MAX}");
            parsed.faults.push(item.fault(GapReason::Limit, detail));
            return 0;
        }
        let candidate = Candidate {
            clue: nested.clue,
            bytes: &nested.bytes,
            at: 0,
            at_end: true,
            at_start: true,
            encoding: nested.encoding,
            label: nested.label.as_deref(),
            headers: &nested.headers,
            file_name: outer.file_name,
            unlock: outer.unlock,
        };
        match self.ask(&candidate) {
            Reading::Found(found) => {
                for mut artifact in found.artifacts {
                    artifact.offset = item.place(artifact.offset);
                    if let Some(entry) = &nested.entry {
                        artifact.inherit(entry);
                    }
                    parsed.artifacts.push(artifact);
                }
                for mut fault in found.faults {
                    fault.offset = item.place(fault.offset);
                    // The armour is whole: what it holds is cut off inside, which is another matter.
                    if item.decoded && fault.reason == GapReason::Truncated {
                        fault.reason = GapReason::Malformed;
                    }
                    fault.detail = item.name(&fault.detail);
                    parsed.faults.push(fault);
                }
                let added = found.nested.len();
                work.extend(found.nested.into_iter().rev().map(|mut inner| {
                    inner.entry = match (inner.entry, &nested.entry) {
                        (Some(inside), Some(around)) => Some(Arc::new(inside.within(around))),
                        (inside, around) => inside.or_else(|| around.clone()),
                    };
                    Work::new(inner, item.base, item.is_frozen(), item.depth + 1)
                }));
                added
            }
            Reading::NotMine | Reading::NeedMore { .. } => {
                if nested.declared
                    && let Some(fault) = item.unread()
                {
                    parsed.faults.push(fault);
                }
                0
            }
        }
    }

    fn ask(&self, candidate: &Candidate<'_>) -> Reading {
        self.by_clue
            .get(&candidate.clue)
            .into_iter()
            .flatten()
            .map(|format| format.read(candidate))
            .find(|reading| !matches!(reading, Reading::NotMine))
            .unwrap_or(Reading::NotMine)
    }
}

/// One nested candidate and where it stands.
struct Work {
    nested: Nested,
    /// Where its first byte is, in the examined bytes.
    base: usize,
    /// Offsets inside mean nothing outside (the bytes were decoded): all of it stands at `base`.
    decoded: bool,
    depth: usize,
}

impl Work {
    fn new(nested: Nested, base: usize, frozen: bool, depth: usize) -> Self {
        Self {
            base: if frozen { base } else { base + nested.offset },
            decoded: frozen || matches!(nested.encoding, Encoding::Pem | Encoding::Text),
            nested,
            depth,
        }
    }

    fn into_content(self) -> Option<Content> {
        Some(Content {
            member: self.nested.member?,
            offset: self.base,
            bytes: self.nested.bytes,
            entry: self.nested.entry,
        })
    }

    const fn is_frozen(&self) -> bool {
        self.decoded
    }

    const fn place(&self, offset: usize) -> usize {
        if self.decoded {
            self.base
        } else {
            self.base + offset
        }
    }

    fn fault(&self, reason: GapReason, detail: String) -> Fault {
        Fault {
            reason,
            offset: self.base,
            detail,
        }
    }

    /// The detail with the label before it, where it does not name it yet.
    fn name(&self, detail: &str) -> String {
        match &self.nested.label {
            Some(label) if !detail.contains(label.as_str()) => format!("PEM {label}: {detail}"),
            _ => detail.to_owned(),
        }
    }

    /// What is to be said of a declared candidate that no format took.
    fn unread(&self) -> Option<Fault> {
        let label = self.nested.label.as_deref().unwrap_or_default();
        let words = ["KEY", "CERTIFICATE", "CRL"];
        // An armour of something else (a signature, a message) is not in scope.
        if !label.is_empty() && !words.iter().any(|word| label.contains(word)) {
            return None;
        }
        Some(self.fault(
            GapReason::Unsupported,
            format!("PEM {label}: no reader for it"),
        ))
    }
}
