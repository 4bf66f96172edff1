//! Lists by number in two allocations, where a list of lists would take one or two for each.

use super::few::short;

/// What belongs to each number, in the order in which it was given.
#[derive(Debug)]
pub(super) struct Grouped<T> {
    items: Vec<T>,
    /// Where each group ends.
    ends: Vec<u32>,
}

impl<T> Default for Grouped<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            ends: Vec::new(),
        }
    }
}

impl<T> Grouped<T> {
    /// Sorts pairs of a group's number and what belongs to it; there are so many groups.
    pub(super) fn new(groups: usize, mut pairs: Vec<(u32, T)>) -> Self {
        if !pairs.is_sorted_by_key(|(group, _)| *group) {
            pairs.sort_by_key(|(group, _)| *group);
        }
        let mut ends = Vec::with_capacity(groups);
        let mut end = 0;
        for group in 0..groups {
            let rest = pairs.iter().skip(end);
            end += rest.take_while(|(g, _)| *g == short(group)).count();
            ends.push(short(end));
        }
        let mut items: Vec<T> = pairs.into_iter().map(|(_, item)| item).collect();
        items.shrink_to_fit();
        Self { items, ends }
    }

    /// What belongs to a number.
    pub(super) fn get(&self, group: usize) -> &[T] {
        let end_of = |group: usize| self.ends.get(group).map(|&end| end as usize);
        let start = group.checked_sub(1).and_then(end_of).unwrap_or(0);
        end_of(group)
            .and_then(|end| self.items.get(start..end))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_keep_their_order() {
        let pairs = vec![(2, 'a'), (0, 'b'), (2, 'c'), (3, 'd')];
        let grouped = Grouped::new(5, pairs);
        let all: Vec<&[char]> = (0..6).map(|group| grouped.get(group)).collect();
        assert_eq!(all, [&['b'][..], &[], &['a', 'c'], &['d'], &[], &[]]);
    }
}
