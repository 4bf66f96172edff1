//! Lists that mostly have one thing or none.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// A list that holds one thing in itself, and several in memory of their own.
#[derive(Clone, Default)]
pub enum ShortList<T> {
    /// Nothing.
    #[default]
    Empty,
    /// One.
    One(T),
    /// Several.
    Many(Box<[T]>),
}

impl<T> Deref for ShortList<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Empty => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

impl<T> DerefMut for ShortList<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Self::Empty => &mut [],
            Self::One(one) => std::slice::from_mut(one),
            Self::Many(many) => many,
        }
    }
}

impl<T> From<Vec<T>> for ShortList<T> {
    fn from(list: Vec<T>) -> Self {
        list.into_iter().collect()
    }
}

impl<T> FromIterator<T> for ShortList<T> {
    fn from_iter<I: IntoIterator<Item = T>>(things: I) -> Self {
        let mut things = things.into_iter();
        match (things.next(), things.next()) {
            (Some(one), Some(two)) => Self::Many([one, two].into_iter().chain(things).collect()),
            (Some(one), None) => Self::One(one),
            (None, _) => Self::Empty,
        }
    }
}

impl<'a, T> IntoIterator for &'a ShortList<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: fmt::Debug> fmt::Debug for ShortList<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: PartialEq> PartialEq for ShortList<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_what_was_put_in() {
        for list in [vec![], vec![1], vec![1, 2], vec![1, 2, 3]] {
            let short = ShortList::from(list.clone());
            assert_eq!(*short, *list);
            assert_eq!(short, list.iter().copied().collect());
            assert_eq!(format!("{short:?}"), format!("{list:?}"));
        }
        assert!(matches!(ShortList::from(vec![7]), ShortList::One(7)));
    }
}
