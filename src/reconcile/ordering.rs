//! Putting large things in an order that is known by numbers, without a second list of them.

use super::few::NONE;

/// The place of each number in a list that has each once.
pub(super) fn places_of(order: &[u32]) -> Vec<u32> {
    let mut places = vec![NONE; order.len()];
    for (place, &number) in (0..).zip(order) {
        if let Some(slot) = places.get_mut(number as usize) {
            *slot = place;
        }
    }
    places
}

/// Brings things to their places, of which each has one of its own.
pub(super) fn in_order<T>(things: &mut [T], mut places: Vec<u32>) {
    for number in 0..places.len() {
        while let Some(place) = places.get(number).map(|&place| place as usize)
            && place != number
            && place < things.len()
        {
            things.swap(number, place);
            places.swap(number, place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_come_into_order() {
        for order in [
            vec![],
            vec![0],
            vec![2, 0, 1],
            vec![3, 2, 1, 0, 4],
            vec![1, 0],
        ] {
            let named: Vec<String> = (0..order.len()).map(|n| n.to_string()).collect();
            let wanted: Vec<String> = order.iter().map(u32::to_string).collect();
            let mut things = named;
            in_order(&mut things, places_of(&order));
            assert_eq!(things, wanted);
        }
    }
}
