//! One after the other, by weight, evenly mixed: with weights 3 and 1, `a a b a` and not `a a a b`.
//!
//! All workers share one position. Where the weights' common measure gives a short cycle, the cycle is
//! written down; where it would be long, the position is spread over the weights by the golden ratio,
//! which keeps every endpoint within a few requests of its share at any time.

use std::sync::atomic::{AtomicU64, Ordering};

/// The longest cycle that is written down.
const LONGEST: u64 = 4096;
/// 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Whose turn it is.
pub(super) struct Schedule {
    position: AtomicU64,
    turns: Turns,
}

enum Turns {
    Cycle(Box<[u32]>),
    /// For each endpoint, where its part of the whole ends.
    Spread(Box<[u64]>),
}

impl Schedule {
    pub(super) fn new(weights: &[u32]) -> Self {
        let measure = weights.iter().copied().fold(0, common_measure).max(1);
        let total: u64 = weights
            .iter()
            .map(|weight| u64::from(weight / measure))
            .sum();
        let turns = if total <= LONGEST {
            Turns::Cycle(cycle(weights, measure))
        } else {
            Turns::Spread(
                weights
                    .iter()
                    .scan(0u64, |end, weight| {
                        *end += u64::from(weight / measure);
                        Some(*end)
                    })
                    .collect(),
            )
        };
        Self {
            position: AtomicU64::new(0),
            turns,
        }
    }

    /// The next one that is not skipped; none if there was none within one cycle (or some more tries).
    pub(super) fn pick(&self, skip: &dyn Fn(usize) -> bool) -> Option<usize> {
        let tries = match &self.turns {
            Turns::Cycle(cycle) => cycle.len(),
            Turns::Spread(ends) => ends.len().min(64),
        };
        (0..tries)
            .map(|_| self.turn(self.position.fetch_add(1, Ordering::Relaxed)))
            .find(|index| !skip(*index))
    }

    fn turn(&self, position: u64) -> usize {
        match &self.turns {
            Turns::Cycle(cycle) => cycle[(position % cycle.len() as u64) as usize] as usize,
            Turns::Spread(ends) => {
                let total = ends.last().copied().unwrap_or_default();
                let spread = u128::from(position.wrapping_mul(GOLDEN)) * u128::from(total);
                ends.partition_point(|end| *end <= (spread >> 64) as u64)
            }
        }
    }
}

/// Everyone's turns at even distances, sorted.
fn cycle(weights: &[u32], measure: u32) -> Box<[u32]> {
    let mut turns: Vec<(f64, u32)> = Vec::new();
    for (index, weight) in (0..).zip(weights) {
        let weight = weight / measure;
        let distance = f64::from(weight).recip();
        turns.extend((0..weight).map(|turn| ((f64::from(turn) + 0.5) * distance, index)));
    }
    turns.sort_by(|one, two| one.0.total_cmp(&two.0).then(one.1.cmp(&two.1)));
    turns.into_iter().map(|(_, index)| index).collect()
}

fn common_measure(one: u32, two: u32) -> u32 {
    if two == 0 {
        one
    } else {
        common_measure(two, one % two)
    }
}
