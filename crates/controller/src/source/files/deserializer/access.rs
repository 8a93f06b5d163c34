//! What is inside of a list, a mapping or an enum's value, one after the other.

use serde::de::{
    DeserializeSeed, Deserializer as _, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

use super::super::document::{Entry, Node};
use super::super::fault::Fault;
use super::{NodeDeserializer, Trail};

/// The items of a list.
pub(super) struct Items<'a, 'p> {
    pub(super) parent: NodeDeserializer<'a, 'p>,
    pub(super) items: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
}

impl<'a> SeqAccess<'a> for Items<'a, '_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'a>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let Some((index, node)) = self.items.next() else {
            return Ok(None);
        };
        let trail = &Trail::Index(self.parent.trail, index);
        let shared = self.parent.shared;
        let item = NodeDeserializer {
            node,
            trail,
            shared,
        };
        let value = seed.deserialize(item).map_err(|fault| item.at(fault))?;
        Ok(Some(value))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// The fields of a mapping.
pub(super) struct Fields<'a, 'p> {
    pub(super) parent: NodeDeserializer<'a, 'p>,
    pub(super) entries: std::slice::Iter<'a, Entry>,
    pub(super) value: Option<&'a Entry>,
    /// Fields of a struct that are written without a value count as not written.
    pub(super) skip_null: bool,
}

impl<'a> MapAccess<'a> for Fields<'a, '_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'a>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        let skip_null = self.skip_null;
        let next = self
            .entries
            .find(|entry| !(skip_null && entry.value.is_null()));
        let Some(entry) = next else { return Ok(None) };
        self.value = Some(entry);
        let key = serde::de::value::BorrowedStrDeserializer::new(entry.key.as_str());
        let parent = self.parent;
        let at = |fault: Fault| fault.at(entry.key_place, || parent.trail.path());
        seed.deserialize(key).map(Some).map_err(at)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let Some(entry) = self.value.take() else {
            return Err(Fault::new("a value was asked for before its key"));
        };
        let trail = &Trail::Field(self.parent.trail, &entry.key);
        let shared = self.parent.shared;
        let value = NodeDeserializer {
            node: &entry.value,
            trail,
            shared,
        };
        seed.deserialize(value).map_err(|fault| value.at(fault))
    }
}

/// A variant of an enum: its name, or a mapping of just its name.
pub(super) struct Variant<'a, 'p> {
    pub(super) parent: NodeDeserializer<'a, 'p>,
    pub(super) name: &'a str,
    pub(super) content: Option<&'a Node>,
}

impl<'a, 'p> Variant<'a, 'p> {
    fn with_content<T>(
        self,
        use_it: impl FnOnce(NodeDeserializer<'a, '_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let Some(node) = self.content else {
            return Err(self.parent.mismatch("a mapping"));
        };
        let trail = &Trail::Field(self.parent.trail, self.name);
        let shared = self.parent.shared;
        use_it(NodeDeserializer {
            node,
            trail,
            shared,
        })
    }
}

impl<'a> EnumAccess<'a> for Variant<'a, '_> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'a>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        let name = IntoDeserializer::<Fault>::into_deserializer(self.name);
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'a> VariantAccess<'a> for Variant<'a, '_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        match self.content {
            None => Ok(()),
            Some(_) => Err(self.parent.mismatch("a string")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'a>>(self, seed: T) -> Result<T::Value, Fault> {
        self.with_content(|content| seed.deserialize(content))
    }

    fn tuple_variant<V: Visitor<'a>>(self, length: usize, visitor: V) -> Result<V::Value, Fault> {
        self.with_content(|content| content.deserialize_tuple(length, visitor))
    }

    fn struct_variant<V: Visitor<'a>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.with_content(|content| content.deserialize_struct("", fields, visitor))
    }
}
