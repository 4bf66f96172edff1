//! Numbers of sightings, keys, certificates and rows: an estate has millions of short lists of them.

/// No number.
pub(super) const NONE: u32 = u32::MAX;

/// A number as it is kept. What is counted takes hundreds of bytes each, so that memory ends long before these numbers do.
pub(super) fn short(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(NONE)
}

/// A number that was kept, if it is one.
pub(super) fn long(number: u32) -> Option<usize> {
    (number != NONE).then_some(number as usize)
}

/// A list that mostly has one number or two; these stand in it without memory of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Few {
    /// Two at most: [`NONE`] where there is none.
    Inline([u32; 2]),
    /// Three or more.
    Many(Box<[u32]>),
}

impl Default for Few {
    fn default() -> Self {
        Self::Inline([NONE; 2])
    }
}

impl From<&[u32]> for Few {
    fn from(numbers: &[u32]) -> Self {
        match *numbers {
            [] => Self::default(),
            [one] => Self::Inline([one, NONE]),
            [one, two] => Self::Inline([one, two]),
            _ => Self::Many(numbers.into()),
        }
    }
}

impl Few {
    /// Numbers in order, each once.
    pub(super) fn sorted(numbers: impl Iterator<Item = u32> + Clone) -> Self {
        let mut rest = numbers.clone();
        let mut two = || rest.next().unwrap_or(NONE);
        match (two(), two(), two()) {
            (one, two, NONE) if one < two => Self::Inline([one, two]),
            (one, two, NONE) if one == two => Self::Inline([one, NONE]),
            _ => {
                let mut all: Vec<u32> = numbers.collect();
                all.sort_unstable();
                all.dedup();
                Self::from(all.as_slice())
            }
        }
    }

    /// All, as they are kept.
    pub(super) fn as_slice(&self) -> &[u32] {
        match self {
            Self::Inline([NONE, _]) => &[],
            Self::Inline([one, NONE]) => std::slice::from_ref(one),
            Self::Inline(both) => both,
            Self::Many(all) => all,
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }

    /// All, in order.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = usize> + Clone + use<'_> {
        self.as_slice().iter().map(|&number| number as usize)
    }

    /// Whether a number is in a list that is sorted.
    pub(super) fn contains(&self, number: usize) -> bool {
        self.as_slice().binary_search(&short(number)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_every_length() {
        for length in 0..5u32 {
            let numbers: Vec<u32> = (0..length).map(|n| 7 * n).collect();
            let few = Few::from(numbers.as_slice());
            assert_eq!(few.len(), numbers.len());
            assert_eq!(few.is_empty(), numbers.is_empty());
            assert!(few.iter().eq(numbers.iter().map(|&n| n as usize)));
            assert!(few.iter().all(|n| few.contains(n)) && !few.contains(3));
        }
    }
}
