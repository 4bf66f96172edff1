//! `sshd_config` (sshd_config(5)) as sshd reads it: of a keyword the first value counts, blocks of `Match` before
//! what stands outside, `Include` in its place. It is read as data of the host; nothing of it is obeyed.

use super::super::rooted::Rooted;
use super::pattern::{in_list, names};

/// The places where distributions keep it; of these the first that is there.
const PLACES: [&[u8]; 2] = [b"/etc/ssh/sshd_config", b"/usr/etc/ssh/sshd_config"];
/// What relative names in `Include` are relative to.
const DIRECTORY: &[u8] = b"/etc/ssh/";
/// The greatest file that is read, in bytes.
const FILE_LIMIT: u64 = 1 << 20;
/// sshd's own limit of files in one another.
const DEPTH_LIMIT: usize = 16;
/// Files that are read in all.
const FILES_LIMIT: usize = 256;
/// Lines that are kept in all.
const LINES_LIMIT: usize = 20_000;
/// Names of a directory that a pattern of `Include` is held against.
const NAMES_LIMIT: usize = 10_000;

/// The lines that matter here: `Match` and `Include` have been worked in.
#[derive(Debug, Default)]
pub(super) struct Config {
    /// Its path, if there is one.
    pub(super) path: Option<Vec<u8>>,
    lines: Vec<Line>,
    blocks: Vec<Block>,
    files: usize,
    /// A limit cut it off.
    pub(super) cut_off: bool,
}

#[derive(Debug)]
struct Line {
    /// Lower case.
    keyword: Vec<u8>,
    arguments: Vec<Vec<u8>>,
    /// The block of `Match` that it stands in.
    block: Option<usize>,
}

/// The criteria of a `Match`, and the block around it where a file is included in one.
#[derive(Debug)]
struct Block {
    criteria: Vec<(Vec<u8>, Vec<u8>)>,
    outer: Option<usize>,
}

/// Whether something holds for an account; of a connection nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Holds {
    No,
    Perhaps,
    Yes,
}

/// An account as `Match` asks about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Who<'a> {
    pub(super) name: &'a [u8],
    pub(super) groups: &'a [&'a str],
}

impl Config {
    /// Reads the configuration beneath the host's root; without one there are no lines.
    pub(super) fn load(rooted: &Rooted) -> Self {
        let mut config = Self::default();
        let found = PLACES
            .iter()
            .find_map(|place| Some((place, rooted.read(place, FILE_LIMIT)?)));
        if let Some((place, content)) = found {
            config.path = Some(place.to_vec());
            config.take(rooted, &content, None, 0);
        }
        config
    }

    fn take(&mut self, rooted: &Rooted, content: &[u8], outer: Option<usize>, depth: usize) {
        self.files += 1;
        let mut block = outer;
        for text in content.split(|b| *b == b'\n') {
            let Some((keyword, arguments)) = words(text) else {
                continue;
            };
            match keyword.as_slice() {
                b"match" => {
                    self.blocks.push(Block {
                        criteria: criteria(arguments),
                        outer,
                    });
                    block = self.blocks.len().checked_sub(1);
                }
                b"include" => {
                    for pattern in &arguments {
                        self.include(rooted, pattern, block, depth + 1);
                    }
                }
                _ if self.lines.len() >= LINES_LIMIT => self.cut_off = true,
                _ => self.lines.push(Line {
                    keyword,
                    arguments,
                    block,
                }),
            }
        }
    }

    fn include(&mut self, rooted: &Rooted, pattern: &[u8], block: Option<usize>, depth: usize) {
        let whole = if pattern.starts_with(b"/") {
            pattern.to_vec()
        } else {
            [DIRECTORY, pattern].concat()
        };
        for path in self.expand(rooted, &whole) {
            if depth > DEPTH_LIMIT || self.files >= FILES_LIMIT {
                self.cut_off = true;
                return;
            }
            // A file that is too large, or not there, is nothing that could be told of.
            match rooted.read(&path, FILE_LIMIT) {
                Some(content) => self.take(rooted, &content, block, depth),
                None => self.cut_off |= rooted.exists(&path),
            }
        }
    }

    /// The files that a pattern names, sorted as glob(7) does; directories may have patterns too.
    fn expand(&mut self, rooted: &Rooted, pattern: &[u8]) -> Vec<Vec<u8>> {
        let mut found: Vec<Vec<u8>> = vec![Vec::new()];
        for part in pattern.split(|b| *b == b'/').filter(|p| !p.is_empty()) {
            let join = |at: &Vec<u8>, name: &[u8]| [at.as_slice(), b"/", name].concat();
            if !part.iter().any(|b| matches!(b, b'*' | b'?' | b'[' | b'\\')) {
                found = found.iter().map(|at| join(at, part)).collect();
                continue;
            }
            let mut next = Vec::new();
            for at in &found {
                let all = rooted.names(at, NAMES_LIMIT);
                self.cut_off |= all.is_none() && rooted.exists(at);
                let all = all.unwrap_or_default();
                let fits = |name: &[u8]| {
                    names(part, name) && (part.starts_with(b".") || !name.starts_with(b"."))
                };
                next.extend(all.iter().filter(|n| fits(&n.0)).map(|n| join(at, &n.0)));
                if next.len() > FILES_LIMIT {
                    self.cut_off = true;
                    next.truncate(FILES_LIMIT);
                }
            }
            found = next;
        }
        found.sort();
        found
    }

    /// For each block whether it applies to an account.
    pub(super) fn applies(&self, who: Who<'_>) -> Applies {
        let mut all: Vec<Holds> = Vec::with_capacity(self.blocks.len());
        for block in &self.blocks {
            let own = block
                .criteria
                .iter()
                .map(|(name, value)| holds(name, value, who));
            let outer = block.outer.and_then(|o| all.get(o).copied());
            all.push(own.chain(outer).min().unwrap_or(Holds::Yes));
        }
        Applies(all)
    }

    /// The values that a keyword may have: those of blocks that perhaps apply, and the first that surely holds. The
    /// default is not among them.
    pub(super) fn values(&self, keyword: &str, applies: &Applies) -> (Vec<&[Vec<u8>]>, Sure) {
        let mut found = Vec::new();
        let of = |line: &&Line| line.keyword == keyword.as_bytes() && !line.arguments.is_empty();
        for line in self.lines.iter().filter(of) {
            match applies.of(line.block) {
                Some(Holds::Yes) => {
                    found.push(line.arguments.as_slice());
                    return (found, Sure::Yes);
                }
                Some(Holds::Perhaps) => found.push(line.arguments.as_slice()),
                Some(Holds::No) | None => {}
            }
        }
        let global = self.lines.iter().filter(of).find(|l| l.block.is_none());
        found.extend(global.map(|l| l.arguments.as_slice()));
        let sure = if global.is_some() {
            Sure::Yes
        } else {
            Sure::No
        };
        (found, sure)
    }

    /// All arguments of a keyword whose lines add up; none if a block that perhaps applies has some too.
    pub(super) fn added(&self, keyword: &str, applies: &Applies) -> Option<Vec<&[u8]>> {
        let of = |line: &&Line| line.keyword == keyword.as_bytes();
        let blocks = |wanted: Holds| {
            self.lines
                .iter()
                .filter(of)
                .filter(move |l| applies.of(l.block) == Some(wanted))
        };
        if blocks(Holds::Perhaps).next().is_some() {
            return None;
        }
        let inside = joined(blocks(Holds::Yes));
        if !inside.is_empty() {
            return Some(inside);
        }
        let outside = self.lines.iter().filter(of).filter(|l| l.block.is_none());
        Some(joined(outside))
    }

    /// The first value of a keyword anywhere, for what is told of the host as a whole.
    pub(super) fn anywhere(&self, keyword: &str) -> impl Iterator<Item = &[u8]> {
        let of = move |line: &&Line| line.keyword == keyword.as_bytes();
        self.lines
            .iter()
            .filter(of)
            .filter_map(|l| l.arguments.first().map(Vec::as_slice))
    }
}

fn joined<'l>(lines: impl Iterator<Item = &'l Line>) -> Vec<&'l [u8]> {
    let all = lines.flat_map(|line| line.arguments.iter().map(Vec::as_slice));
    all.filter(|a| !a.is_empty()).collect()
}

/// Whether what is returned ends with a value that surely holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sure {
    Yes,
    /// The default may hold too.
    No,
}

/// Which blocks apply to one account.
#[derive(Debug)]
pub(super) struct Applies(Vec<Holds>);

impl Applies {
    /// None outside blocks.
    fn of(&self, block: Option<usize>) -> Option<Holds> {
        self.0.get(block?).copied()
    }
}

fn holds(criterion: &[u8], value: &[u8], who: Who<'_>) -> Holds {
    let yes = |is: bool| if is { Holds::Yes } else { Holds::No };
    match criterion {
        b"all" => Holds::Yes,
        b"user" => yes(in_list(value, &[who.name])),
        b"group" => {
            let groups: Vec<&[u8]> = who.groups.iter().map(|g| g.as_bytes()).collect();
            yes(in_list(value, &groups))
        }
        b"invalid-user" => Holds::No,
        // Host, addresses, ports, routing domain: of the connection.
        _ => Holds::Perhaps,
    }
}

/// Criteria with their values: `User alice,bob Address 10.0.0.0/8`, `user=alice`.
fn criteria(arguments: Vec<Vec<u8>>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found = Vec::new();
    let mut rest = arguments.into_iter();
    while let Some(word) = rest.next() {
        if let Some(at) = word.iter().position(|b| *b == b'=') {
            let (name, value) = word.split_at(at);
            let value = value.get(1..).unwrap_or_default().to_vec();
            found.push((name.to_ascii_lowercase(), value));
            continue;
        }
        let name = word.to_ascii_lowercase();
        let value = match name.as_slice() {
            b"all" | b"invalid-user" => Vec::new(),
            _ => rest.next().unwrap_or_default(),
        };
        found.push((name, value));
    }
    found
}

/// Keyword in lower case and arguments of a line; none of an empty one or a comment.
fn words(line: &[u8]) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
    let line = line.trim_ascii();
    let end = line
        .iter()
        .position(|b| b.is_ascii_whitespace() || *b == b'=')
        .unwrap_or(line.len());
    let (keyword, rest) = line.split_at(end);
    if keyword.is_empty() || keyword.starts_with(b"#") {
        return None;
    }
    let mut rest = rest.trim_ascii_start();
    if let [b'=', after @ ..] = rest {
        rest = after;
    }
    Some((keyword.to_ascii_lowercase(), arguments(rest)))
}

/// Splits as sshd does: blanks outside quotes, a backslash before a quote, a backslash or a blank, `#` begins a comment.
pub(super) fn arguments(text: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut current: Option<Vec<u8>> = None;
    let mut quote: Option<u8> = None;
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (byte, quote) {
            (b'\\', _) => {
                let next = bytes.peek().copied();
                let hidden = matches!(next, Some(b'"' | b'\'' | b'\\'))
                    || (next == Some(b' ') && quote.is_none());
                let word = current.get_or_insert_default();
                match next.filter(|_| hidden) {
                    Some(next) => {
                        word.push(next);
                        bytes.next();
                    }
                    None => word.push(byte),
                }
            }
            (_, Some(open)) if byte == open => quote = None,
            (b'"' | b'\'', None) => {
                quote = Some(byte);
                current.get_or_insert_default();
            }
            (b'#', None) if current.is_none() => break,
            (_, None) if byte.is_ascii_whitespace() => found.extend(current.take()),
            _ => current.get_or_insert_default().push(byte),
        }
    }
    found.extend(current);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        let mut config = Config::default();
        config.take(
            &Rooted::open_root(std::path::Path::new("/nonexistent")),
            text.as_bytes(),
            None,
            0,
        );
        config
    }

    fn values(config: &Config, keyword: &str, name: &str, groups: &[&str]) -> Vec<String> {
        let who = Who {
            name: name.as_bytes(),
            groups,
        };
        let applies = config.applies(who);
        let (values, _) = config.values(keyword, &applies);
        values
            .iter()
            .map(|v| String::from_utf8(v.join(&b' ')).unwrap())
            .collect()
    }

    #[test]
    fn a_block_goes_before_what_stands_outside_and_the_first_counts() {
        let c = config(
            "AuthorizedKeysFile a b # comment\nauthorizedkeysfile = later\n\
             Match User bob,c*\n AuthorizedKeysFile \"of bob\"\n\
             Match Group wheel\n\tAuthorizedKeysFile of-wheel\nMatch all\nPermitRootLogin no\n",
        );
        let of = |name, groups: &[&str]| values(&c, "authorizedkeysfile", name, groups);
        assert_eq!(of("alice", &["users"]), ["a b"]);
        assert_eq!(of("bob", &["wheel"]), ["of bob"]);
        assert_eq!(of("carol", &[]), ["of bob"]);
        assert_eq!(of("dave", &["users", "wheel"]), ["of-wheel"]);
        assert_eq!(values(&c, "permitrootlogin", "x", &[]), ["no"]);
    }

    #[test]
    fn what_depends_on_the_connection_perhaps_holds() {
        let c = config(
            "AuthorizedKeysFile home\nMatch Address 10.0.0.0/8 User bob\nAuthorizedKeysFile inside\n",
        );
        assert_eq!(
            values(&c, "authorizedkeysfile", "bob", &[]),
            ["inside", "home"]
        );
        assert_eq!(values(&c, "authorizedkeysfile", "eve", &[]), ["home"]);
    }

    #[test]
    fn words_are_split_as_sshd_does() {
        let split = |text: &str| -> Vec<String> {
            let found = arguments(text.as_bytes());
            found
                .into_iter()
                .map(|w| String::from_utf8(w).unwrap())
                .collect()
        };
        assert_eq!(split("a  b#c #d"), ["a", "b#c"]);
        assert_eq!(
            split(r#""a b" 'c d' e\ f \"g"#),
            ["a b", "c d", "e f", "\"g"]
        );
        assert_eq!(split("\"\" x"), ["", "x"]);
        assert!(words(b"  # AuthorizedKeysFile x").is_none());
    }
}
