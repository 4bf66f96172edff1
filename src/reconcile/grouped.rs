//! Lists by number in two allocations, where a list of lists would take one or two for each.

use super::few::NONE;

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

impl<T: Clone> Grouped<T> {
    /// Takes pairs of a group's number and what belongs to it; there are so many groups.
    pub(super) fn new(groups: usize, pairs: Vec<(u32, T)>) -> Self {
        let ends = ends(groups, pairs.iter().map(|(group, _)| *group));
        if pairs.is_sorted_by_key(|(group, _)| *group) {
            let mut items: Vec<T> = pairs.into_iter().map(|(_, item)| item).collect();
            items.truncate(ends.last().map_or(0, |&end| end as usize));
            items.shrink_to_fit();
            return Self { items, ends };
        }
        let order = order(&ends, pairs.iter().map(|(group, _)| *group));
        let item = |&number: &u32| Some(pairs.get(number as usize)?.1.clone());
        Self {
            items: order.iter().filter_map(item).collect(),
            ends,
        }
    }
}

/// Where each group ends when all that belongs to a group stands together.
pub(super) fn ends(groups: usize, of: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut ends = vec![0u32; groups];
    for group in of {
        if let Some(count) = ends.get_mut(group as usize) {
            *count += 1;
        }
    }
    let mut end = 0;
    for count in &mut ends {
        end += *count;
        *count = end;
    }
    ends
}

/// The numbers of what belongs to groups, group by group; within a group as they came.
pub(super) fn order(ends: &[u32], of: impl Iterator<Item = u32>) -> Vec<u32> {
    let end = ends.last().copied().unwrap_or(0);
    let mut order = vec![NONE; end as usize];
    // Where the next of each group goes: at first, where the one before it ends.
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let mut next: Vec<u32> = starts.take(ends.len()).collect();
    for (number, group) in (0..).zip(of) {
        let Some(place) = next.get_mut(group as usize) else {
            continue;
        };
        if let Some(slot) = order.get_mut(*place as usize) {
            *slot = number;
        }
        *place += 1;
    }
    order
}

impl<T> Grouped<T> {
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
        // In order already, and beyond the last group.
        let grouped = Grouped::new(2, vec![(0, 'a'), (1, 'b'), (1, 'c'), (2, 'd')]);
        let all: Vec<&[char]> = (0..3).map(|group| grouped.get(group)).collect();
        assert_eq!(all, [&['a'][..], &['b', 'c'], &[]]);
    }
}
