//! The versions of all resources of a Gateway, and of all of them together.
//!
//! Both ends come to the same root without telling each other more, and one change among thousands costs the work of
//! one of 256 buckets.

use std::fmt;

use daemun_model::persistent::Map;
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::resource::{Name, Version};

/// The versions of resources, by name. Cheap to copy.
#[derive(Clone)]
pub struct Versions {
    /// By bucket first.
    entries: Map<(u8, Name), Version>,
    /// The version of each bucket; none if it is not known.
    buckets: Box<[Option<Version>; 256]>,
}

impl Default for Versions {
    fn default() -> Self {
        Self {
            entries: Map::default(),
            buckets: Box::new([Some(Version::default()); 256]),
        }
    }
}

impl fmt::Debug for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Versions {
    /// Whether there is no resource.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many resources there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// A resource's version.
    pub fn get(&self, name: &Name) -> Option<Version> {
        self.entries.get(&key(name)).copied()
    }

    /// Notes a resource's version; gives the one before.
    pub fn insert(&mut self, name: &Name, version: Version) -> Option<Version> {
        let key = key(name);
        self.touch(key.0);
        self.entries.insert(key, version)
    }

    /// Forgets a resource.
    pub fn remove(&mut self, name: &Name) {
        let key = key(name);
        self.touch(key.0);
        self.entries.remove(&key);
    }

    /// All of them, in no order that means something.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, Version)> {
        self.entries
            .iter()
            .map(|((_, name), version)| (name, *version))
    }

    /// The version of all resources together.
    pub fn root(&mut self) -> Version {
        let Self { entries, buckets } = self;
        for (number, bucket) in (0..=u8::MAX).zip(buckets.iter_mut()) {
            bucket.get_or_insert_with(|| of_bucket(entries, number));
        }
        Version::of_all(buckets.iter().flatten())
    }

    fn touch(&mut self, bucket: u8) {
        if let Some(bucket) = self.buckets.get_mut(usize::from(bucket)) {
            *bucket = None;
        }
    }
}

/// Nothing has the version of nothing.
fn of_bucket(entries: &Map<(u8, Name), Version>, number: u8) -> Version {
    let first = (number, Name::default());
    let mut inside = entries
        .iter_from(&first)
        .take_while(|((bucket, _), _)| *bucket == number)
        .map(|(_, version)| version)
        .peekable();
    if inside.peek().is_none() {
        return Version::default();
    }
    // Each resource says by itself which it is.
    Version::of_all(inside)
}

fn key(name: &Name) -> (u8, Name) {
    (name.bucket(), name.clone())
}

impl Serialize for Versions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Versions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Versions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("names and versions")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Versions, A::Error> {
                let mut versions = Versions::default();
                while let Some((name, version)) = seq.next_element::<(Name, Version)>()? {
                    if versions.insert(&name, version).is_some() {
                        return Err(de::Error::custom(format_args!("{name} is there twice")));
                    }
                }
                Ok(versions)
            }
        }
        deserializer.deserialize_seq(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::Versions;
    use crate::resource::{Name, Version};

    #[test]
    fn the_root_follows_from_what_is_there_and_not_from_how_it_came() {
        let name = |number: u32| Name::from(format!("route {number}"));
        let version = |number: u32| Version::of(&number.to_be_bytes());
        let (mut one, mut two) = (Versions::default(), Versions::default());
        assert_eq!(one.root(), two.root());
        for number in 0..1000 {
            one.insert(&name(number), version(number));
            one.root();
            two.insert(&name(999 - number), version(999 - number));
        }
        assert_eq!(one.root(), two.root());
        let before = one.root();
        one.insert(&name(7), version(8));
        assert_ne!(one.root(), before);
        one.insert(&name(7), version(7));
        one.insert(&name(1000), version(1000));
        assert_ne!(one.root(), before);
        one.remove(&name(1000));
        assert_eq!(one.root(), before);
    }
}
