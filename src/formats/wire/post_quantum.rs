//! What stands inside a PKCS#8 key of ML-KEM or ML-DSA: a seed, the expanded key, or both (RFC 9935, section 6; RFC 9881,
//! section 6), and the bare bytes that drafts and other libraries wrote.

use super::der::{self, Element};

/// Lengths of one parameter set, in bytes (FIPS 203, table 3; FIPS 204, table 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lengths {
    /// The seed that all else follows from.
    pub seed: usize,
    /// The expanded private key.
    pub expanded: usize,
    /// The public key.
    pub public: usize,
}

impl Lengths {
    /// The lengths of a parameter set of ML-KEM or ML-DSA, by its name.
    pub fn of(name: &str) -> Option<Self> {
        let (seed, expanded, public) = match name {
            "ML-KEM-512" => (64, 1632, 800),
            "ML-KEM-768" => (64, 2400, 1184),
            "ML-KEM-1024" => (64, 3168, 1568),
            "ML-DSA-44" => (32, 2560, 1312),
            "ML-DSA-65" => (32, 4032, 1952),
            "ML-DSA-87" => (32, 4896, 2592),
            _ => return None,
        };
        Some(Self {
            seed,
            expanded,
            public,
        })
    }
}

/// The private numbers of a key: at least one of both is there.
#[derive(Clone, Copy, Default)]
pub struct Numbers<'a> {
    /// The seed.
    pub seed: Option<&'a [u8]>,
    /// The expanded key.
    pub expanded: Option<&'a [u8]>,
}

impl<'a> Numbers<'a> {
    /// Takes the contents of the OCTET STRING `privateKey` apart. None if they are of no form, or of a wrong length.
    pub fn read(name: &str, key: &'a [u8]) -> Option<Self> {
        let lengths = Lengths::of(name)?;
        // Bare bytes first: of these lengths no element can be.
        if let Some(numbers) = lengths.of_bare(key) {
            return Some(numbers);
        }
        let choice = Element::read_all(key).ok()?;
        if choice.tag == der::context_primitive(0) {
            return lengths.is_seed(choice.content).map(Self::of_seed);
        }
        if choice.tag == der::OCTET_STRING {
            return lengths.of_bare(choice.content);
        }
        let mut both = choice.enter(der::SEQUENCE).ok()?;
        let seed = lengths.is_seed(both.expect(der::OCTET_STRING).ok()?.content)?;
        let expanded = both.expect(der::OCTET_STRING).ok()?.content;
        both.finish().ok()?;
        (expanded.len() == lengths.expanded).then_some(Self {
            seed: Some(seed),
            expanded: Some(expanded),
        })
    }

    const fn of_seed(seed: &'a [u8]) -> Self {
        Self {
            seed: Some(seed),
            expanded: None,
        }
    }

    /// The seed, then the expanded key, as far as they are there: the length tells which.
    pub fn bytes(&self) -> Vec<u8> {
        let part = |part: Option<&'a [u8]>| part.unwrap_or_default();
        [part(self.seed), part(self.expanded)].concat()
    }
}

impl Lengths {
    fn is_seed<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        (bytes.len() == self.seed).then_some(bytes)
    }

    /// A seed or an expanded key, which the Open Quantum Safe provider lets its public key follow.
    fn of_bare<'a>(&self, bytes: &'a [u8]) -> Option<Numbers<'a>> {
        if self.is_seed(bytes).is_some() {
            return Some(Numbers::of_seed(bytes));
        }
        let whole = [self.expanded, self.expanded + self.public].contains(&bytes.len());
        let expanded = bytes.get(..self.expanded).filter(|_| whole)?;
        Some(Numbers {
            seed: None,
            expanded: Some(expanded),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(key: &[u8]) -> Option<(Option<usize>, Option<usize>)> {
        let numbers = Numbers::read("ML-DSA-65", key)?;
        assert_eq!(
            numbers.bytes().len(),
            numbers.seed.map_or(0, <[u8]>::len) + numbers.expanded.map_or(0, <[u8]>::len)
        );
        Some((
            numbers.seed.map(<[u8]>::len),
            numbers.expanded.map(<[u8]>::len),
        ))
    }

    #[test]
    fn every_form_of_the_choice() {
        let octets = |length: usize| der::encode(der::OCTET_STRING, &[&vec![7; length]]);
        let seed = der::encode(der::context_primitive(0), &[&[7; 32]]);
        assert_eq!(told(&seed), Some((Some(32), None)));
        assert_eq!(told(&[7; 32]), Some((Some(32), None)));
        assert_eq!(told(&octets(4032)), Some((None, Some(4032))));
        assert_eq!(told(&vec![7; 4032]), Some((None, Some(4032))));
        assert_eq!(told(&octets(4032 + 1952)), Some((None, Some(4032))));
        let both = der::encode(der::SEQUENCE, &[&octets(32), &octets(4032)]);
        assert_eq!(told(&both), Some((Some(32), Some(4032))));
        for bad in [
            octets(4031),
            vec![7; 31],
            der::encode(der::context_primitive(0), &[&[7; 64]]),
            der::encode(der::SEQUENCE, &[&octets(32), &octets(4033)]),
            der::encode(der::SEQUENCE, &[&octets(32), &octets(4032), &octets(1)]),
            Vec::new(),
        ] {
            assert_eq!(told(&bad), None);
        }
        assert!(Numbers::read("SLH-DSA-SHA2-128s", &[7; 64]).is_none());
    }
}
