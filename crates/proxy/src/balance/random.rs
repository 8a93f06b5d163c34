//! Chance: each worker's generator, and picking by weight alone.

use super::Weighted;

/// How often luck is tried before every endpoint is looked at.
pub(super) const DRAWS: usize = 4;

/// A fast generator of numbers that look random (xoshiro256++). For balancing, shares, jitter and
/// request ids; nothing that must not be guessed may come from it.
pub(crate) struct Random([u64; 4]);

impl Random {
    /// A generator that starts at a point of its own, given by the system.
    pub(crate) fn seeded() -> Self {
        let mut seed = [0; 32];
        // Without the system's randomness, the clock and this value's address still tell workers and
        // processes apart.
        if aws_lc_rs::rand::fill(&mut seed).is_err() {
            let now = daemun_base::clock::since_epoch().as_nanos();
            seed[..16].copy_from_slice(&now.to_ne_bytes());
            let here = std::ptr::from_ref(&seed).addr();
            seed[16..24].copy_from_slice(&(here as u64).to_ne_bytes());
        }
        let mut words = seed.chunks_exact(8);
        let mut state = [0; 4];
        for word in &mut state {
            let bytes = words.next().and_then(|bytes| bytes.try_into().ok());
            *word = u64::from_ne_bytes(bytes.unwrap_or_default());
        }
        Self::from_state(state)
    }

    fn from_state(state: [u64; 4]) -> Self {
        // All zeros is the one state that the generator never leaves.
        Self(if state == [0; 4] { [1; 4] } else { state })
    }

    /// A generator whose numbers are known beforehand.
    #[cfg(test)]
    pub(crate) fn fixed(seed: u64) -> Self {
        let state = [1, 2, 3, 4].map(|word| super::consistent_hash::mix(seed ^ word));
        Self::from_state(state)
    }

    /// The next 64 bits.
    #[inline]
    pub(crate) fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.0;
        let result = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }

    /// A number below `bound`; none if that is 0.
    #[inline]
    pub(crate) fn below(&mut self, bound: u64) -> Option<u64> {
        let wide = u128::from(self.next_u64()) * u128::from(bound);
        (bound > 0).then_some((wide >> 64) as u64)
    }
}

/// One by weight; none if luck did not find one that is not skipped.
pub(super) fn pick(
    by_weight: &Weighted,
    random: &mut Random,
    skip: &dyn Fn(usize) -> bool,
) -> Option<usize> {
    (0..DRAWS).find_map(|_| by_weight.pick(random).filter(|index| !skip(*index)))
}
