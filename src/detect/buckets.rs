//! Which literals the packed searcher keeps in one bucket.
//!
//! It takes four bytes of the text at once, and for each bucket it knows which low and which high halves of a byte
//! occur at each of the four places in any of the bucket's literals. Every mixture of them lets a place of the text through, to be
//! compared byte by byte. With unlike literals in one bucket those mixtures are many, and some are common in files;
//! so literals change places until what is expected to come through is least.

/// Buckets of the searcher's faster variant. It deals the literals round to them.
const BUCKETS: usize = 8;
/// Bytes that it compares at once.
const PLACES: usize = 4;

/// For each place, the low halves that occur there and the high ones, as sets of sixteen.
type Halves = [(u16, u16); PLACES];

/// Orders items by the literals they begin with, so that few places of a host's files pass the packed searcher by chance.
///
/// Any order finds the same. The order of equal input is the same every time.
pub(super) fn arrange<T>(mut items: Vec<T>, literal: impl Fn(&T) -> &[u8]) -> Vec<T> {
    items.sort_by(|a, b| literal(a).cmp(literal(b)));
    let halves: Vec<Halves> = items.iter().map(|item| halves(literal(item))).collect();
    let order = order_of(&halves);
    let mut dealt: Vec<(usize, T)> = order.into_iter().zip(items).collect();
    dealt.sort_by_key(|(place, _)| *place);
    dealt.into_iter().map(|(_, item)| item).collect()
}

/// For each literal the place in the order that is dealt round.
fn order_of(literals: &[Halves]) -> Vec<usize> {
    let kinds = kinds_of_text();
    // The bucket of each literal, at first neighbours together. The first buckets have one more than the others.
    let (share, longer) = (literals.len() / BUCKETS, literals.len() % BUCKETS);
    let sizes = (0..BUCKETS).map(|bucket| share + usize::from(bucket < longer));
    let mut bucket_of: Vec<usize> = sizes
        .enumerate()
        .flat_map(|(bucket, size)| std::iter::repeat_n(bucket, size))
        .collect();
    let cost = |bucket_of: &[usize], bucket: usize| {
        let inside = literals
            .iter()
            .zip(bucket_of)
            .filter(|(_, b)| **b == bucket);
        passing(inside.map(|(halves, _)| halves), &kinds)
    };
    let mut costs: Vec<f64> = (0..BUCKETS)
        .map(|bucket| cost(&bucket_of, bucket))
        .collect();
    // Each exchange makes the sum smaller, so this ends; the bound is for the arithmetic of fractions.
    for _ in 0..ROUNDS_MAX {
        let mut changed = false;
        for first in 0..literals.len() {
            for second in first + 1..literals.len() {
                let (Some(&a), Some(&b)) = (bucket_of.get(first), bucket_of.get(second)) else {
                    continue;
                };
                if a == b {
                    continue;
                }
                bucket_of.swap(first, second);
                let (new_a, new_b) = (cost(&bucket_of, a), cost(&bucket_of, b));
                match costs.get_disjoint_mut([a, b]) {
                    Ok([old_a, old_b]) if new_a + new_b < (*old_a + *old_b) * LESS => {
                        (*old_a, *old_b) = (new_a, new_b);
                        changed = true;
                    }
                    _ => bucket_of.swap(first, second),
                }
            }
        }
        if !changed {
            break;
        }
    }
    let mut filled = [0; BUCKETS];
    let place = |bucket: usize| {
        let round = filled.get_mut(bucket)?;
        let place = *round * BUCKETS + bucket;
        *round += 1;
        Some(place)
    };
    bucket_of.into_iter().filter_map(place).collect()
}

/// How often all exchanges are tried.
const ROUNDS_MAX: usize = 8;
/// What an exchange must gain.
const LESS: f64 = 1.0 - 1e-6;

fn halves(literal: &[u8]) -> Halves {
    let mut halves = [(0, 0); PLACES];
    for (half, byte) in halves.iter_mut().zip(literal) {
        *half = (1 << (byte & 15), 1 << (byte >> 4));
    }
    halves
}

/// Which share of the places in a host's files a bucket lets through.
fn passing<'a>(literals: impl Iterator<Item = &'a Halves>, kinds: &[Kind]) -> f64 {
    let mut bucket: Halves = [(0, 0); PLACES];
    for literal in literals {
        for (all, one) in bucket.iter_mut().zip(literal) {
            *all = (all.0 | one.0, all.1 | one.1);
        }
    }
    let share = |kind: &Kind| {
        let at_place = |&(low, high): &(u16, u16)| {
            let bytes = bits(high).flat_map(|high| bits(low).map(move |low| high << 4 | low));
            bytes.filter_map(|byte| kind.share.get(byte)).sum::<f64>()
        };
        kind.weight * bucket.iter().map(at_place).product::<f64>()
    };
    kinds.iter().map(share).sum()
}

/// The members of a set of sixteen.
fn bits(mut set: u16) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let member = (set != 0).then(|| set.trailing_zeros() as usize)?;
        set &= set - 1;
        Some(member)
    })
}

/// What stands in files: how much of it is of one kind, and how often each byte occurs in that.
struct Kind {
    weight: f64,
    share: [f64; 256],
}

/// Roughly what the files of a host are: text, programs, tables that are mostly zero, and what is compressed.
/// The figures only make the search faster.
fn kinds_of_text() -> [Kind; 4] {
    let text = |byte: u8| match byte {
        b' ' | b'\n' => 20.0,
        b'a'..=b'z' => 10.0,
        b'_' | b'-' | b'.' | b'"' | b'/' | b',' | b':' | b'=' => 4.0,
        b'A'..=b'Z' | b'0'..=b'9' => 3.0,
        0x21..=0x7e | b'\t' => 1.5,
        _ => 0.02,
    };
    let program = |byte: u8| match byte {
        0 => 60.0,
        0xff => 10.0,
        // A prefix of most instructions.
        b'H' => 6.0,
        1..=15 => 4.0,
        _ => 1.0,
    };
    let zeros = |byte: u8| match byte {
        0 => 200.0,
        1..=7 => 4.0,
        _ => 0.1,
    };
    let kind = |weight: f64, of: fn(u8) -> f64| {
        let mut share = [0.0; 256];
        for (share, byte) in share.iter_mut().zip(0..=255) {
            *share = of(byte);
        }
        let sum: f64 = share.iter().sum();
        Kind {
            weight,
            share: share.map(|share| share / sum),
        }
    };
    [
        kind(0.45, text),
        kind(0.35, program),
        kind(0.1, zeros),
        kind(0.1, |_| 1.0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What passes when the literals are dealt round in this order.
    fn passing_in(order: &[&[u8]]) -> f64 {
        let kinds = kinds_of_text();
        let all: Vec<Halves> = order.iter().map(|literal| halves(literal)).collect();
        let bucket = |first| passing(all.iter().skip(first).step_by(BUCKETS), &kinds);
        (0..BUCKETS).map(bucket).sum()
    }

    #[test]
    fn every_literal_is_kept_once() {
        for count in [0, 1, 7, 8, 9, 30, 48u8] {
            let items: Vec<Vec<u8>> = (0..count)
                .map(|n| vec![n.wrapping_mul(37), n, 3, 4])
                .collect();
            let mut arranged = arrange(items.clone(), |item| item);
            assert_eq!(
                arranged,
                arrange(items.iter().rev().cloned().collect(), |item| item)
            );
            arranged.sort();
            let mut items = items;
            items.sort();
            assert_eq!(arranged, items);
        }
    }

    #[test]
    fn what_passes_by_chance_becomes_less() {
        // Zeros in one and dashes in the other would let every mixture of both through.
        let literals: [&[u8]; 16] = [
            b"\0-\0B",
            b"\0\0\0\x0b",
            b"\0\0\0\x07",
            b"-\0B\0",
            b"abcd",
            b"abce",
            b"xyz1",
            b"xyz2",
            b"\x02\x01\0\x30",
            b"\x02\x01\x01\x30",
            b"KEY-",
            b"KEY:",
            b" AAA",
            b"\tAAA",
            b"\xff\xfe\xfd\xfc",
            b"\xff\xfe\xfd\xfb",
        ];
        let arranged = arrange(literals.to_vec(), |literal| literal);
        assert!(passing_in(&arranged) < passing_in(&literals) / 4.0);
    }

    #[test]
    fn the_share_of_all_bytes_is_one() {
        let every = [(u16::MAX, u16::MAX); PLACES];
        let all = passing([every].iter(), &kinds_of_text());
        assert!((all - 1.0).abs() < 1e-9, "{all}");
    }
}
