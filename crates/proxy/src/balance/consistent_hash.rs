//! The same endpoint for the same key (a hash ring).
//!
//! Each endpoint has points on a ring of 64 bits, as many as its weight asks for, at places that follow
//! from its identity alone; a key belongs to the first point after it. So when an endpoint goes, its keys
//! move and no others, and every worker and process gives the same answer.

use super::Load;

/// Points of an endpoint of average weight are this many to twice as many, in a ring of up to [`CROWD`]
/// endpoints; with more endpoints, fewer.
const POINTS: u64 = 192;
const CROWD: usize = 256;

/// The points in order, each with its endpoint's place in the list.
pub(super) struct Ring(Box<[(u64, u32)]>);

impl Ring {
    pub(super) fn new<E: Load>(endpoints: &[E]) -> Self {
        let weighted = || (0u32..).zip(endpoints).filter(|(_, one)| one.weight() > 0);
        let total: u64 = weighted().map(|(_, one)| u64::from(one.weight())).sum();
        let count = weighted().count();
        // Both in powers of two, so that a change of one endpoint rarely changes the others' points.
        let crowds = count.div_ceil(CROWD).max(1).next_power_of_two() as u64;
        let points_of_unit = (POINTS / crowds).max(1);
        let average = total / (count as u64).max(1);
        let unit = 1 << average.max(1).ilog2();
        let mut points = Vec::new();
        for (index, one) in weighted() {
            let own = (u64::from(one.weight()) * points_of_unit).div_ceil(unit);
            let start = mix(one.identity());
            points.extend((0..own).map(|point| (mix(start.wrapping_add(point)), index)));
        }
        points.sort_unstable();
        Self(points.into_boxed_slice())
    }

    /// The key's endpoint; if it is skipped, the next one on the ring.
    pub(super) fn pick(&self, key: u64, skip: &dyn Fn(usize) -> bool) -> Option<usize> {
        let key = mix(key);
        let first = self.0.partition_point(|(point, _)| *point < key);
        let (before, after) = self.0.split_at(first);
        let mut skipped = None;
        after
            .iter()
            .chain(before)
            .map(|(_, index)| *index)
            .find(|index| {
                if skipped == Some(*index) {
                    return false;
                }
                let taken = !skip(*index as usize);
                skipped = Some(*index);
                taken
            })
            .map(|index| index as usize)
    }
}

/// A hash of the bytes that consistent hashing goes by: the same everywhere and in every version, since
/// proxies of two versions serve side by side while they are exchanged (FNV-1a, then mixed).
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    mix(bytes.iter().fold(0xcbf2_9ce4_8422_2325, fold))
}

/// Spreads what is alike over all 64 bits; no two inputs give the same.
pub(super) fn mix(value: u64) -> u64 {
    let mixed = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
