//! AES-256 in the modes that protect keys and tell by themselves whether the key was right.

use aes::Aes256;
use aes_kw::KwpAes256;
use ccm::aead::AeadInOut;
use ccm::aead::array::ArraySize;
use ccm::consts::{U4, U6, U7, U8, U9, U10, U11, U12, U13, U14, U16};
use ccm::{Ccm, KeyInit as _, NonceSize, TagSize};
use zeroize::Zeroizing;

/// Octets of a key.
pub const KEY: usize = 32;

/// Decrypts CCM without associated data (NIST SP 800-38C, RFC 3610), the tag behind the ciphertext. Nothing if the tag
/// is another one, or if there is no CCM with such a key, nonce (7 to 13 octets) or tag (an even number from 4 to 16).
pub fn open_ccm(key: &[u8], nonce: &[u8], tag: usize, data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    match nonce.len() {
        7 => with_nonce::<U7>(key, nonce, tag, data),
        8 => with_nonce::<U8>(key, nonce, tag, data),
        9 => with_nonce::<U9>(key, nonce, tag, data),
        10 => with_nonce::<U10>(key, nonce, tag, data),
        11 => with_nonce::<U11>(key, nonce, tag, data),
        12 => with_nonce::<U12>(key, nonce, tag, data),
        13 => with_nonce::<U13>(key, nonce, tag, data),
        _ => None,
    }
}

fn with_nonce<N: ArraySize + NonceSize>(
    key: &[u8],
    nonce: &[u8],
    tag: usize,
    data: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    match tag {
        4 => with_tag::<U4, N>(key, nonce, data),
        6 => with_tag::<U6, N>(key, nonce, data),
        8 => with_tag::<U8, N>(key, nonce, data),
        10 => with_tag::<U10, N>(key, nonce, data),
        12 => with_tag::<U12, N>(key, nonce, data),
        14 => with_tag::<U14, N>(key, nonce, data),
        16 => with_tag::<U16, N>(key, nonce, data),
        _ => None,
    }
}

fn with_tag<M: ArraySize + TagSize, N: ArraySize + NonceSize>(
    key: &[u8],
    nonce: &[u8],
    data: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let cipher = Ccm::<Aes256, M, N>::new_from_slice(key).ok()?;
    let split = data.len().checked_sub(M::USIZE)?;
    let (closed, tag) = data.split_at_checked(split)?;
    let mut open = Zeroizing::new(closed.to_vec());
    cipher
        .decrypt_inout_detached(
            nonce.try_into().ok()?,
            &[],
            open.as_mut_slice().into(),
            tag.try_into().ok()?,
        )
        .ok()?;
    Some(open)
}

/// Unwraps what was wrapped with padding (KWP: RFC 5649, NIST SP 800-38F, section 6.3). Nothing if the key is another
/// one, or if the bytes are no whole number of semiblocks.
pub fn unwrap_padded(key: &[u8], data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let cipher = KwpAes256::new_from_slice(key).ok()?;
    let mut open = Zeroizing::new(vec![0; data.len()]);
    let length = cipher.unwrap_key(data, &mut open).ok()?.len();
    open.truncate(length);
    Some(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
            .collect()
    }

    // python3 -c 'from cryptography.hazmat.primitives.ciphers.aead import AESCCM; …' (OpenSSL): key 00 01 … 1f, nonce
    // 20 21 …, plaintext "keys in a store", for each length of nonce and tag.
    #[test]
    fn ccm_of_every_length_agrees_with_openssl() {
        let key: Vec<u8> = (0..32).collect();
        for line in CCM.trim().lines() {
            let [nonce, tag, closed] = line.split_whitespace().collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let nonce: Vec<u8> = (0x20..).take(nonce.parse().unwrap()).collect();
            let (tag, mut closed) = (tag.parse().unwrap(), hex(closed));
            let open = open_ccm(&key, &nonce, tag, &closed);
            assert_eq!(open.unwrap().as_slice(), b"keys in a store", "{tag}");
            closed[3] ^= 1;
            assert!(open_ccm(&key, &nonce, tag, &closed).is_none());
        }
        assert!(open_ccm(&key, &[0; 12], 8, &[0; 7]).is_none());
        assert!(open_ccm(&key, &[0; 14], 8, &[0; 64]).is_none());
        assert!(open_ccm(&key, &[0; 12], 5, &[0; 64]).is_none());
        assert!(open_ccm(&key[1..], &[0; 12], 8, &[0; 64]).is_none());
    }

    // The same with `keywrap.aes_key_wrap_with_padding`.
    #[test]
    fn wrapped_keys_of_some_lengths_agree_with_openssl() {
        let key: Vec<u8> = (0..32).collect();
        for (text, closed) in KWP {
            let mut closed = hex(closed);
            let open = unwrap_padded(&key, &closed);
            assert_eq!(open.unwrap().as_slice(), text.as_bytes());
            closed[3] ^= 1;
            assert!(unwrap_padded(&key, &closed).is_none());
        }
        for length in [0, 8, 15, 17, 31] {
            assert!(unwrap_padded(&key, &vec![0; length]).is_none());
        }
    }

    /// Length of the nonce, of the tag, and what comes out.
    const CCM: &str = "
        7 4 0b56f491268219675cc54bd8529f5702651b0b
        7 8 0b56f491268219675cc54bd8529f57f41736a8a5d8e0c7
        7 12 0b56f491268219675cc54bd8529f575fbabdbf17f11ea21614986d
        7 16 0b56f491268219675cc54bd8529f57df2b787edca5fa1ee9fb363a3419aaa2
        8 4 86af8fa95d11493fdbf5e66f59c1cceddb98f0
        8 8 86af8fa95d11493fdbf5e66f59c1ccd2abc0ec516a3f04
        8 12 86af8fa95d11493fdbf5e66f59c1cc6042febdcdb3f241ce5f947d
        8 16 86af8fa95d11493fdbf5e66f59c1cc4f614c9ae6e5ffa808ce78e050392a1b
        9 4 55bb515aca9c1cc9b853cf4d5b9d69465e9c69
        9 8 55bb515aca9c1cc9b853cf4d5b9d693a4c357a2f19abce
        9 12 55bb515aca9c1cc9b853cf4d5b9d69a5e63fe5948427d5021053a8
        9 16 55bb515aca9c1cc9b853cf4d5b9d698cc206571ea24a7c32f8572179f3caa2
        10 4 23c801afe28c522398d8f62fd6f08d35bc2dda
        10 8 23c801afe28c522398d8f62fd6f08d858e58d53e76bea7
        10 12 23c801afe28c522398d8f62fd6f08d3df0932c2d7aa30414454972
        10 16 23c801afe28c522398d8f62fd6f08d67cc9cb39b744d47a5813c57c23ca592
        11 4 f4211bdc3d771538cc9bcd17aef468cc777f1f
        11 8 f4211bdc3d771538cc9bcd17aef468859c506393ed7f1a
        11 12 f4211bdc3d771538cc9bcd17aef4683fbc68151935318e15ac46e3
        11 16 f4211bdc3d771538cc9bcd17aef4683aac6bf64a5b91804351b499dc6fa8f2
        12 4 97179d984ad4127037f3f361be6bfa62f47fc9
        12 6 97179d984ad4127037f3f361be6bfa84466d54ca06
        12 8 97179d984ad4127037f3f361be6bfac8ea8c2b120a6973
        12 10 97179d984ad4127037f3f361be6bfaac975af72cd16eb61151
        12 12 97179d984ad4127037f3f361be6bfa43907256931b79cfb754aa59
        12 14 97179d984ad4127037f3f361be6bfac403a8a098c1b7fa84d19cd114a0
        12 16 97179d984ad4127037f3f361be6bfab3d09de166a7a4b7157c3558c15fea2c
        13 4 a31b63f44aa1930c9ab27f372d927b924e1545
        13 6 a31b63f44aa1930c9ab27f372d927b8def24dbe648
        13 8 a31b63f44aa1930c9ab27f372d927b34d98e0fc3137f3e
        13 10 a31b63f44aa1930c9ab27f372d927b3684925ddd8fe5426573
        13 12 a31b63f44aa1930c9ab27f372d927bb692a5c11cffc743fa05ad2b
        13 14 a31b63f44aa1930c9ab27f372d927b89393eb16b9e1dae51dfd1158a1e
        13 16 a31b63f44aa1930c9ab27f372d927b8e7525baa3157550802bf4b9979e66dc
    ";

    const KWP: &[(&str, &str)] = &[
        ("key", "5a9ebabe0855b5729f977be3d88ce573"),
        ("eight by", "55994c11b1fadb8fee19483c7ab3216c"),
        (
            "keys in a store",
            "2087e7ac3d0c6eeffad7a5ec23e3d9d1e96fc744679b3964",
        ),
        (
            "a key of two blocks and a little",
            "09ac0aba35336a6f3df2c836b602818d83bd8bdbbe81dc1656c791993cf0ef59717e8ed64eaeb559",
        ),
    ];
}
