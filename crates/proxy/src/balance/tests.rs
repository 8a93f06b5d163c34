//! Shares, loads, and how many keys move.

use daemun_model::policy::balance::{Balance, HashKey};

use super::{Balancer, Load, Random, Weighted, hash};

struct Endpoint {
    weight: u32,
    in_flight: u32,
    identity: u64,
}

impl Load for Endpoint {
    fn weight(&self) -> u32 {
        self.weight
    }

    fn in_flight(&self) -> u32 {
        self.in_flight
    }

    fn identity(&self) -> u64 {
        self.identity
    }
}

fn endpoints(weights: &[u32]) -> Vec<Endpoint> {
    (1000..)
        .zip(weights)
        .map(|(identity, weight)| Endpoint {
            weight: *weight,
            in_flight: 0,
            identity,
        })
        .collect()
}

const CONSISTENT: Balance = Balance::ConsistentHash(HashKey::SourceAddress);
const NONE: &dyn Fn(usize) -> bool = &|_| false;

/// The shares in a thousand of many picks.
fn shares(policy: &Balance, weights: &[u32], skip: &dyn Fn(usize) -> bool) -> Vec<i64> {
    const PICKS: u64 = 100_000;
    let endpoints = endpoints(weights);
    let balancer = Balancer::new(policy, &endpoints);
    let mut random = Random::fixed(7);
    let mut counts = vec![0; weights.len()];
    for pick in 0..PICKS {
        let key = matches!(policy, Balance::ConsistentHash(_)).then(|| hash(&pick.to_be_bytes()));
        let picked = balancer.pick(&endpoints, &mut random, key, skip).unwrap();
        counts[picked] += 1;
    }
    counts
        .iter()
        .map(|count| count * 1000 / PICKS as i64)
        .collect()
}

#[test]
fn idle_endpoints_get_requests_by_weight() {
    for (weights, expected) in [
        (vec![1], vec![1000]),
        (vec![1, 1], vec![500, 500]),
        (vec![3, 1], vec![750, 250]),
        (vec![1, 0, 1], vec![500, 0, 500]),
        (vec![90, 9, 1], vec![900, 90, 10]),
        (vec![999_983, 1, 499_979], vec![666, 0, 333]),
        (vec![2; 8], vec![125; 8]),
    ] {
        for (policy, slack) in [
            (Balance::RoundRobin, 1),
            (Balance::LeastRequests, 10),
            (Balance::Random, 10),
            (CONSISTENT, 80),
        ] {
            let got = shares(&policy, &weights, NONE);
            for (got, expected) in got.iter().zip(&expected) {
                assert!(
                    (got - expected).abs() <= slack,
                    "{policy:?} with {weights:?} gave {got}, not {expected}"
                );
            }
        }
    }
}

#[test]
fn what_is_skipped_gets_nothing_and_the_rest_share_by_weight() {
    for policy in [
        Balance::RoundRobin,
        Balance::LeastRequests,
        Balance::Random,
        CONSISTENT,
    ] {
        let got = shares(&policy, &[1000, 2, 1, 0], &|index| index == 0);
        assert_eq!((got[0], got[3]), (0, 0), "{policy:?}");
        // A ring has whole points, and what weighs a thousandth of the rest has just one.
        if policy != CONSISTENT {
            assert!((600..=730).contains(&got[1]), "{policy:?} gave {got:?}");
        }
    }
}

#[test]
fn without_weight_or_with_all_skipped_there_is_no_endpoint() {
    for policy in [
        Balance::RoundRobin,
        Balance::LeastRequests,
        Balance::Random,
        CONSISTENT,
    ] {
        for key in [None, Some(1)] {
            for weights in [vec![], vec![0], vec![0, 0]] {
                let endpoints = endpoints(&weights);
                let balancer = Balancer::new(&policy, &endpoints);
                let picked = balancer.pick(&endpoints, &mut Random::fixed(1), key, NONE);
                assert_eq!(picked, None, "{policy:?} {weights:?}");
            }
            let endpoints = endpoints(&[1, 1, 0]);
            let balancer = Balancer::new(&policy, &endpoints);
            let picked = balancer.pick(&endpoints, &mut Random::fixed(1), key, &|_| true);
            assert_eq!(picked, None, "{policy:?}");
        }
    }
}

#[test]
fn round_robin_mixes_evenly() {
    for (weights, expected) in [
        (vec![1, 1, 1], "abcabcabc"),
        (vec![3, 1], "aabaaaba"),
        (vec![2, 4], "babbab"),
        (vec![5, 1, 1], "aabacaaaabacaa"),
    ] {
        let endpoints = endpoints(&weights);
        let balancer = Balancer::new(&Balance::RoundRobin, &endpoints);
        let mut random = Random::fixed(1);
        let got: String = expected
            .chars()
            .map(|_| balancer.pick(&endpoints, &mut random, None, NONE).unwrap())
            .map(|index| char::from(b'a' + u8::try_from(index).unwrap()))
            .collect();
        assert_eq!(got.len(), expected.len());
        let longest = |text: &str| text.split('b').map(str::len).max();
        assert!(longest(&got) <= longest(expected), "{weights:?}: {got}");
    }
}

#[test]
fn the_less_busy_of_two_is_picked() {
    for (weights, in_flight, expected) in [
        ([1, 1], [5, 4], 1),
        ([1, 1], [4, 5], 0),
        // Twice the weight bears twice the requests.
        ([2, 1], [9, 5], 0),
        ([2, 1], [11, 5], 1),
    ] {
        let mut endpoints = endpoints(&weights);
        for (one, in_flight) in endpoints.iter_mut().zip(in_flight) {
            one.in_flight = in_flight;
        }
        let balancer = Balancer::new(&Balance::LeastRequests, &endpoints);
        let mut random = Random::fixed(3);
        let picks: Vec<_> = (0..1000)
            .map(|_| balancer.pick(&endpoints, &mut random, None, NONE))
            .collect();
        let right = picks.iter().filter(|pick| **pick == Some(expected)).count();
        // Both draws can be the same endpoint, a few times in a row.
        assert!(right > 900, "{weights:?} {in_flight:?}: {right}");
    }
}

#[test]
fn few_keys_move_when_endpoints_change() {
    for (count, removed) in [(2, 1), (5, 0), (20, 7), (300, 299)] {
        let before = endpoints(&vec![1; count]);
        let mut after = endpoints(&vec![1; count]);
        after.remove(removed);
        let (one, two) = (
            Balancer::new(&CONSISTENT, &before),
            Balancer::new(&CONSISTENT, &after),
        );
        let mut random = Random::fixed(1);
        let mut moved = 0;
        for key in 0..10_000u64 {
            let key = Some(hash(&key.to_be_bytes()));
            let old = one.pick(&before, &mut random, key, NONE).unwrap();
            let new = two.pick(&after, &mut random, key, NONE).unwrap();
            let went = before[old].identity != after[new].identity;
            assert!(
                !went || old == removed,
                "a key moved from an endpoint that stays"
            );
            moved += usize::from(went);
            // An endpoint that is skipped is like one that is gone.
            let skipping = one.pick(&before, &mut random, key, &|index| index == removed);
            assert_eq!(before[skipping.unwrap()].identity, after[new].identity);
        }
        let most = 10_000 * 13 / 10 / count + 30;
        assert!(
            moved > 0 && moved <= most,
            "{count}: {moved} of at most {most}"
        );
    }
}

#[test]
fn a_changed_weight_moves_few_keys() {
    let before = endpoints(&[100, 100, 100, 100]);
    let after = endpoints(&[100, 100, 100, 50]);
    let (one, two) = (
        Balancer::new(&CONSISTENT, &before),
        Balancer::new(&CONSISTENT, &after),
    );
    let mut random = Random::fixed(1);
    let moved = (0..10_000u64)
        .map(|key| Some(hash(&key.to_be_bytes())))
        .filter(|key| {
            one.pick(&before, &mut random, *key, NONE) != two.pick(&after, &mut random, *key, NONE)
        })
        .count();
    // Half of what the one endpoint had, and nothing else.
    assert!((1000..1700).contains(&moved), "{moved}");
}

#[test]
fn consistent_hashing_is_the_same_in_every_version() {
    assert_eq!(hash(b""), 0xf52a_15e9_a9b5_e89b);
    assert_eq!(hash(b"session-1"), 10_348_509_449_063_778_181);
    let endpoints = endpoints(&[1, 1, 1, 1, 1]);
    let balancer = Balancer::new(&CONSISTENT, &endpoints);
    let picks: Vec<_> = (0..8u64)
        .map(|key| {
            balancer
                .pick(&endpoints, &mut Random::fixed(1), Some(key), NONE)
                .unwrap()
        })
        .collect();
    assert_eq!(picks, [3, 1, 2, 3, 0, 1, 3, 0]);
}

#[test]
fn weights_are_met_by_chance() {
    let mut random = Random::fixed(5);
    for weights in [vec![1, 2, 3, 4], vec![0, 1_000_000, 1], vec![7; 100]] {
        let total: u32 = weights.iter().sum();
        let choice = Weighted::new(&weights);
        let mut counts = vec![0u32; weights.len()];
        for _ in 0..200_000 {
            counts[choice.pick(&mut random).unwrap()] += 1;
        }
        for (count, weight) in counts.iter().zip(&weights) {
            let expected = f64::from(*weight) * 200_000.0 / f64::from(total);
            assert!((f64::from(*count) - expected).abs() <= 4.0 * expected.sqrt() + 1.0);
            assert!(*weight > 0 || *count == 0);
        }
    }
    assert!(Weighted::new(&[]).pick(&mut random).is_none());
    assert!(Weighted::new(&[0, 0]).pick(&mut random).is_none());
}

#[test]
fn numbers_below_a_bound_are_below_it_and_reach_everywhere() {
    let mut random = Random::seeded();
    let mut seen = [false; 10];
    for _ in 0..1000 {
        seen[random.below(10).unwrap() as usize] = true;
    }
    assert_eq!(seen, [true; 10]);
    assert_eq!(random.below(0), None);
    assert_ne!(Random::seeded().next_u64(), Random::seeded().next_u64());
}
