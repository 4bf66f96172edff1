//! S-expressions as libgcrypt writes them: canonical (`3:rsa`) and advanced (`rsa`, `#00ab#`, `"text"`, `|base64|`).
//!
//! Atoms are slices of the text and decoded only where somebody asks, so that private numbers are never copied.

use std::borrow::Cow;

/// How deep lists may nest.
const DEPTH_MAX: usize = 16;
/// How many lists and atoms one expression may have.
const NODES_MAX: usize = 4096;

/// A list or an atom.
#[derive(Debug)]
pub enum Node<'a> {
    /// A list.
    List(Vec<Node<'a>>),
    /// An atom.
    Atom(Atom<'a>),
}

/// An atom as it is written.
#[derive(Clone, Copy)]
pub enum Atom<'a> {
    /// Its bytes.
    Plain(&'a [u8]),
    /// Hexadecimal digits, with blanks among them.
    Hex(&'a [u8]),
}

impl std::fmt::Debug for Atom<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // It may be private.
        f.write_str("Atom")
    }
}

/// Why it is no S-expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SexpError {
    /// It ends before its lists do.
    #[error("its lists are not closed")]
    Open,
    /// Something else stands there.
    #[error("it is no S-expression")]
    Malformed,
    /// Deeper, or of more parts, than any key.
    #[error("it nests deeper than {DEPTH_MAX} or has more than {NODES_MAX} parts")]
    Large,
}

/// Reads one list at the start of `text`; gives it and its length.
pub fn read(text: &[u8]) -> Result<(Node<'_>, usize), SexpError> {
    let mut reader = Reader { text, at: 0 };
    let mut open: Vec<Vec<Node<'_>>> = Vec::new();
    let mut nodes = 0;
    loop {
        nodes += 1;
        if nodes > NODES_MAX || open.len() > DEPTH_MAX {
            return Err(SexpError::Large);
        }
        let atom = match reader.token()? {
            Token::Open => {
                open.push(Vec::new());
                continue;
            }
            Token::Close => {
                let Some(list) = open.pop() else {
                    return Err(SexpError::Malformed);
                };
                match open.last_mut() {
                    Some(outer) => outer.push(Node::List(list)),
                    None => return Ok((Node::List(list), reader.at)),
                }
                continue;
            }
            Token::Atom(atom) => atom,
        };
        match open.last_mut() {
            Some(list) => list.push(Node::Atom(atom)),
            None => return Err(SexpError::Malformed),
        }
    }
}

enum Token<'a> {
    Open,
    Close,
    Atom(Atom<'a>),
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn token(&mut self) -> Result<Token<'a>, SexpError> {
        let blanks = self
            .rest()
            .iter()
            .take_while(|b| b.is_ascii_whitespace())
            .count();
        self.at += blanks;
        let rest = self.rest();
        let Some(first) = rest.first() else {
            return Err(SexpError::Open);
        };
        match first {
            b'(' => {
                self.at += 1;
                Ok(Token::Open)
            }
            b')' => {
                self.at += 1;
                Ok(Token::Close)
            }
            b'#' => self
                .delimited(b'#')
                .map(|digits| Token::Atom(Atom::Hex(digits))),
            b'"' => self.quoted().map(|text| Token::Atom(Atom::Plain(text))),
            b'|' => self
                .delimited(b'|')
                .map(|text| Token::Atom(Atom::Plain(text))),
            b'0'..=b'9' => self.counted(),
            b if is_word(*b) => {
                let length = rest.iter().take_while(|b| is_word(**b)).count();
                self.at += length;
                Ok(Token::Atom(Atom::Plain(
                    rest.get(..length).unwrap_or_default(),
                )))
            }
            _ => Err(SexpError::Malformed),
        }
    }

    /// What stands between two of these signs.
    fn delimited(&mut self, sign: u8) -> Result<&'a [u8], SexpError> {
        let inner = self.rest().get(1..).unwrap_or_default();
        let length = memchr::memchr(sign, inner).ok_or(SexpError::Open)?;
        self.at += length + 2;
        Ok(inner.get(..length).unwrap_or_default())
    }

    /// A quoted text; its escapes stay as they are.
    fn quoted(&mut self) -> Result<&'a [u8], SexpError> {
        let inner = self.rest().get(1..).unwrap_or_default();
        let mut escaped = false;
        let length = inner
            .iter()
            .position(|b| {
                let ends = *b == b'"' && !escaped;
                escaped = *b == b'\\' && !escaped;
                ends
            })
            .ok_or(SexpError::Open)?;
        self.at += length + 2;
        Ok(inner.get(..length).unwrap_or_default())
    }

    /// `3:rsa`; digits without a colon are a word.
    fn counted(&mut self) -> Result<Token<'a>, SexpError> {
        let rest = self.rest();
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        if rest.get(digits) != Some(&b':') {
            let length = rest.iter().take_while(|b| is_word(**b)).count();
            self.at += length;
            return Ok(Token::Atom(Atom::Plain(
                rest.get(..length).unwrap_or_default(),
            )));
        }
        let length = rest
            .get(..digits)
            .filter(|digits| digits.len() <= 7)
            .and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<usize>().ok())
            .ok_or(SexpError::Malformed)?;
        let start = digits + 1;
        let bytes = rest.get(start..start + length).ok_or(SexpError::Open)?;
        self.at += start + length;
        Ok(Token::Atom(Atom::Plain(bytes)))
    }
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.' | b'/' | b'_' | b':' | b'*' | b'+' | b'=' | b'@'
        )
}

impl<'a> Node<'a> {
    /// The members of a list; none of an atom.
    pub fn members(&self) -> &[Node<'a>] {
        match self {
            Self::List(members) => members,
            Self::Atom(_) => &[],
        }
    }

    /// The word that a list begins with.
    pub fn name(&self) -> Option<&'a [u8]> {
        self.members().first()?.plain()
    }

    /// The bytes of an atom that is not written in hexadecimal.
    pub const fn plain(&self) -> Option<&'a [u8]> {
        match self {
            Self::Atom(Atom::Plain(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// The bytes of a public atom.
    pub fn bytes(&self) -> Option<Cow<'a, [u8]>> {
        match self {
            Self::Atom(Atom::Plain(bytes)) => Some(Cow::Borrowed(bytes)),
            Self::Atom(Atom::Hex(digits)) => unhex(digits).map(Cow::Owned),
            Self::List(_) => None,
        }
    }

    /// The list of this name among the members.
    pub fn list(&self, name: &str) -> Option<&Node<'a>> {
        self.members()
            .iter()
            .find(|member| member.name() == Some(name.as_bytes()))
    }

    /// The value behind this name: `(name value)`.
    pub fn value(&self, name: &str) -> Option<&Node<'a>> {
        self.list(name)?.members().get(1)
    }
}

fn unhex(digits: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = digits
        .iter()
        .copied()
        .filter(|b| !b.is_ascii_whitespace())
        .collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.len().is_multiple_of(2).then_some(())?;
    digits.chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        for text in [
            &b"(3:rsa(1:n3:\x00\xabc)(5:curve7:Ed25519))tail"[..],
            b"(rsa (n #00 AB\n 63#) (curve \"Ed25519\"))\ntail",
            b" ( rsa(n#00ab63#)(curve Ed25519))",
        ] {
            let (node, length) = read(text).unwrap();
            assert_eq!(node.name(), Some(&b"rsa"[..]));
            assert_eq!(
                node.value("n").unwrap().bytes().unwrap().as_ref(),
                b"\x00\xab\x63"
            );
            assert_eq!(node.value("curve").unwrap().plain(), Some(&b"Ed25519"[..]));
            assert_eq!(&text[length - 1..length], b")");
        }
    }

    #[test]
    fn hostile_ones_are_refused() {
        let error = |text: &[u8]| read(text).map(|_| ()).unwrap_err();
        assert_eq!(error(&b"(".repeat(1_000_000)), SexpError::Large);
        assert_eq!(
            error(&[&b"("[..], &b"()".repeat(1_000_000)].concat()),
            SexpError::Large
        );
        assert_eq!(error(b"(9999999:x)"), SexpError::Open);
        assert_eq!(error(b"(99999999999999999999:x)"), SexpError::Malformed);
        assert_eq!(error(b"(a"), SexpError::Open);
        assert_eq!(error(b"(a #00"), SexpError::Open);
        assert_eq!(error(b"(a \"b\\\")"), SexpError::Open);
        assert_eq!(error(b")"), SexpError::Malformed);
        assert_eq!(error(b"word"), SexpError::Malformed);
        assert_eq!(error(b"(a \x01)"), SexpError::Malformed);
    }

    #[test]
    fn nothing_of_it_is_shown() {
        let (node, _) = read(b"(d #0badcafe#)").unwrap();
        assert!(!format!("{node:?}").contains("badcafe"));
    }
}
