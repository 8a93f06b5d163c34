//! A sorted map that is cheap to copy and to compare with what it was copied from.
//!
//! Thousands of Routes are in a map of which each translation, each commit and each compilation holds a copy, and one
//! of them changes at a time. The entries lie in chunks that copies share: a change copies the chunk it falls into
//! and the list of chunks, and [`Map::differences`] passes over chunks that both maps share. So the cost of a
//! change follows what changed, not what exists. It is not a concurrent map: whoever holds one sees it stand still.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// Entries in a chunk at most; a fuller one is split in two.
const FULL: usize = 64;
/// A chunk with fewer is joined to its neighbour, where both fit into one.
const SPARSE: usize = 16;

type Chunk<K, V> = Arc<Vec<(K, V)>>;

/// A sorted map. A copy shares all that neither changes.
pub struct Map<K, V> {
    /// None of them empty; sorted, and so are the entries of each.
    chunks: Arc<Vec<Chunk<K, V>>>,
    len: usize,
}

impl<K, V> Map<K, V> {
    /// A map without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All entries, in the order of their keys.
    pub fn iter(&self) -> Iter<'_, K, V> {
        Iter {
            chunks: self.chunks.iter(),
            chunk: [].iter(),
            left: self.len,
        }
    }

    /// All keys, in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// All values, in the order of their keys.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// Whether this is a copy of the other that neither has changed since. Maps that are not may still be equal.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.chunks, &other.chunks)
    }
}

impl<K: Ord, V> Map<K, V> {
    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let chunk = self.chunks.get(self.chunk_of(key))?;
        let place = search(chunk, key).ok()?;
        chunk.get(place).map(|(_, value)| value)
    }

    /// Whether a key is there.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(key).is_some()
    }

    /// The entries from a key on, that key included if it is there.
    pub fn iter_from<'a, Q: Ord + ?Sized>(
        &'a self,
        key: &Q,
    ) -> impl Iterator<Item = (&'a K, &'a V)> + use<'a, K, V, Q>
    where
        K: Borrow<Q>,
    {
        let first = self.chunk_of(key);
        let skipped = self.chunks.get(first).map_or(0, |chunk| {
            search(chunk, key).unwrap_or_else(|insertion| insertion)
        });
        let chunks = self.chunks.get(first..).unwrap_or_default();
        let entries = chunks.iter().flat_map(|chunk| chunk.iter());
        entries.skip(skipped).map(|(key, value)| (key, value))
    }

    /// The place of the chunk that has a key, or would have it: the last that begins at or before it.
    fn chunk_of<Q: Ord + ?Sized>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
    {
        let begins_before = |chunk: &Chunk<K, V>| {
            let first = chunk.first();
            first.is_some_and(|(first, _)| first.borrow() <= key)
        };
        self.chunks.partition_point(begins_before).saturating_sub(1)
    }

    /// The keys at which the two maps differ, in order: at which one has no entry, or for which `same` says that the
    /// values are not the same. What both maps share is not looked at.
    pub fn differences<'a>(&'a self, other: &'a Self, same: impl Fn(&V, &V) -> bool) -> Vec<&'a K> {
        let (mut ours, mut theirs) = (Walk::new(&self.chunks), Walk::new(&other.chunks));
        let mut keys = Vec::new();
        if self.is_same(other) {
            return keys;
        }
        loop {
            Walk::pass_shared(&mut ours, &mut theirs);
            match (ours.entry(), theirs.entry()) {
                (None, None) => return keys,
                (Some((key, _)), None) => {
                    keys.push(key);
                    ours.next();
                }
                (None, Some((key, _))) => {
                    keys.push(key);
                    theirs.next();
                }
                (Some((one, value)), Some((two, other))) => {
                    let order = one.cmp(two);
                    if order.is_ne() || !same(value, other) {
                        keys.push(if order.is_gt() { two } else { one });
                    }
                    if order.is_le() {
                        ours.next();
                    }
                    if order.is_ge() {
                        theirs.next();
                    }
                }
            }
        }
    }
}

impl<K: Ord + Clone, V: Clone> Map<K, V> {
    /// Puts a value under a key and gives back what was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let place = self.chunk_of(&key);
        let chunks = Arc::make_mut(&mut self.chunks);
        let Some(shared) = chunks.get_mut(place) else {
            chunks.push(Arc::new(vec![(key, value)]));
            self.len += 1;
            return None;
        };
        let chunk = Arc::make_mut(shared);
        match search(chunk, &key) {
            Ok(found) => Some(std::mem::replace(&mut chunk[found].1, value)),
            Err(insertion) => {
                chunk.insert(insertion, (key, value));
                if chunk.len() > FULL {
                    let rest = chunk.split_off(FULL / 2);
                    chunks.insert(place + 1, Arc::new(rest));
                }
                self.len += 1;
                None
            }
        }
    }

    /// Takes a key out and gives back its value.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let place = self.chunk_of(key);
        let found = search(self.chunks.get(place)?, key).ok()?;
        let chunks = Arc::make_mut(&mut self.chunks);
        let chunk = Arc::make_mut(&mut chunks[place]);
        let (_, value) = chunk.remove(found);
        self.len -= 1;
        if chunk.is_empty() {
            chunks.remove(place);
        } else if chunk.len() < SPARSE
            && let Some(next) = chunks.get(place + 1)
            && chunks[place].len() + next.len() <= FULL
        {
            let next = chunks.remove(place + 1);
            Arc::make_mut(&mut chunks[place]).extend(next.iter().cloned());
        }
        Some(value)
    }
}

fn search<K, V, Q: Ord + ?Sized>(chunk: &[(K, V)], key: &Q) -> Result<usize, usize>
where
    K: Borrow<Q>,
{
    chunk.binary_search_by(|(at, _)| at.borrow().cmp(key))
}

/// A place in a map that knows at which chunk it stands.
struct Walk<'a, K, V> {
    chunks: &'a [Chunk<K, V>],
    at: usize,
}

impl<'a, K, V> Walk<'a, K, V> {
    fn new(chunks: &'a [Chunk<K, V>]) -> Self {
        Self { chunks, at: 0 }
    }

    fn entry(&self) -> Option<&'a (K, V)> {
        self.chunks.first()?.get(self.at)
    }

    fn next(&mut self) {
        self.at += 1;
        if self
            .chunks
            .first()
            .is_some_and(|chunk| self.at >= chunk.len())
        {
            self.pass_chunk();
        }
    }

    fn pass_chunk(&mut self) {
        self.chunks = self.chunks.get(1..).unwrap_or_default();
        self.at = 0;
    }

    /// Passes over the chunks that stand at the front of both and are the very same.
    fn pass_shared(one: &mut Self, two: &mut Self) {
        while one.at == 0
            && two.at == 0
            && let (Some(first), Some(other)) = (one.chunks.first(), two.chunks.first())
            && Arc::ptr_eq(first, other)
        {
            one.pass_chunk();
            two.pass_chunk();
        }
    }
}

/// The entries of a map, in order.
pub struct Iter<'a, K, V> {
    chunks: std::slice::Iter<'a, Chunk<K, V>>,
    chunk: std::slice::Iter<'a, (K, V)>,
    left: usize,
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((key, value)) = self.chunk.next() {
                self.left -= 1;
                return Some((key, value));
            }
            self.chunk = self.chunks.next()?.iter();
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<K, V> ExactSizeIterator for Iter<'_, K, V> {}

impl<'a, K, V> IntoIterator for &'a Map<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Map<K, V> {
    /// Of several values for a key the last one counts.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let sorted: std::collections::BTreeMap<K, V> = entries.into_iter().collect();
        let len = sorted.len();
        let mut entries = sorted.into_iter();
        let mut chunks = Vec::with_capacity(len.div_ceil(FULL / 2));
        // Half full, so that what comes later does not split each of them at once.
        while let size @ 1.. = entries.len().min(FULL / 2) {
            chunks.push(Arc::new(entries.by_ref().take(size).collect::<Vec<_>>()));
        }
        Self {
            chunks: Arc::new(chunks),
            len,
        }
    }
}

impl<K: Ord, V, const N: usize> From<[(K, V); N]> for Map<K, V> {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self {
            chunks: Arc::default(),
            len: 0,
        }
    }
}

impl<K, V> Clone for Map<K, V> {
    fn clone(&self) -> Self {
        Self {
            chunks: Arc::clone(&self.chunks),
            len: self.len,
        }
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for Map<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && (self.is_same(other) || self.iter().eq(other.iter()))
    }
}

impl<K: Eq, V: Eq> Eq for Map<K, V> {}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<K: Serialize, V: Serialize> Serialize for Map<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Map;

    /// A source of numbers that is the same in every run (xorshift64, Marsaglia).
    fn next(state: &mut u64) -> u64 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state
    }

    #[test]
    fn it_holds_what_a_plain_map_holds_and_its_copies_stand_still() {
        let mut state = 7;
        let (mut map, mut plain) = (Map::new(), BTreeMap::new());
        for round in 0..6_000_u64 {
            let before = (map.clone(), plain.clone());
            let key = next(&mut state) % 700;
            // It grows first and shrinks later, so that chunks are split and joined.
            if next(&mut state) % 8 < if round < 3_000 { 6 } else { 2 } {
                assert_eq!(map.insert(key, round), plain.insert(key, round));
            } else {
                assert_eq!(map.remove(&key), plain.remove(&key));
            }
            assert_eq!(map.len(), plain.len());
            assert_eq!(map.get(&key), plain.get(&key));
            if round % 50 == 0 {
                assert!(map.iter().eq(plain.iter()));
                assert!(map.iter_from(&key).eq(plain.range(key..)));
                assert!(before.0.iter().eq(before.1.iter()));
                assert_eq!(plain.clone().into_iter().collect::<Map<_, _>>(), map);
            }
            let expected: Vec<&u64> = match before.1.get(&key) == plain.get(&key) {
                true => Vec::new(),
                false => vec![&key],
            };
            assert_eq!(map.differences(&before.0, |one, two| one == two), expected);
        }
    }

    #[test]
    fn differences_of_unrelated_maps_are_those_of_their_entries() {
        let one: Map<u32, u32> = (0..500).map(|key| (key * 2, 0)).collect();
        let two: Map<u32, u32> = (0..500).map(|key| (key * 3, key % 2)).collect();
        let expected: Vec<u32> = (0..1_500)
            .filter(|key| one.get(key) != two.get(key))
            .collect();
        let differences = one.differences(&two, |one, two| one == two);
        assert!(differences.into_iter().eq(&expected));
        assert!(
            one.differences(&Map::new(), |_, _| true)
                .into_iter()
                .eq(one.keys())
        );
    }

    #[test]
    fn what_is_shared_is_not_compared() {
        let old: Map<u32, u32> = (0..10_000).map(|key| (key, 0)).collect();
        let mut new = old.clone();
        new.insert(5_000, 1);
        let compared = std::cell::Cell::new(0);
        let same = |one: &u32, two: &u32| {
            compared.set(compared.get() + 1);
            one == two
        };
        assert_eq!(new.differences(&old, same), [&5_000]);
        assert!(compared.get() <= super::FULL);
    }
}
