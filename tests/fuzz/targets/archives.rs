//! Contents that are archives, images, databases, documents: every reader of `src/archives`, and what it hands over.
//!
//! Small budgets keep each run short. Whatever the bytes, each member that is entered is left, no deeper than permitted,
//! and what is told is the same the second time.
#![no_main]

use keymuster::archives::Memory;
use keymuster::detect::Detector;
use keymuster::formats;
use keymuster::model::{Artifact, Budgets, EntryFacts, GapReason, Member};
use keymuster::parse::Parser;
use keymuster::pipeline::content::{Scanner, Sink};
use libfuzzer_sys::fuzz_target;
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;

static DETECTOR: LazyLock<Detector> = LazyLock::new(|| Detector::new(formats::ALL));
static PARSER: LazyLock<Parser> = LazyLock::new(|| Parser::new(formats::ALL));
static STOP: AtomicBool = AtomicBool::new(false);

const BUDGETS: Budgets = Budgets {
    shallow: false,
    depth: 4,
    expanded: 4 << 20,
    ratio: 200,
    ratio_from: 1 << 20,
    members: 2_000,
    // Never reached: it would not be the same twice.
    seconds: 600,
};
/// Fields of documents are members too, and stand between the others.
const DEPTH_MAX: usize = 2 * (BUDGETS.depth + 8) + 1;

/// All that is told, in order.
#[derive(Default, PartialEq, Eq)]
struct Told {
    words: Vec<String>,
    depth: usize,
}

impl Sink for Told {
    fn artifact(&mut self, artifact: Artifact, offset: u64, line: Option<u64>) {
        let kind = artifact.kind.as_str();
        let told = format!("{kind} {} {offset} {line:?}", artifact.format);
        self.words.push(told);
    }

    fn fault(&mut self, reason: GapReason, offset: u64, detail: String) {
        self.words
            .push(format!("{} {offset} {detail}", reason.as_str()));
    }

    fn enter(&mut self, member: Member, _: Option<Arc<EntryFacts>>) {
        self.depth += 1;
        assert!(self.depth <= DEPTH_MAX);
        let name = member.exact_name();
        self.words.push(format!(
            "enter {} {:?} {}",
            member.container,
            member.offset,
            name.escape_ascii()
        ));
    }

    fn leave(&mut self) {
        self.depth = self.depth.checked_sub(1).expect("a member was entered");
        self.words.push("leave".to_owned());
    }
}

fn search(bytes: &[u8]) -> Told {
    let mut told = Told::default();
    let mut read = 0;
    let done = Scanner::new(&DETECTOR, &PARSER, &STOP)
        .with_budgets(BUDGETS)
        .scan(&Memory(bytes), b"x", &mut told, &mut read);
    done.expect("memory can be read");
    assert_eq!(told.depth, 0);
    assert!(read <= bytes.len() as u64);
    told
}

fuzz_target!(|data: &[u8]| {
    let first = search(data);
    assert!(first == search(data), "not the same twice");
});
