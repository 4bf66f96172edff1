//! The client's side of Assuan (GnuPG's "Developing with Assuan", chapter 2): a command a line, answered by lines.

use super::Problem;
use std::io::{BufRead as _, BufReader, Read, Write};

/// The protocol has lines of 1000 bytes; a longer one is none of it.
const LINE_MAX: u64 = 1002;
/// What one agent may say in all.
const TOTAL_MAX: usize = 4 << 20;

/// What a command was answered with.
#[derive(Debug, Default)]
pub(super) struct Reply {
    /// The arguments of its status lines, keyword first.
    pub(super) status: Vec<String>,
    /// Its data, joined and without escapes.
    pub(super) data: Vec<u8>,
    /// Whether it was done; else the command was refused.
    pub(super) done: bool,
}

/// A conversation with a server.
pub(super) struct Client<S> {
    stream: BufReader<S>,
    said: usize,
}

impl<S: Read + Write> Client<S> {
    /// Takes the greeting.
    pub(super) fn greet(stream: S) -> Result<Self, Problem> {
        let mut client = Self {
            stream: BufReader::new(stream),
            said: 0,
        };
        match client.reply()?.done {
            true => Ok(client),
            false => Err(Problem::Foreign),
        }
    }

    /// Sends a command and takes the answer.
    pub(super) fn ask(&mut self, command: &str) -> Result<Reply, Problem> {
        let line = format!("{command}\n");
        self.stream.get_mut().write_all(line.as_bytes())?;
        self.reply()
    }

    fn reply(&mut self) -> Result<Reply, Problem> {
        let mut reply = Reply::default();
        loop {
            let line = self.line()?;
            let (word, rest) = match memchr::memchr(b' ', &line) {
                Some(at) => (
                    line.get(..at).unwrap_or_default(),
                    line.get(at + 1..).unwrap_or_default(),
                ),
                None => (line.as_slice(), &[][..]),
            };
            match word {
                b"OK" => {
                    reply.done = true;
                    return Ok(reply);
                }
                b"ERR" => return Ok(reply),
                b"S" => reply
                    .status
                    .push(String::from_utf8_lossy(rest).into_owned()),
                b"D" => unescape(rest, &mut reply.data).ok_or(Problem::Foreign)?,
                word if word.starts_with(b"#") => {}
                // Among them INQUIRE: there is nothing that it would be told.
                _ => return Err(Problem::Foreign),
            }
        }
    }

    /// One line without its end.
    fn line(&mut self) -> Result<Vec<u8>, Problem> {
        let mut line = Vec::new();
        let read = (&mut self.stream)
            .take(LINE_MAX)
            .read_until(b'\n', &mut line)?;
        self.said += read;
        if self.said > TOTAL_MAX {
            return Err(Problem::Large);
        }
        match line.pop() {
            Some(b'\n') => Ok(line),
            // Its end came before that of the line, or the line is too long.
            _ => Err(Problem::Foreign),
        }
    }
}

/// `%25` and its like.
fn unescape(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            out.push(*first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        out.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = after;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{self, Cursor};

    /// What a server says, whatever it is asked.
    struct Said(Cursor<Vec<u8>>);

    impl Read for Said {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }

    impl Write for Said {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn asked(said: &[u8]) -> Result<Reply, Problem> {
        let greeted = [b"# hello\nOK at your service\n", said].concat();
        Client::greet(Said(Cursor::new(greeted)))?.ask("GETINFO version")
    }

    #[test]
    fn replies_are_status_lines_data_and_an_end() {
        let reply = asked(b"S KEYINFO 00 D\n# x\nD a%25%0Ab\nD c\nOK\n").unwrap();
        assert!(reply.done);
        assert_eq!(reply.status, ["KEYINFO 00 D"]);
        assert_eq!(reply.data, b"a%\nbc");
        assert!(!asked(b"ERR 1 no\n").unwrap().done);
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        for said in [
            &b""[..],
            b"OK",
            b"INQUIRE PASSPHRASE\nOK\n",
            b"HTTP/1.1 200\n",
            b"D %2\nOK\n",
            b"D %zz\nOK\n",
        ] {
            assert!(matches!(asked(said), Err(Problem::Foreign)), "{said:?}");
        }
        let long = [&b"S "[..], &b"x".repeat(2000), b"\nOK\n"].concat();
        assert!(matches!(asked(&long), Err(Problem::Foreign)));
        let endless = b"# and so on\n".repeat(1_000_000);
        assert!(matches!(asked(&endless), Err(Problem::Large)));
        let refused = Client::greet(Said(Cursor::new(b"ERR 5 go away\n".to_vec())));
        assert!(matches!(refused, Err(Problem::Foreign)));
    }
}
