//! Which bytes are worth a parser: one pass over the content, every signature of every format at once.
//!
//! The searcher is the packed SIMD one (Teddy) chosen by name: the automatic choice of the library falls
//! off the SIMD path at this number of literals and costs four times as much. Its cost is in the beginnings
//! that have to be refuted, so signatures with a common beginning are searched as one. What means something at
//! the start of a file alone ([`Place::Start`]) is compared there, and not searched.

mod buckets;

use crate::formats::{self, Format, Place, Signature};
use crate::model::Clue;
use aho_corasick::{AhoCorasick, MatchKind, packed};
use std::sync::LazyLock;

/// Bytes of a literal that the packed searcher compares at once.
const PREFIX: usize = 4;

/// A place worth a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Where the literal starts, in the searched bytes; 0 if it counts only at a place behind the start.
    pub at: usize,
    /// What it suggests.
    pub clue: Clue,
}

/// Finds the signatures of a list of formats.
pub struct Detector {
    /// What is compared at the start of a file, not searched.
    starts: Vec<(usize, Signature)>,
    /// The signatures that one searched literal stands for.
    groups: Vec<Vec<Anchored>>,
    longest: usize,
    engine: Engine,
}

enum Engine {
    Packed(packed::Searcher),
    /// For processors without the vector instructions that the packed searcher needs.
    Automaton(AhoCorasick),
    Nothing,
}

/// A signature and where in it the searched literal stands.
#[derive(Debug, Clone, Copy)]
struct Anchored {
    signature: Signature,
    skip: usize,
}

impl Anchored {
    fn new(signature: Signature) -> Self {
        Self {
            skip: leading_run(signature.literal),
            signature,
        }
    }

    fn tail(&self) -> &'static [u8] {
        self.signature.literal.get(self.skip..).unwrap_or_default()
    }
}

impl Detector {
    /// Builds the searcher for these formats.
    pub fn new(formats: &[&dyn Format]) -> Self {
        let signatures = formats
            .iter()
            .flat_map(|format| format.signatures().iter().copied());
        Self::of(signatures.collect())
    }

    /// The one for every format there is.
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Detector> = LazyLock::new(|| Detector::new(formats::ALL));
        &SHARED
    }

    fn of(mut signatures: Vec<Signature>) -> Self {
        // Several formats may share a literal; the first of them names the clue, which must be the same.
        signatures.sort_by_key(|s| (s.literal, s.place, s.clue));
        signatures.dedup_by_key(|s| (s.literal, s.place));
        let mut starts = Vec::new();
        signatures.retain(|signature| match signature.place {
            Place::Anywhere => true,
            Place::Start(offset) => {
                starts.push((offset, *signature));
                false
            }
        });
        let longest = signatures.iter().map(|s| s.literal.len()).max();
        let groups = buckets::arrange(in_groups(signatures), |group| common_beginning(group));
        let literals: Vec<&[u8]> = groups.iter().map(|group| common_beginning(group)).collect();
        let packed = packed::Config::new()
            .match_kind(packed::MatchKind::LeftmostFirst)
            // By itself it takes a variant of more buckets for more than 32 literals, which reads half as much at a time:
            // with well chosen buckets that is the slower one.
            .only_teddy_fat(Some(false))
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
            starts,
            groups,
            longest: longest.unwrap_or(0),
            engine,
        }
    }

    /// Length of the longest literal that is searched: how much of a window's end may hide the start of one.
    pub const fn longest(&self) -> usize {
        self.longest
    }

    /// What the start of a file or member suggests; `bytes` begin with its first byte.
    ///
    /// The order is the same every time.
    pub fn starts(&self, bytes: &[u8]) -> impl Iterator<Item = Hit> {
        self.starts.iter().filter_map(move |(offset, signature)| {
            // Nearly all differ in the first byte.
            let first = bytes.get(*offset) == signature.literal.first();
            let begins = first && bytes.get(*offset..)?.starts_with(signature.literal);
            begins.then_some(Hit {
                at: 0,
                clue: signature.clue,
            })
        })
    }

    /// The first hit of a literal that may stand anywhere, at or after `from`.
    pub fn find(&self, bytes: &[u8], from: usize) -> Option<Hit> {
        let mut search_from = from;
        while search_from < bytes.len() {
            let (group, place) = self.find_literal(bytes, search_from)?;
            let hit = self.groups.get(group)?.iter().find_map(|anchored| {
                let at = place.checked_sub(anchored.skip).filter(|at| *at >= from)?;
                let begins = bytes.get(at..)?.starts_with(anchored.signature.literal);
                begins.then_some(Hit {
                    at,
                    clue: anchored.signature.clue,
                })
            });
            if hit.is_some() {
                return hit;
            }
            search_from = place + 1;
        }
        None
    }

    /// The first searched literal at or after `from`: its group and its place.
    fn find_literal(&self, bytes: &[u8], from: usize) -> Option<(usize, usize)> {
        match &self.engine {
            Engine::Packed(searcher) => {
                let span = aho_corasick::Span::from(from..bytes.len());
                let found = searcher.find_in(bytes, span)?;
                Some((found.pattern().as_usize(), found.start()))
            }
            Engine::Automaton(automaton) => {
                let found = automaton.find(aho_corasick::Input::new(bytes).range(from..))?;
                Some((found.pattern().as_usize(), found.start()))
            }
            Engine::Nothing => None,
        }
    }
}

/// How many bytes of a literal's start only repeat themselves, as single bytes or as pairs.
///
/// Rulers of dashes are everywhere, in text of one and of two bytes; what follows the dashes is rare.
fn leading_run(literal: &[u8]) -> usize {
    let run = |period: usize| {
        let later = literal.get(period..).unwrap_or_default();
        let same = literal.iter().zip(later).take_while(|(a, b)| a == b);
        same.count() / period * period
    };
    let longest = run(1).max(run(2));
    longest.min(literal.len().saturating_sub(PREFIX))
}

/// Puts the signatures together that begin alike behind their leading run. In a group, what starts first comes first.
fn in_groups(signatures: Vec<Signature>) -> Vec<Vec<Anchored>> {
    let mut anchored: Vec<Anchored> = signatures.into_iter().map(Anchored::new).collect();
    anchored.sort_by_key(Anchored::tail);
    let alike = |a: &Anchored, b: &Anchored| a.tail().get(..PREFIX) == b.tail().get(..PREFIX);
    let mut groups: Vec<Vec<Anchored>> = anchored.chunk_by(alike).map(<[_]>::to_vec).collect();
    for group in &mut groups {
        group.sort_by_key(|anchored| std::cmp::Reverse(anchored.skip));
    }
    groups
}

/// What all of a group begin with.
fn common_beginning(group: &[Anchored]) -> &'static [u8] {
    let mut tails = group.iter().map(Anchored::tail);
    let first = tails.next().unwrap_or_default();
    tails.fold(first, |common, tail| {
        let same = common.iter().zip(tail).take_while(|(a, b)| a == b);
        common.get(..same.count()).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packed_searcher_takes_every_signature() {
        let detector = Detector::new(formats::ALL);
        assert!(!detector.groups.is_empty());
        // It takes no more.
        assert!(detector.groups.len() <= 64);
        if cfg!(target_arch = "x86_64") {
            assert!(matches!(detector.engine, Engine::Packed(_)));
        }
    }

    #[test]
    fn every_signature_is_found_wherever_it_stands() {
        let detector = Detector::new(formats::ALL);
        for format in formats::ALL {
            let signatures = format.signatures().iter();
            for signature in signatures.filter(|s| s.place == Place::Anywhere) {
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

    /// Every hit in turn, each search from behind the start of the one before.
    fn all(detector: &Detector, bytes: &[u8]) -> Vec<Hit> {
        let mut hits = Vec::new();
        while let Some(hit) = detector.find(bytes, hits.last().map_or(0, |hit: &Hit| hit.at + 1)) {
            hits.push(hit);
        }
        hits
    }

    #[test]
    fn it_finds_what_a_comparison_at_every_place_finds() {
        let detector = Detector::new(formats::ALL);
        let literals: Vec<Signature> = formats::ALL
            .iter()
            .flat_map(|format| format.signatures().iter().copied())
            .filter(|signature| signature.place == Place::Anywhere)
            .collect();
        // Literals whole and cut, one after the other, with rulers of dashes before them.
        let mut bytes = Vec::new();
        for (number, first) in literals.iter().enumerate() {
            for second in &literals {
                let cut = first.literal.len() - number % 3;
                bytes.extend_from_slice(&first.literal[..cut]);
                bytes.extend_from_slice(&b"-----------"[..number % 11]);
                bytes.extend_from_slice(second.literal);
            }
        }
        let naive: Vec<usize> = (0..bytes.len())
            .filter(|at| literals.iter().any(|s| bytes[*at..].starts_with(s.literal)))
            .collect();
        let found: Vec<usize> = all(&detector, &bytes).iter().map(|hit| hit.at).collect();
        assert_eq!(found, naive);
    }

    #[test]
    fn a_magic_number_counts_at_its_place_alone() {
        let detector = Detector::of(vec![
            Signature::at_start(0, b"\xfe\xed", Clue::DerRun),
            Signature::at_start(2, b"mark", Clue::PemArmour),
            Signature::at_start(0, b"\xfe\xed", Clue::DerRun),
            Signature::anywhere(b"mark", Clue::SshLine),
        ]);
        let starts = |bytes: &[u8]| detector.starts(bytes).collect::<Vec<_>>();
        let hit = |at, clue| Hit { at, clue };
        assert_eq!(starts(b"\xfe\xed"), [hit(0, Clue::DerRun)]);
        let both = [hit(0, Clue::PemArmour), hit(0, Clue::DerRun)];
        assert_eq!(starts(b"\xfe\xedmark"), both);
        for other in [
            &b""[..],
            b"\xfe",
            b".\xfe\xed",
            b"mark",
            b"..mar",
            b"...mark",
        ] {
            assert_eq!(starts(other), [], "{other:?}");
        }
        // Searched is what may stand anywhere, and nothing else.
        let found = all(&detector, b"\xfe\xedmark\xfe\xed..mark");
        assert_eq!(found, [hit(2, Clue::SshLine), hit(10, Clue::SshLine)]);
        assert_eq!(detector.longest(), 4);
    }

    #[test]
    fn magic_numbers_lie_within_the_first_window() {
        for format in formats::ALL {
            for signature in format.signatures() {
                if let Place::Start(offset) = signature.place {
                    let end = offset + signature.literal.len();
                    assert!(end <= 64 << 10, "{}", format.name());
                    assert!(!signature.literal.is_empty(), "{}", format.name());
                }
            }
        }
    }

    #[test]
    fn a_run_of_dashes_is_no_beginning() {
        assert_eq!(leading_run(b"-----BEGIN "), 4);
        assert_eq!(leading_run(b"-\0-\0-\0B\0E\0"), 4);
        assert_eq!(leading_run(b"\0-\0-\0-\0B\0E"), 4);
        assert_eq!(leading_run(b"\x02\x01\x00\x30"), 0);
        assert_eq!(leading_run(b"aaaaa"), 1);
    }
}
