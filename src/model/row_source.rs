//! Where a row of an export stands.

use super::text::Text;
use arcstr::ArcStr;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;

/// File name and line or index of a row, written as `inventory.csv:18`. The name is shared by all rows of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct RowSource {
    /// File name (last component) by which rows are cited.
    pub file: ArcStr,
    /// Line or index, from 1; 0 where there is none.
    pub at: u64,
}

impl Ord for RowSource {
    fn cmp(&self, other: &Self) -> Ordering {
        // Mostly both are rows of one file.
        let by_file = match ArcStr::ptr_eq(&self.file, &other.file) {
            true => Ordering::Equal,
            false => self.file.cmp(&other.file),
        };
        by_file.then_with(|| self.at.cmp(&other.at))
    }
}

impl PartialOrd for RowSource {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<&str> for RowSource {
    fn from(text: &str) -> Self {
        let parts = text
            .rsplit_once(':')
            .filter(|(_, at)| !at.starts_with(['0', '+']))
            .and_then(|(file, at)| Some((file, at.parse().ok()?)));
        let (file, at) = parts.unwrap_or((text, 0));
        Self {
            file: file.into(),
            at,
        }
    }
}

impl fmt::Display for RowSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.at > 0 {
            write!(f, ":{}", self.at)?;
        }
        Ok(())
    }
}

impl Serialize for RowSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text: Text<128> = Text::new();
        text.push(self.file.as_bytes());
        if self.at > 0 {
            text.push(b":");
            text.push_number(self.at);
        }
        match text.as_str() {
            Some(text) => serializer.serialize_str(text),
            None => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for RowSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(Self::from(text.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_kept_whatever_it_is() {
        for (text, file, at) in [
            ("inventory.csv:18", "inventory.csv", 18),
            ("a:b:1", "a:b", 1),
            ("inventory.csv", "inventory.csv", 0),
            ("inventory.csv:0", "inventory.csv:0", 0),
            ("inventory.csv:+1", "inventory.csv:+1", 0),
            ("postgres://db/keys", "postgres://db/keys", 0),
            ("", "", 0),
        ] {
            let source = RowSource::from(text);
            assert_eq!((&*source.file, source.at), (file, at));
            assert_eq!(source.to_string(), text);
            let json = serde_json::to_string(&source).unwrap();
            assert_eq!(serde_json::from_str::<RowSource>(&json).unwrap(), source);
        }
    }
}
