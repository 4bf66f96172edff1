//! libgcrypt's keygrip of keys whose parameters are all numbers.

use crate::model::{Hex, Sha1Hex};
use sha1::{Digest as _, Sha1};

/// SHA-1 over parameters as an S-expression writes them: `(1:p129:…)`, with a sign octet where the number needs it.
pub fn of_numbers(numbers: &[(char, &[u8])]) -> Sha1Hex {
    let mut hash = Sha1::new();
    for (name, number) in numbers {
        let sign = number.first().is_some_and(|b| b & 0x80 != 0);
        hash.update(format!("(1:{name}{}:", number.len() + usize::from(sign)));
        if sign {
            hash.update([0]);
        }
        hash.update(number);
        hash.update(b")");
    }
    Hex(hash.finalize().into())
}
