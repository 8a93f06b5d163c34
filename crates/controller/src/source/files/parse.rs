//! From a text to the trees of its documents.
//!
//! The trees are built from the parser's events and not by serde, because serde forgets positions. This
//! is not a general YAML library: what Kubernetes' objects cannot use (keys that are not scalars, tags
//! of one's own) is refused.
//!
//! What input can cost is bounded: nesting by [`MAX_DEPTH`], what aliases unfold to by [`MAX_NODES`].

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::document::{Entry, Node, Place, Value};
use super::scalar::{Resolved, resolve};

/// Collections inside one another.
pub(super) const MAX_DEPTH: usize = 64;
/// Nodes of one document, aliases unfolded; a long string counts as several.
pub(super) const MAX_NODES: usize = 2_000_000;

/// Why a text is not a document, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) place: Place,
    /// A sentence without its full stop, beginning in lower case.
    pub(super) message: String,
}

/// A document that was read.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) root: Node,
    /// Where keys are repeated: the first stays in the tree, and whoever uses the document must say so.
    pub(super) repeated: Vec<Broken>,
}

/// Reads the documents of a text. Documents without content are left out.
///
/// # Errors
/// The first place where the text is not YAML, or is more than the limits allow; with the documents
/// that stand before it.
pub(super) fn parse(text: &str) -> (Vec<Document>, Option<Broken>) {
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut builder = Builder::default();
    let mut documents = Vec::new();
    while let Some(next) = parser.next_event() {
        let (event, span) = match next {
            Ok(next) => next,
            Err(error) => {
                let mark = error.marker();
                let place = point(mark.line(), mark.col());
                let message = error.info();
                return (documents, Some(Broken { place, message }));
            }
        };
        if matches!(event, Event::DocumentEnd) {
            documents.extend(builder.finish());
        } else if let Err(broken) = builder.take(event, span) {
            return (documents, Some(broken));
        }
    }
    (documents, None)
}

/// A collection that is not closed yet.
struct Open {
    anchor: usize,
    place: Place,
    parts: Parts,
}

enum Parts {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        /// A key whose value is still to come.
        key: Option<(String, Place)>,
    },
}

/// A node that aliases can name, with its weight and height.
struct Anchored {
    node: Node,
    weight: usize,
    height: usize,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
    anchors: HashMap<usize, Anchored>,
    repeated: Vec<Broken>,
    nodes: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Broken> {
        let place = place_of(&span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let resolved = resolved(&text, style, tag.as_deref(), place)?;
                let text = text.into_owned();
                let value = Value::Scalar { text, resolved };
                self.put(Node { value, place }, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                known_tag(tag, "seq", place)?;
                self.start(anchor, place, Parts::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                known_tag(tag, "map", place)?;
                let (entries, key) = (Vec::new(), None);
                self.start(anchor, place, Parts::Map { entries, key })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(id) => self.alias(id, place),
            // Stream and document marks carry nothing; metadata events are not asked for.
            _ => Ok(()),
        }
    }

    fn start(&mut self, anchor: usize, place: Place, parts: Parts) -> Result<(), Broken> {
        self.open.push(Open {
            anchor,
            place,
            parts,
        });
        self.check_depth(0, place)
    }

    fn check_depth(&self, below: usize, place: Place) -> Result<(), Broken> {
        if self.open.len() + below > MAX_DEPTH {
            let message = format!("lists and mappings are nested more than {MAX_DEPTH} deep");
            return Err(Broken { place, message });
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Broken> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let Open {
            anchor,
            place,
            parts,
        } = open;
        let value = match parts {
            Parts::List(items) => Value::List(items),
            Parts::Map { entries, key: _ } => {
                let entries = merged(entries);
                Value::Map(unique(entries, &mut self.repeated))
            }
        };
        self.put(Node { value, place }, anchor)
    }

    fn alias(&mut self, id: usize, place: Place) -> Result<(), Broken> {
        let Some(Anchored {
            node,
            weight,
            height,
        }) = self.anchors.get(&id)
        else {
            let message = "this alias stands inside of what it names".to_owned();
            return Err(Broken { place, message });
        };
        self.check_depth(*height, place)?;
        // The budget is checked before the copy is made: ten lines can name a billion nodes.
        self.nodes = self.nodes.saturating_add(*weight);
        self.check_nodes(place)?;
        let mut node = node.clone();
        node.place = place;
        self.attach(node)
    }

    fn check_nodes(&self, place: Place) -> Result<(), Broken> {
        if self.nodes > MAX_NODES {
            let message = format!("the document has more than {MAX_NODES} values");
            return Err(Broken { place, message });
        }
        Ok(())
    }

    /// Puts a finished node where it belongs.
    fn put(&mut self, node: Node, anchor: usize) -> Result<(), Broken> {
        self.nodes = self.nodes.saturating_add(own_weight(&node));
        self.check_nodes(node.place)?;
        if anchor != 0 {
            let (weight, height) = measure(&node);
            self.nodes = self.nodes.saturating_add(weight);
            self.check_nodes(node.place)?;
            let node = node.clone();
            self.anchors.insert(
                anchor,
                Anchored {
                    node,
                    weight,
                    height,
                },
            );
        }
        self.attach(node)
    }

    fn attach(&mut self, node: Node) -> Result<(), Broken> {
        match self.open.last_mut().map(|open| &mut open.parts) {
            None => self.root = Some(node),
            Some(Parts::List(items)) => items.push(node),
            Some(Parts::Map { entries, key }) => match key.take() {
                Some((key, key_place)) => entries.push(Entry {
                    key,
                    key_place,
                    value: node,
                }),
                None => *key = Some(key_of(node)?),
            },
        }
        Ok(())
    }

    fn finish(&mut self) -> Option<Document> {
        let Self { root, repeated, .. } = std::mem::take(self);
        let root = root?;
        (!root.is_null()).then_some(Document { root, repeated })
    }
}

fn key_of(node: Node) -> Result<(String, Place), Broken> {
    match node.value {
        Value::Scalar { text, .. } => Ok((text, node.place)),
        Value::List(_) | Value::Map(_) => Err(Broken {
            place: node.place,
            message: "a list or mapping cannot be a key; keys are words".to_owned(),
        }),
    }
}

fn resolved(
    text: &str,
    style: ScalarStyle,
    tag: Option<&Tag>,
    place: Place,
) -> Result<Resolved, Broken> {
    match tag.map(|tag| (tag, tag.core_suffix())) {
        None => Ok(match style {
            ScalarStyle::Plain => resolve(text),
            _ => Resolved::String,
        }),
        Some((_, Some("str"))) => Ok(Resolved::String),
        Some((_, Some("null" | "bool" | "int" | "float"))) => Ok(resolve(text)),
        Some((tag, _)) => Err(unknown_tag(tag, place)),
    }
}

fn known_tag(tag: Option<Cow<'_, Tag>>, expected: &str, place: Place) -> Result<(), Broken> {
    match tag {
        Some(tag) if tag.core_suffix() != Some(expected) => Err(unknown_tag(&tag, place)),
        _ => Ok(()),
    }
}

fn unknown_tag(tag: &Tag, place: Place) -> Broken {
    let message = format!(
        "the tag {} has no meaning here; leave it out",
        tag.original()
    );
    Broken { place, message }
}

/// Puts the entries of `<<: *base` where they are not written themselves.
fn merged(entries: Vec<Entry>) -> Vec<Entry> {
    let is_merge =
        |entry: &Entry| entry.key == "<<" && !matches!(entry.value.value, Value::Scalar { .. });
    if !entries.iter().any(is_merge) {
        return entries;
    }
    let (merges, mut own): (Vec<_>, Vec<_>) = entries.into_iter().partition(is_merge);
    let mut seen: HashSet<String> = own.iter().map(|entry| entry.key.clone()).collect();
    for merge in merges {
        let bases = match merge.value.value {
            Value::List(items) => items,
            value @ (Value::Map(_) | Value::Scalar { .. }) => vec![Node {
                value,
                place: merge.value.place,
            }],
        };
        for base in bases {
            if let Value::Map(entries) = base.value {
                own.extend(
                    entries
                        .into_iter()
                        .filter(|entry| seen.insert(entry.key.clone())),
                );
            }
        }
    }
    own
}

/// Keeps the first entry of every key and notes the others.
fn unique(mut entries: Vec<Entry>, repeated: &mut Vec<Broken>) -> Vec<Entry> {
    let twice = |index: usize| {
        let (before, rest) = entries.split_at(index);
        before.iter().find(|entry| entry.key == rest[0].key)
    };
    let few = entries.len() <= 16;
    if few && (1..entries.len()).all(|index| twice(index).is_none()) {
        return entries;
    }
    let mut first: HashMap<String, Place> = HashMap::with_capacity(entries.len());
    entries.retain(|entry| match first.get(&entry.key) {
        Some(before) => {
            let message = format!(
                "the key \"{}\" stands twice in one mapping; it is already in line {}",
                entry.key, before.line
            );
            let place = entry.key_place;
            repeated.push(Broken { place, message });
            false
        }
        None => {
            first.insert(entry.key.clone(), entry.key_place);
            true
        }
    });
    entries
}

/// A long text counts as several nodes, so that aliases to it are bounded too.
fn own_weight(node: &Node) -> usize {
    match &node.value {
        Value::Scalar { text, .. } => 1 + text.len() / 64,
        Value::List(_) | Value::Map(_) => 1,
    }
}

/// How much a node weighs with all below it, and how many collections it is high.
fn measure(node: &Node) -> (usize, usize) {
    let below: Vec<(usize, usize)> = match &node.value {
        Value::Scalar { .. } => return (own_weight(node), 0),
        Value::List(items) => items.iter().map(measure).collect(),
        Value::Map(entries) => entries.iter().map(|entry| measure(&entry.value)).collect(),
    };
    let weight = below.iter().map(|(weight, _)| weight).sum::<usize>();
    let height = below.iter().map(|(_, height)| *height).max().unwrap_or(0);
    (1 + weight, 1 + height)
}

fn place_of(span: &Span) -> Place {
    let (start, end) = (span.start, span.end);
    let mut place = point(start.line(), start.col());
    if start.line() == end.line() {
        let length = end.col().saturating_sub(start.col()).max(1);
        place.length = u32::try_from(length).unwrap_or(u32::MAX);
    }
    place
}

fn point(line: usize, column_from_zero: usize) -> Place {
    Place {
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(column_from_zero.saturating_add(1)).unwrap_or(u32::MAX),
        length: 1,
    }
}

#[cfg(test)]
mod tests;
