//! What commits, trees and tags say (git-mktree(1), git-commit-tree(1), git-mktag(1)).

use super::ObjectId;

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A commit.
    Commit,
    /// A directory.
    Tree,
    /// The content of a file.
    Blob,
    /// An annotated tag.
    Tag,
}

impl Kind {
    /// The word in an object's header.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
            Self::Tag => "tag",
        }
    }

    /// By the word in an object's header.
    pub(super) fn from_word(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"commit" => Self::Commit,
            b"tree" => Self::Tree,
            b"blob" => Self::Blob,
            b"tag" => Self::Tag,
            _ => return None,
        })
    }
}

/// Who wrote a commit or tag, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Name and address as they stand there.
    pub who: Vec<u8>,
    /// Seconds since 1970.
    pub time: i64,
}

/// What a commit says of its place in history.
pub(super) struct Links {
    pub(super) tree: ObjectId,
    pub(super) parents: Vec<ObjectId>,
    /// The committer's date, seconds since 1970; 0 if it cannot be read.
    pub(super) date: i64,
}

/// The lines of the header: word and rest. What continues a line is a line of its own with an empty word.
fn header(object: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    object
        .split(|byte| *byte == b'\n')
        .take_while(|line| !line.is_empty())
        .map(|line| {
            let blank = line.iter().position(|byte| *byte == b' ');
            let (word, rest) = line.split_at(blank.unwrap_or(line.len()));
            (word, rest.get(1..).unwrap_or_default())
        })
}

/// More parents than this a commit has not: the largest merge that is known has 66.
const PARENTS_MAX: usize = 1024;

pub(super) fn links(commit: &[u8]) -> Option<Links> {
    let mut tree = None;
    let mut parents = Vec::new();
    let mut date = None;
    for (word, rest) in header(commit) {
        match word {
            b"tree" if tree.is_none() => tree = ObjectId::from_hex(rest),
            b"parent" if parents.len() < PARENTS_MAX => parents.extend(ObjectId::from_hex(rest)),
            b"committer" if date.is_none() => date = Some(person(rest).time),
            _ => {}
        }
    }
    Some(Links {
        tree: tree?,
        parents,
        date: date.unwrap_or(0),
    })
}

/// The author of a commit, or who made a tag.
pub fn author(object: &[u8]) -> Option<Person> {
    header(object)
        .find(|(word, _)| matches!(*word, b"author" | b"tagger"))
        .map(|(_, rest)| person(rest))
}

/// The object that a tag names.
pub fn tagged(tag: &[u8]) -> Option<ObjectId> {
    let (_, rest) = header(tag).find(|(word, _)| *word == b"object")?;
    ObjectId::from_hex(rest)
}

/// `Name <address> seconds zone`.
fn person(line: &[u8]) -> Person {
    let end = memchr::memrchr(b'>', line).map_or(0, |at| at + 1);
    let (who, rest) = line.split_at(end);
    let seconds = rest
        .split(|byte| *byte == b' ')
        .find(|word| !word.is_empty());
    let time = seconds.and_then(|word| std::str::from_utf8(word).ok()?.parse().ok());
    Person {
        who: who.to_vec(),
        time: time.unwrap_or(0),
    }
}

/// What an entry of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    Tree,
    /// A file, or the target of a link.
    Blob,
}

/// The entries of a tree: mode in octal digits, a blank, the name, a zero byte, the object's name. Commits of other
/// repositories (submodules) are left out, and all from the first damage on.
pub(super) fn entries(
    tree: &[u8],
    id_size: usize,
) -> impl Iterator<Item = (EntryKind, &[u8], ObjectId)> {
    let mut rest = tree;
    std::iter::from_fn(move || {
        loop {
            let blank = memchr::memchr(b' ', rest).filter(|at| *at <= 7)?;
            let zero = memchr::memchr(0, rest)?;
            let mode = rest.get(..blank)?;
            let name = rest.get(blank + 1..zero)?;
            let id = rest.get(zero + 1..)?.get(..id_size)?;
            rest = rest.get(zero + 1 + id_size..)?;
            let kind = match mode {
                b"40000" | b"040000" => EntryKind::Tree,
                b"160000" => continue,
                _ => EntryKind::Blob,
            };
            return Some((kind, name, ObjectId::new(id)?));
        }
    })
}
