//! Just enough of protobuf's wire format to ask a question and read the answer: numbers and length-delimited
//! fields. Nothing here knows what the fields mean.

/// A message that is being written.
#[derive(Debug, Default)]
pub(super) struct Writer(Vec<u8>);

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// A number, as varint.
    Number(u64),
    /// Text, bytes, or a message.
    Bytes(&'a [u8]),
    /// Of a type that no field of ours has.
    Other,
}

const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const DELIMITED: u64 = 2;
const FIXED_32: u64 = 5;

impl Writer {
    /// The message's bytes.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// A number; 0 is the default and is not written.
    pub(super) fn number(&mut self, field: u32, value: u64) {
        if value != 0 {
            self.tag(field, VARINT);
            self.varint(value);
        }
    }

    /// Text or bytes; what is empty is the default and is not written.
    pub(super) fn bytes(&mut self, field: u32, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        if !bytes.is_empty() {
            self.delimited(field, bytes);
        }
    }

    /// A message within this one; written even if it is empty, since that it is there says something.
    pub(super) fn message(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        write(&mut inner);
        self.delimited(field, &inner.0);
    }

    fn delimited(&mut self, field: u32, bytes: &[u8]) {
        self.tag(field, DELIMITED);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn tag(&mut self, field: u32, kind: u64) {
        self.varint(u64::from(field) << 3 | kind);
    }

    fn varint(&mut self, mut value: u64) {
        loop {
            let low = value.to_le_bytes()[0];
            value >>= 7;
            if value == 0 {
                return self.0.push(low & 0x7f);
            }
            self.0.push(low | 0x80);
        }
    }
}

/// The fields of a message, in the order in which they were written. Ends with an error where the bytes are no
/// message.
pub(super) fn fields(bytes: &[u8]) -> Fields<'_> {
    Fields(bytes)
}

/// See [`fields`].
pub(super) struct Fields<'a>(&'a [u8]);

/// The bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Value<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or(Malformed))
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u32, Value<'a>)> {
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| *number > 0)?;
        let value = match tag & 7 {
            VARINT => Value::Number(self.varint()?),
            DELIMITED => {
                let length = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.take(length)?)
            }
            FIXED_64 => self.take(8).map(|_| Value::Other)?,
            FIXED_32 => self.take(4).map(|_| Value::Other)?,
            _ => return None,
        };
        Some((number, value))
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Malformed, Value, Writer, fields};

    #[test]
    fn what_was_written_is_read() {
        let mut writer = Writer::default();
        writer.number(1, 0);
        writer.number(2, 300);
        writer.bytes(3, "");
        writer.bytes(4, "text");
        writer.message(200, |inner| inner.number(9, u64::MAX));
        writer.message(5, |_| {});
        let bytes = writer.into_bytes();
        // As the encoding's own documentation writes 300.
        assert_eq!(&bytes[..3], [0x10, 0xac, 0x02]);
        let read: Vec<_> = fields(&bytes).map(Result::unwrap).collect();
        assert_eq!(
            read[..2],
            [(2, Value::Number(300)), (4, Value::Bytes(b"text"))]
        );
        let (200, Value::Bytes(inner)) = read[2] else {
            panic!("{read:?}")
        };
        let inner: Vec<_> = fields(inner).collect();
        assert_eq!(inner, [Ok((9, Value::Number(u64::MAX)))]);
        assert_eq!(read[3], (5, Value::Bytes(b"")));
    }

    #[test]
    fn other_types_are_passed_over_and_what_is_no_message_is_an_error() {
        let fixed = [0x0d, 1, 2, 3, 4, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x18, 7];
        let read: Vec<_> = fields(&fixed).map(Result::unwrap).collect();
        assert_eq!(
            read,
            [(1, Value::Other), (2, Value::Other), (3, Value::Number(7))]
        );
        for bytes in [
            &[0x0a, 5, b'a'][..],
            &[0x08],
            &[0x0b],
            &[0x00, 0],
            &[0x80; 11],
            &[
                0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
            ],
        ] {
            assert_eq!(fields(bytes).last(), Some(Err(Malformed)), "{bytes:?}");
        }
    }
}
