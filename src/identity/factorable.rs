//! RSA keys whose private half anyone can compute from the public one.
//!
//! What one modulus shows by itself is looked at when the key is met; primes that two moduli share, over the whole sweep.

use super::public::Public;
use num_bigint::BigUint;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Moduli beyond this are not computed with: nobody has such keys, and hostile ones would cost time.
const MAX_BITS: u64 = 16_384;
/// A modulus below it can be small by accident (test data) and passes statistical tests by chance.
const MIN_BITS: u64 = 512;
/// Trial division goes up to here.
const SMALL_PRIMES_BELOW: u64 = 1_000;
/// Steps of Fermat's method. Keys with close primes (CVE-2022-26320) fall in the first few.
const FERMAT_STEPS: u32 = 24;
/// So many moduli are compared with each other at once: the work grows with the square of their number.
const COMPARED_MAX: usize = 4_096;

/// Why anyone can factor it, for the reason of a finding.
pub(super) fn reason(key: &Public<'_>) -> Option<Cow<'static, str>> {
    let Public::Rsa { n, e } = key else {
        return None;
    };
    let n = BigUint::from_bytes_be(n);
    if n.bits() < 64 || n.bits() > MAX_BITS {
        return None;
    }
    if **e == [1] {
        return Some("its exponent is 1, with which nothing is encrypted or signed".into());
    }
    if let Some(prime) = small_factor(&n) {
        return Some(format!("its modulus is divisible by {prime}").into());
    }
    if n.bits() < MIN_BITS {
        return None;
    }
    if has_roca(&n) {
        return Some(
            "its modulus has the form of CVE-2017-15361 (ROCA), by which it can be factored".into(),
        );
    }
    has_close_primes(&n)
        .then(|| "its primes lie so close together that Fermat's method finds them".into())
}

fn primes() -> &'static [u64] {
    static PRIMES: OnceLock<Vec<u64>> = OnceLock::new();
    PRIMES.get_or_init(|| {
        let is_prime = |n: &u64| {
            (2..*n)
                .take_while(|d| d * d <= *n)
                .all(|d| !n.is_multiple_of(d))
        };
        (2..SMALL_PRIMES_BELOW).filter(is_prime).collect()
    })
}

/// The remainders by all small primes: by products of several at once, since only those divide the large number.
fn remainders(n: &BigUint) -> Vec<(u64, u64)> {
    static BLOCKS: OnceLock<Vec<(u32, Vec<u64>)>> = OnceLock::new();
    let blocks = BLOCKS.get_or_init(|| {
        let mut blocks: Vec<(u32, Vec<u64>)> = Vec::new();
        for &prime in primes() {
            let factor = u32::try_from(prime).unwrap_or(u32::MAX);
            match blocks
                .last_mut()
                .map(|(product, list)| (product.checked_mul(factor), product, list))
            {
                Some((Some(next), product, list)) => {
                    *product = next;
                    list.push(prime);
                }
                _ => blocks.push((factor, vec![prime])),
            }
        }
        blocks
    });
    let mut out = Vec::with_capacity(primes().len());
    for (product, list) in blocks {
        let rest = n % *product;
        let rest = rest.iter_u64_digits().next().unwrap_or(0);
        out.extend(list.iter().map(|prime| (*prime, rest % prime)));
    }
    out
}

fn small_factor(n: &BigUint) -> Option<u64> {
    let found = remainders(n).into_iter().find(|(_, rest)| *rest == 0);
    found.map(|(prime, _)| prime)
}

/// Nemec and others, "The Return of Coppersmith's Attack" (CCS 2017), section 3.3: both primes are powers of 65537
/// modulo a product of small primes, and so is the modulus. For another one that holds with less than 2^-150.
fn has_roca(n: &BigUint) -> bool {
    const GENERATOR: u64 = 65_537;
    const PRIMES: std::ops::RangeInclusive<u64> = 3..=167;
    static POWERS: OnceLock<BTreeMap<u64, Vec<u64>>> = OnceLock::new();
    let powers = POWERS.get_or_init(|| {
        let of = |&prime: &u64| {
            let mut list = vec![1];
            let mut power = GENERATOR % prime;
            while power != 1 && list.len() < 200 {
                list.push(power);
                power = power * GENERATOR % prime;
            }
            (prime, list)
        };
        primes()
            .iter()
            .filter(|p| PRIMES.contains(p))
            .map(of)
            .collect()
    });
    remainders(n)
        .iter()
        .filter_map(|(prime, rest)| Some((powers.get(prime)?, rest)))
        .all(|(list, rest)| list.contains(rest))
}

/// Fermat's method: n = a² − b² with a just above the root.
fn has_close_primes(n: &BigUint) -> bool {
    let one = BigUint::from(1u8);
    let mut a = n.sqrt();
    if &a * &a == *n {
        return true;
    }
    a += &one;
    for _ in 0..FERMAT_STEPS {
        let square = &a * &a - n;
        let root = square.sqrt();
        if &root * &root == square {
            return true;
        }
        a += &one;
    }
    false
}

/// Which of these moduli, each big-endian and given once, share a prime with another one.
///
/// Each is compared with the product of all others (Bernstein's batch GCD, here by products of what lies outside a
/// node of the tree). Beyond 4,096 they are compared in groups of so many.
pub fn sharing_primes(moduli: &[&[u8]]) -> Vec<bool> {
    let mut out = Vec::with_capacity(moduli.len());
    for group in moduli.chunks(COMPARED_MAX) {
        let numbers: Vec<BigUint> = group.iter().map(|n| BigUint::from_bytes_be(n)).collect();
        let usable = |n: &BigUint| n.bits() >= MIN_BITS && n.bits() <= MAX_BITS && n.bit(0);
        let leaves: Vec<BigUint> = numbers.iter().filter(|n| usable(n)).cloned().collect();
        let mut shared = with_the_others(leaves).into_iter();
        out.extend(
            numbers
                .iter()
                .map(|n| usable(n) && shared.next().unwrap_or(false)),
        );
    }
    out
}

fn with_the_others(leaves: Vec<BigUint>) -> Vec<bool> {
    let one = BigUint::from(1u8);
    let mut levels = vec![leaves];
    while let Some(below) = levels.last().filter(|level| level.len() > 1) {
        let pair = |two: &[BigUint]| two.iter().product();
        let level = below.chunks(2).map(pair).collect();
        levels.push(level);
    }
    // From the root down: the product of all outside a node, by the node's own product.
    let mut outside = vec![one.clone()];
    for level in levels.iter().rev().skip(1) {
        let next = level.iter().enumerate().map(|(at, own)| {
            let above = outside.get(at / 2).unwrap_or(&one);
            let sibling = level.get(at ^ 1).unwrap_or(&one);
            (above % own) * (sibling % own) % own
        });
        outside = next.collect();
    }
    let leaves = levels.first().map_or(&[][..], Vec::as_slice);
    // Two equal moduli would share all; they are one key, and are given once.
    leaves
        .iter()
        .zip(&outside)
        .map(|(n, rest)| leaves.len() > 1 && num_integer::gcd(n.clone(), rest.clone()) > one)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `fixtures/generate/factorable.py` with Python's integers: name, and numbers in hexadecimal.
    fn number(name: &str) -> Vec<u8> {
        let text = include_str!("../../fixtures/factorable.txt");
        let mut lines = text.lines().filter_map(|line| line.split_once(' '));
        let (_, digits) = lines.find(|(own, _)| *own == name).unwrap();
        BigUint::parse_bytes(digits.as_bytes(), 16)
            .unwrap()
            .to_bytes_be()
    }

    fn why(name: &str, exponent: &[u8]) -> Option<String> {
        let key = Public::Rsa {
            n: number(name).into(),
            e: exponent.into(),
        };
        reason(&key).map(Cow::into_owned)
    }

    #[test]
    fn what_a_modulus_shows() {
        let e = [1, 0, 1];
        for (name, part) in [
            ("roca", "ROCA"),
            ("close", "Fermat"),
            ("square", "Fermat"),
            ("even", "divisible by 2"),
            ("small", "divisible by 997"),
        ] {
            let why = why(name, &e).unwrap_or_default();
            assert!(why.contains(part), "{name}: {why}");
        }
        assert!(why("good", &[1]).unwrap().contains("exponent is 1"));
        for name in ["good", "other", "apart", "shared1", "shared2"] {
            assert_eq!(why(name, &e), None, "{name}");
        }
        assert_eq!(why("good", &[3]), None);
    }

    #[test]
    fn primes_in_common() {
        let names = [
            "good", "shared1", "other", "roca", "shared2", "apart", "small",
        ];
        let numbers: Vec<Vec<u8>> = names.iter().map(|name| number(name)).collect();
        let slices: Vec<&[u8]> = numbers.iter().map(Vec::as_slice).collect();
        for count in 0..=slices.len() {
            let found = sharing_primes(&slices[..count]);
            let wanted: Vec<bool> = names[..count]
                .iter()
                .map(|name| count > 4 && name.starts_with("shared"))
                .collect();
            assert_eq!(found, wanted, "{count}");
        }
    }

    #[test]
    fn hostile_numbers() {
        let key = |n: &[u8]| {
            reason(&Public::Rsa {
                n: n.to_vec().into(),
                e: vec![3].into(),
            })
        };
        assert_eq!(key(&[]), None);
        assert_eq!(key(&[0; 64]), None);
        assert_eq!(key(&[3]), None);
        assert_eq!(key(&[0xff; 1 << 16]), None);
        assert_eq!(sharing_primes(&[&[], &[0xff; 1 << 16], &[5]]), [false; 3]);
    }
}
