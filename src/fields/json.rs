//! JSON (RFC 8259), followed from its start.

use super::text;

/// Deeper documents are not followed.
const DEPTH_MAX: usize = 64;
/// A longer name is cut.
const NAME_MAX: usize = 200;

/// Where in a document the last byte was that it was given.
#[derive(Default)]
pub(super) struct Follower {
    /// How far it is, from the document's start.
    at: u64,
    frames: Vec<Frame>,
    string: Option<Inside>,
    lost: bool,
}

/// An object or array that is open.
enum Frame {
    /// The name read last, and whether a value is expected.
    Object { name: Vec<u8>, value: bool },
    /// Index of the element.
    Array(usize),
}

/// A string that is open.
struct Inside {
    escaped: bool,
    is_name: bool,
}

impl Follower {
    /// Follows the bytes, which begin so far behind the document's start; none if some are missing.
    pub(super) fn go_on(&mut self, bytes: &[u8], start: u64) -> Option<()> {
        let from = usize::try_from(self.at.checked_sub(start)?).ok()?;
        for byte in bytes.get(from..)? {
            self.take(*byte);
            if self.lost {
                return None;
            }
        }
        self.at = start + bytes.len() as u64;
        Some(())
    }

    fn take(&mut self, byte: u8) {
        if let Some(inside) = &mut self.string {
            let ends = byte == b'"' && !inside.escaped;
            inside.escaped = byte == b'\\' && !inside.escaped;
            if ends {
                self.string = None;
            } else if inside.is_name
                && let Some(Frame::Object { name, .. }) = self.frames.last_mut()
                && name.len() < NAME_MAX
            {
                name.push(byte);
            }
            return;
        }
        match (byte, self.frames.last_mut()) {
            (b'"', Some(Frame::Object { name, value: false })) => {
                name.clear();
                self.string = Some(Inside {
                    escaped: false,
                    is_name: true,
                });
            }
            (b'"', _) => {
                self.string = Some(Inside {
                    escaped: false,
                    is_name: false,
                })
            }
            (b':', Some(Frame::Object { value, .. })) => *value = true,
            (b',', Some(Frame::Object { value, .. })) => *value = false,
            (b',', Some(Frame::Array(index))) => *index += 1,
            (b'{', _) => self.frames.push(Frame::Object {
                name: Vec::new(),
                value: false,
            }),
            (b'[', _) => self.frames.push(Frame::Array(0)),
            (b'}' | b']', _) => drop(self.frames.pop()),
            _ => {}
        }
        self.lost |= self.frames.len() > DEPTH_MAX;
    }

    /// The path of the string value in which the follower is.
    pub(super) fn path(&self) -> Option<String> {
        // Without a frame it is no JSON: a table of TOML begins like an array.
        let is_value = self.string.as_ref().is_some_and(|inside| !inside.is_name);
        if !is_value || self.frames.is_empty() {
            return None;
        }
        let mut path = String::new();
        for frame in &self.frames {
            match frame {
                Frame::Object { name, .. } => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(&text(name));
                }
                Frame::Array(index) => path.push_str(&format!("[{index}]")),
            }
        }
        Some(path)
    }
}
