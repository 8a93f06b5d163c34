//! Of two endpoints drawn by weight, the one with fewer requests in flight for its weight (power of two
//! choices). Where both have as many, the first one drawn, so that an idle backend is shared by weight.

use super::random::{self, DRAWS};
use super::{Load, Random, Weighted};

/// None if luck did not find an endpoint that is not skipped.
pub(super) fn pick<E: Load>(
    endpoints: &[E],
    by_weight: &Weighted,
    random: &mut Random,
    skip: &dyn Fn(usize) -> bool,
) -> Option<usize> {
    if let [one] = endpoints {
        return (one.weight() > 0 && !skip(0)).then_some(0);
    }
    let first = random::pick(by_weight, random, skip)?;
    let neighbours = || (1..endpoints.len().min(8)).map(|step| (first + step) % endpoints.len());
    let second = (0..DRAWS)
        .filter_map(|_| by_weight.pick(random))
        .find(|index| *index != first && !skip(*index))
        // One endpoint outweighs the others: any other is better than none to compare it with.
        .or_else(|| neighbours().find(|index| endpoints[*index].weight() > 0 && !skip(*index)));
    let load = |index: usize, other: usize| {
        u64::from(endpoints[index].in_flight()) * u64::from(endpoints[other].weight())
    };
    Some(match second {
        Some(second) if load(second, first) < load(first, second) => second,
        _ => first,
    })
}
