//! Which bytes are worth a parser: one pass over the content, every signature of every format at once.
//!
//! The searcher is the packed SIMD one (Teddy) chosen by name: the automatic choice of the library falls
//! off the SIMD path at this number of literals and costs four times as much.

use crate::formats::{Format, Signature};
use crate::model::Clue;
use aho_corasick::{AhoCorasick, MatchKind, packed};

/// A place worth a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Where the literal starts, in the searched bytes.
    pub at: usize,
    /// What it suggests.
    pub clue: Clue,
}

/// Finds the signatures of a list of formats.
pub struct Detector {
    clues: Vec<Clue>,
    longest: usize,
    engine: Engine,
}

enum Engine {
    Packed(packed::Searcher),
    /// For processors without the vector instructions that the packed searcher needs.
    Automaton(AhoCorasick),
    Nothing,
}

impl Detector {
    /// Builds the searcher for these formats.
    pub fn new(formats: &[&dyn Format]) -> Self {
        let mut signatures: Vec<Signature> = formats
            .iter()
            .flat_map(|format| format.signatures().iter().copied())
            .collect();
        // Several formats may share a literal; the first of them names the clue, which must be the same.
        signatures.sort_by_key(|s| (s.literal, s.clue));
        signatures.dedup_by_key(|s| s.literal);
        let literals: Vec<&[u8]> = signatures.iter().map(|s| s.literal).collect();
        let packed = packed::Config::new()
            .match_kind(packed::MatchKind::LeftmostFirst)
            .builder()
            .extend(&literals)
            .build();
        let engine = match packed {
            _ if literals.is_empty() => Engine::Nothing,
            Some(searcher) => Engine::Packed(searcher),
            None => AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostFirst)
                .build(&literals)
                .map_or(Engine::Nothing, Engine::Automaton),
        };
        Self {
            clues: signatures.iter().map(|s| s.clue).collect(),
            longest: literals.iter().map(|l| l.len()).max().unwrap_or(0),
            engine,
        }
    }

    /// Length of the longest literal: how much of a window's end may hide the start of one.
    pub const fn longest(&self) -> usize {
        self.longest
    }

    /// The first hit that starts at or after `from`.
    pub fn find(&self, bytes: &[u8], from: usize) -> Option<Hit> {
        if from >= bytes.len() {
            return None;
        }
        let (pattern, at) = match &self.engine {
            Engine::Packed(searcher) => {
                let span = aho_corasick::Span::from(from..bytes.len());
                let found = searcher.find_in(bytes, span)?;
                (found.pattern(), found.start())
            }
            Engine::Automaton(automaton) => {
                let found = automaton.find(aho_corasick::Input::new(bytes).range(from..))?;
                (found.pattern(), found.start())
            }
            Engine::Nothing => return None,
        };
        let clue = *self.clues.get(pattern.as_usize())?;
        Some(Hit { at, clue })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats;

    #[test]
    fn the_packed_searcher_takes_every_signature() {
        let detector = Detector::new(formats::ALL);
        assert!(!detector.clues.is_empty());
        if cfg!(target_arch = "x86_64") {
            assert!(matches!(detector.engine, Engine::Packed(_)));
        }
    }

    #[test]
    fn every_signature_is_found_wherever_it_stands() {
        let detector = Detector::new(formats::ALL);
        for format in formats::ALL {
            for signature in format.signatures() {
                assert!(signature.literal.len() >= 3, "{}", format.name());
                for before in [0, 1, 15, 16, 17, 63, 200] {
                    let mut bytes = vec![b'.'; before];
                    bytes.extend_from_slice(signature.literal);
                    bytes.extend_from_slice(b"....");
                    let hit = detector.find(&bytes, 0).unwrap();
                    assert_eq!((hit.at, hit.clue), (before, signature.clue));
                    assert_eq!(detector.find(&bytes, before + 1), None);
                }
            }
        }
    }
}
