//! A serde deserializer over a document's tree, whose errors know where they stand.
//!
//! What Kubernetes' API server does with fields is done here too: an unknown field is an error (with
//! the names that the static field list of `deserialize_struct` gives), and a field that is written
//! without a value counts as not written. All unknown fields of an object are reported, not only the
//! first.

mod access;

use std::cell::RefCell;

use daemun_model::verdict::FieldPath;
use serde::de::{Deserializer, Visitor};

use access::{Fields, Items, Variant};

use super::document::{Entry, Node, Value};
use super::fault::Fault;
use super::scalar::Resolved;

/// What one object's deserialization shares.
#[derive(Default)]
pub(super) struct Shared {
    /// Unknown fields, as they are met.
    pub(super) faults: RefCell<Vec<Fault>>,
    /// No message may quote a value: it may be a secret.
    pub(super) hide_values: bool,
}

/// The way from the object to a node, kept on the stack so that it costs nothing while all is well.
pub(super) enum Trail<'p> {
    Root,
    Field(&'p Trail<'p>, &'p str),
    Index(&'p Trail<'p>, usize),
}

impl Trail<'_> {
    /// The way as a path.
    pub(super) fn path(&self) -> FieldPath {
        match self {
            Self::Root => FieldPath::root(),
            Self::Field(parent, field) => parent.path().key(field),
            Self::Index(parent, index) => parent.path().index(*index),
        }
    }
}

/// Deserializes one node.
#[derive(Clone, Copy)]
pub(super) struct NodeDeserializer<'a, 'p> {
    pub(super) node: &'a Node,
    pub(super) trail: &'p Trail<'p>,
    pub(super) shared: &'p Shared,
}

impl<'a> NodeDeserializer<'a, '_> {
    fn at(&self, fault: Fault) -> Fault {
        fault.at(self.node.place, || self.trail.path())
    }

    /// The fault of finding this node where something else is expected.
    fn mismatch(&self, expected: &str) -> Fault {
        let found = match &self.node.value {
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
            Value::Scalar { resolved, .. } => match resolved {
                Resolved::Null => "nothing",
                Resolved::Bool(true) => "true",
                Resolved::Bool(false) => "false",
                Resolved::Integer(_) | Resolved::Float(_) => "a number",
                Resolved::String => "a string",
            },
        };
        self.at(Fault::mismatch(found, expected))
    }

    fn items(&self) -> Option<&'a [Node]> {
        match &self.node.value {
            Value::List(items) => Some(items),
            Value::Scalar { .. } | Value::Map(_) => None,
        }
    }

    fn map(&self) -> Option<&'a [Entry]> {
        match &self.node.value {
            Value::Map(entries) => Some(entries),
            Value::Scalar { .. } | Value::List(_) => None,
        }
    }

    fn integer<T, V: Visitor<'a>>(
        self,
        (low, high): (i128, i128),
        visitor: V,
        visit: impl FnOnce(V, T) -> Result<V::Value, Fault>,
    ) -> Result<V::Value, Fault>
    where
        T: TryFrom<i128>,
    {
        let expected = || {
            if high > i128::from(i32::MAX) {
                "a whole number".to_owned()
            } else {
                format!("a whole number from {low} to {high}")
            }
        };
        let number = match &self.node.value {
            Value::Scalar {
                resolved: Resolved::Integer(number),
                ..
            } => *number,
            _ => return Err(self.mismatch(&expected())),
        };
        match T::try_from(number) {
            Ok(value) => visit(visitor, value).map_err(|fault| self.at(fault)),
            Err(_) => {
                let found = number.to_string();
                Err(self.at(Fault::mismatch(&found, &expected())))
            }
        }
    }

    fn report_unknown(&self, entries: &[Entry], fields: &'static [&'static str]) {
        for entry in entries {
            if fields.contains(&entry.key.as_str()) {
                continue;
            }
            let fault = Fault::unknown("unknown field", &entry.key, fields)
                .at(entry.key_place, || self.trail.path());
            self.shared.faults.borrow_mut().push(fault);
        }
    }
}

macro_rules! integers {
    ($($method:ident, $visit:ident, $type:ty;)+) => {$(
        fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
            let range = (i128::from(<$type>::MIN), i128::from(<$type>::MAX));
            self.integer::<$type, V>(range, visitor, |visitor, value| visitor.$visit(value))
        }
    )+};
}

impl<'a> Deserializer<'a> for NodeDeserializer<'a, '_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        let (text, resolved) = match &self.node.value {
            Value::List(_) => return self.deserialize_seq(visitor),
            Value::Map(_) => return self.deserialize_map(visitor),
            Value::Scalar { text, resolved } => (text, *resolved),
        };
        let value = match resolved {
            Resolved::Null => visitor.visit_unit(),
            Resolved::Bool(value) => visitor.visit_bool(value),
            Resolved::Float(value) => visitor.visit_f64(value),
            Resolved::String => visitor.visit_borrowed_str(text),
            Resolved::Integer(value) => match (u64::try_from(value), i64::try_from(value)) {
                (Ok(value), _) => visitor.visit_u64(value),
                (_, Ok(value)) => visitor.visit_i64(value),
                _ => visitor.visit_i128(value),
            },
        };
        value.map_err(|fault| self.at(fault))
    }

    integers! {
        deserialize_u8, visit_u8, u8;
        deserialize_u16, visit_u16, u16;
        deserialize_u32, visit_u32, u32;
        deserialize_u64, visit_u64, u64;
        deserialize_i8, visit_i8, i8;
        deserialize_i16, visit_i16, i16;
        deserialize_i32, visit_i32, i32;
        deserialize_i64, visit_i64, i64;
    }

    fn deserialize_bool<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::Scalar {
                resolved: Resolved::Bool(value),
                ..
            } => visitor.visit_bool(*value).map_err(|fault| self.at(fault)),
            _ => Err(self.mismatch("true or false")),
        }
    }

    fn deserialize_f64<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::Scalar {
                resolved: Resolved::Integer(_) | Resolved::Float(_),
                ..
            } => self.deserialize_any(visitor),
            _ => Err(self.mismatch("a number")),
        }
    }

    fn deserialize_f32<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_str<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::Scalar {
                text,
                resolved: Resolved::String,
            } => visitor
                .visit_borrowed_str(text)
                .map_err(|fault| self.at(fault)),
            Value::Scalar {
                text,
                resolved: Resolved::Bool(_) | Resolved::Integer(_) | Resolved::Float(_),
            } => {
                let fault = self.mismatch("a string");
                Err(fault.with_remedy(if self.shared.hide_values {
                    "write it with quotes".to_owned()
                } else {
                    format!("write \"{text}\", with quotes")
                }))
            }
            _ => Err(self.mismatch("a string")),
        }
    }

    fn deserialize_string<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.node.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_unit<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.node.is_null() {
            visitor.visit_unit()
        } else {
            Err(self.mismatch("nothing"))
        }
    }

    fn deserialize_unit_struct<V: Visitor<'a>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor
            .visit_newtype_struct(self)
            .map_err(|fault| self.at(fault))
    }

    fn deserialize_seq<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        let Some(items) = self.items() else {
            return Err(self.mismatch("a list"));
        };
        let items = Items {
            parent: self,
            items: items.iter().enumerate(),
        };
        visitor.visit_seq(items).map_err(|fault| self.at(fault))
    }

    fn deserialize_tuple<V: Visitor<'a>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'a>>(
        self,
        _name: &'static str,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        let Some(entries) = self.map() else {
            return Err(self.mismatch("a mapping"));
        };
        let fields = Fields {
            parent: self,
            entries: entries.iter(),
            value: None,
            skip_null: false,
        };
        visitor.visit_map(fields).map_err(|fault| self.at(fault))
    }

    fn deserialize_struct<V: Visitor<'a>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let Some(entries) = self.map() else {
            return Err(self.mismatch("a mapping"));
        };
        self.report_unknown(entries, fields);
        let fields = Fields {
            parent: self,
            entries: entries.iter(),
            value: None,
            skip_null: true,
        };
        visitor.visit_map(fields).map_err(|fault| self.at(fault))
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let variant = match &self.node.value {
            Value::Scalar {
                text,
                resolved: Resolved::String,
            } => Variant {
                parent: self,
                name: text,
                content: None,
            },
            Value::Map(entries) if entries.len() == 1 => Variant {
                parent: self,
                name: &entries[0].key,
                content: Some(&entries[0].value),
            },
            _ => return Err(self.mismatch("a string")),
        };
        visitor.visit_enum(variant).map_err(|fault| self.at(fault))
    }

    fn deserialize_ignored_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { <V: Visitor<'a>> i128 u128 }
}

#[cfg(test)]
mod tests;
