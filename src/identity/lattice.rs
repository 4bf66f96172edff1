//! Public keys of ML-KEM (FIPS 203) and ML-DSA (FIPS 204) from their private ones.

use super::derive::Note;
use crate::formats::wire::oid;
use crate::formats::wire::post_quantum::Lengths;
use ml_dsa::{
    ExpandedSigningKey, ExpandedSigningKeyBytes, Keypair as _, MlDsa44, MlDsa65, MlDsa87,
    MlDsaParams, SigningKey,
};
use ml_kem::{KeyExport as _, ml_kem_512, ml_kem_768, ml_kem_1024};
use sha3::digest::{Digest as _, ExtendableOutput as _, Update as _, XofReader as _};
use sha3::{Sha3_256, Shake256};
use zeroize::Zeroizing;

type Public = Result<Vec<u8>, Note>;

/// The public bytes of a seed, of an expanded key, or of both one behind the other, which must agree. None if the algorithm is
/// neither of these.
pub(super) fn public(id: &[u8], private: &[u8]) -> Option<Public> {
    let name = oid::key_algorithm(id)?;
    let lengths = Lengths::of(name)?;
    let whole = private.len() == lengths.seed + lengths.expanded;
    let seed = private
        .get(..lengths.seed)
        .filter(|seed| whole || seed.len() == private.len());
    let expanded = private
        .len()
        .checked_sub(lengths.expanded)
        .filter(|start| *start == 0 || whole)
        .and_then(|start| private.get(start..));
    let by_seed = seed.map(|seed| of_seed(name, seed));
    let by_expanded = expanded.map(|expanded| of_expanded(name, lengths, expanded));
    Some(match (by_seed, by_expanded) {
        (Some(one), Some(other)) if one != other => Err(Note::Contradicts),
        (Some(public), _) | (None, Some(public)) => public,
        (None, None) => Err(Note::OutOfRange),
    })
}

fn of_seed(name: &str, seed: &[u8]) -> Public {
    match name {
        "ML-KEM-512" | "ML-KEM-768" | "ML-KEM-1024" => {
            let mut d_and_z = Zeroizing::new([0; 64]);
            copy(seed, d_and_z.as_mut_slice())?;
            let seed = ml_kem::Seed::from(*d_and_z);
            Ok(match name {
                "ML-KEM-512" => ml_kem_512::DecapsulationKey::from_seed(seed)
                    .encapsulation_key()
                    .to_bytes()
                    .to_vec(),
                "ML-KEM-768" => ml_kem_768::DecapsulationKey::from_seed(seed)
                    .encapsulation_key()
                    .to_bytes()
                    .to_vec(),
                _ => ml_kem_1024::DecapsulationKey::from_seed(seed)
                    .encapsulation_key()
                    .to_bytes()
                    .to_vec(),
            })
        }
        _ => {
            let mut xi = Zeroizing::new([0; 32]);
            copy(seed, xi.as_mut_slice())?;
            let seed = Zeroizing::new(ml_dsa::Seed::from(*xi));
            Ok(match name {
                "ML-DSA-44" => verifying::<MlDsa44>(&seed),
                "ML-DSA-65" => verifying::<MlDsa65>(&seed),
                _ => verifying::<MlDsa87>(&seed),
            })
        }
    }
}

fn verifying<P: MlDsaParams>(seed: &ml_dsa::Seed) -> Vec<u8> {
    SigningKey::<P>::from_seed(seed)
        .verifying_key()
        .encode()
        .to_vec()
}

fn of_expanded(name: &str, lengths: Lengths, expanded: &[u8]) -> Public {
    match name {
        "ML-DSA-44" => ml_dsa_of_expanded::<MlDsa44>(expanded, 3, 8),
        "ML-DSA-65" => ml_dsa_of_expanded::<MlDsa65>(expanded, 4, 11),
        "ML-DSA-87" => ml_dsa_of_expanded::<MlDsa87>(expanded, 3, 15),
        _ => ml_kem_of_expanded(lengths, expanded),
    }
}

/// dk_PKE, ek, H(ek), z (FIPS 203, algorithm 16), where ek is 32 bytes longer than dk_PKE.
fn ml_kem_of_expanded(lengths: Lengths, expanded: &[u8]) -> Public {
    let start = lengths.public - 32;
    let public = expanded.get(start..start + lengths.public);
    let digest = expanded.get(start + lengths.public..start + lengths.public + 32);
    match (public, digest) {
        (Some(public), Some(digest)) if Sha3_256::digest(public).as_slice() == digest => {
            Ok(public.to_vec())
        }
        _ => Err(Note::Contradicts),
    }
}

/// rho, K, tr, s1, s2, t0 (FIPS 204, algorithm 24): t is multiplied out of rho, s1 and s2, and the digest tr of the public key
/// must come out. `width` is the bits of a coefficient of s1 and s2, which are that many `polynomials`.
fn ml_dsa_of_expanded<P: MlDsaParams>(expanded: &[u8], width: usize, polynomials: usize) -> Public {
    const SEEDS: usize = 32 + 32 + 64;
    let short = expanded.get(SEEDS..SEEDS + 32 * width * polynomials);
    // The library panics at coefficients beyond eta.
    if !short.is_some_and(|short| are_short(short, width)) {
        return Err(Note::OutOfRange);
    }
    let bytes = ExpandedSigningKeyBytes::<P>::try_from(expanded).map_err(|_| Note::OutOfRange)?;
    let bytes = Zeroizing::new(bytes);
    #[expect(
        deprecated,
        reason = "files hold this form; its coefficients were checked above"
    )]
    let key = ExpandedSigningKey::<P>::from_expanded(&bytes);
    let public = key.verifying_key().encode().to_vec();
    let mut hash = Shake256::default();
    hash.update(&public);
    let mut tr = [0; 64];
    hash.finalize_xof().read(&mut tr);
    if expanded.get(64..SEEDS) == Some(&tr[..]) {
        Ok(public)
    } else {
        Err(Note::Contradicts)
    }
}

/// Whether all coefficients of 3 or 4 bits, the lowest first, are at most twice eta: 4 or 8 (FIPS 204, algorithm 19).
fn are_short(bytes: &[u8], width: usize) -> bool {
    let most = 1u32 << (width - 1);
    bytes.chunks(width).all(|group| {
        let word = group
            .iter()
            .rev()
            .fold(0u32, |word, byte| word << 8 | u32::from(*byte));
        (0..8).all(|i| (word >> (i * width)) & ((1 << width) - 1) <= most)
    })
}

fn copy(from: &[u8], to: &mut [u8]) -> Result<(), Note> {
    if from.len() != to.len() {
        return Err(Note::OutOfRange);
    }
    to.copy_from_slice(from);
    Ok(())
}
