//! Lists that mostly have one thing or none.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
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
    Many(Vec<T>),
}

impl<T> ShortList<T> {
    /// Adds one at the end.
    pub fn push(&mut self, thing: T) {
        *self = match std::mem::replace(self, Self::Empty) {
            Self::Empty => Self::One(thing),
            Self::One(first) => Self::Many(vec![first, thing]),
            Self::Many(mut many) => {
                many.push(thing);
                Self::Many(many)
            }
        };
    }
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

impl<T> IntoIterator for ShortList<T> {
    type Item = T;
    type IntoIter = std::iter::Chain<std::option::IntoIter<T>, std::vec::IntoIter<T>>;

    fn into_iter(self) -> Self::IntoIter {
        let (one, many) = match self {
            Self::Empty => (None, Vec::new()),
            Self::One(one) => (Some(one), Vec::new()),
            Self::Many(many) => (None, many),
        };
        one.into_iter().chain(many)
    }
}

impl<T: Serialize> Serialize for ShortList<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ShortList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::from)
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

impl<T: PartialEq<U>, U, const N: usize> PartialEq<[U; N]> for ShortList<T> {
    fn eq(&self, other: &[U; N]) -> bool {
        **self == *other
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
            assert_eq!(short, list.iter().copied().collect::<ShortList<i32>>());
            assert_eq!(format!("{short:?}"), format!("{list:?}"));
            let mut pushed = ShortList::Empty;
            list.iter().for_each(|one| pushed.push(*one));
            assert_eq!(pushed, short);
            let text = serde_json::to_string(&short).unwrap();
            assert_eq!(text, serde_json::to_string(&list).unwrap());
            assert_eq!(
                serde_json::from_str::<ShortList<i32>>(&text).unwrap(),
                short
            );
            assert!(short.into_iter().eq(list));
        }
        assert!(matches!(ShortList::from(vec![7]), ShortList::One(7)));
    }
}
