//! Picking by weight in constant time (Vose's alias method).

use super::Random;

/// A choice between places of a list, by weight.
pub(crate) struct Weighted(Box<[Slot]>);

/// Each slot is equally likely, and is shared by two places of the list.
#[derive(Clone, Copy)]
struct Slot {
    /// Below it, of 2^32, the slot's own place is meant; from it on, the other.
    own: u64,
    other: u32,
}

const WHOLE: u64 = 1 << 32;

impl Weighted {
    /// Prepares a choice. A weight of 0 is never picked.
    pub(crate) fn new(weights: &[u32]) -> Self {
        let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
        if total == 0 {
            return Self(Box::default());
        }
        // Each slot holds `total`; each place brings its weight times the number of slots.
        let count = weights.len() as u64;
        let mut left: Vec<u128> = weights
            .iter()
            .map(|weight| u128::from(*weight) * u128::from(count))
            .collect();
        let full = u128::from(total);
        let mut slots = vec![
            Slot {
                own: WHOLE,
                other: 0
            };
            weights.len()
        ];
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..weights.len()).partition(|index| left[*index] < full);
        while let (Some(poor), Some(rich)) = (small.pop(), large.last().copied()) {
            slots[poor] = Slot {
                own: u64::try_from((left[poor] << 32) / full).unwrap_or(WHOLE),
                other: u32::try_from(rich).unwrap_or(u32::MAX),
            };
            left[rich] -= full - left[poor];
            if left[rich] < full {
                large.pop();
                small.push(rich);
            }
        }
        Self(slots.into_boxed_slice())
    }

    /// One place of the list; none if no weight is above 0.
    #[inline]
    pub(crate) fn pick(&self, random: &mut Random) -> Option<usize> {
        let bits = random.next_u64();
        let index = ((bits >> 32) * self.0.len() as u64) >> 32;
        let slot = self.0.get(index as usize)?;
        let own = (bits & (WHOLE - 1)) < slot.own;
        Some(if own {
            index as usize
        } else {
            slot.other as usize
        })
    }
}
