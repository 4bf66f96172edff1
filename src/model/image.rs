//! A container image, of which the layer that holds a sighting is part.

use serde::{Deserialize, Serialize};

/// A container image, as one of its layers, or its configuration, was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Image {
    /// What became of the file in it, if a later layer removes it; absent where it is still there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<Removed>,
    /// The digest of the layer that removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_by: Option<String>,
    /// Its references, as an index, a registry's tags or `docker save` tell them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// The digest by which its manifest is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The digest by which its configuration is stored: docker's image ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Operating system and architecture, as `linux/amd64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
}

/// How a later layer removes a file (OCI image specification, "Image Layer Filesystem Changeset").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Removed {
    /// By a whiteout of it or of a directory above, or by something else in place of such a directory.
    Deleted,
    /// By an entry of the same path.
    Replaced,
}

impl Removed {
    /// The word used in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Replaced => "replaced",
        }
    }
}
