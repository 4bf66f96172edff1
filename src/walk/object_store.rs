//! The object store of a git repository, as the walk met it.

/// The object store of a git repository: a directory `objects`. The walk does not open what is noted here.
#[derive(Debug, Default)]
pub struct ObjectStore {
    /// Its absolute path as the host sees it.
    pub path: Vec<u8>,
    /// The repository's own directory, `.git` or that of a bare repository; none for a store that others share.
    pub repository: Option<Vec<u8>>,
    /// Names of the packs and their indexes in its directory `pack`.
    pub packs: Vec<Vec<u8>>,
    /// The objects that have a file of their own.
    pub loose: LooseNames,
}

/// Names of objects, in few bytes each.
#[derive(Debug, Default)]
pub struct LooseNames {
    /// Pairs of hexadecimal digits, one name behind the other.
    short: Vec<[u8; 20]>,
    long: Vec<[u8; 32]>,
}

impl LooseNames {
    /// Takes in a name of 40 or 64 lower-case hexadecimal digits.
    pub(super) fn push(&mut self, hex: &[u8]) {
        if let Some(name) = unhex(hex) {
            self.short.push(name);
        } else if let Some(name) = unhex(hex) {
            self.long.push(name);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.short.len().saturating_add(self.long.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of each name.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let short = self.short.iter().map(|name| &name[..]);
        short.chain(self.long.iter().map(|name| &name[..]))
    }
}

fn unhex<const N: usize>(hex: &[u8]) -> Option<[u8; N]> {
    let mut name = [0; N];
    let pairs = hex.chunks_exact(2);
    if pairs.len() != N || !pairs.remainder().is_empty() {
        return None;
    }
    for (byte, pair) in name.iter_mut().zip(pairs) {
        let [high, low] = pair else { return None };
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(name)
}

const fn digit(hex: u8) -> Option<u8> {
    match hex {
        b'0'..=b'9' => Some(hex.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(hex.wrapping_sub(b'a').wrapping_add(10)),
        _ => None,
    }
}
