//! One document's text, read into objects or into what is wrong with it.
//!
//! A chunk is what is remembered of a file between two looks: its text, which objects are in it and
//! where they stand. It keeps no objects itself; those that are in force are held elsewhere, once.

use std::sync::Arc;

use daemun_model::names::{ObjectName, ObjectRef};
use daemun_model::verdict::{FieldPath, Severity, Step};
use daemun_objects::Any;
use daemun_translate::nearest::nearest;

use super::deserializer::{NodeDeserializer, Shared, Trail};
use super::document::{Node, Place, Value};
use super::fault::Fault;
use super::named::{NamedFile, named_files};
use super::parse::{Broken, Document, parse};
use super::problem::{Problem, Reason, Spot};
use super::text::{one_line, snippet};

/// A document's text and what was found in it.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// The text, from which places are found again.
    pub(super) text: String,
    /// The objects, in the order in which they stand.
    pub(super) entries: Vec<Entry>,
    /// What is wrong without belonging to an object that could be told.
    pub(super) flaws: Vec<Flaw>,
    /// Whether values of a Secret may stand in the text.
    pub(super) secret: bool,
}

/// An object of a chunk.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its name, shared by all who hold the object.
    pub(super) object: Arc<ObjectRef>,
    /// Where its name stands.
    pub(super) place: Place,
    /// Where the object stands in the tree of the chunk: document and steps (`items[3]` of a List).
    pub(super) position: Position,
    /// Files that it names; empty for most.
    pub(super) named: Vec<NamedFile>,
    /// What is wrong with it; empty if it could be read.
    pub(super) flaws: Vec<Flaw>,
}

/// The generation of an object that was not there before.
pub(super) const FIRST_GENERATION: i64 = 1;

/// Which node of a chunk an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) document: usize,
    pub(super) path: FieldPath,
}

/// Something that is wrong, without the file that it stands in: chunks move when lines are added
/// above them.
#[derive(Clone, Debug)]
pub(super) struct Flaw {
    pub(super) severity: Severity,
    pub(super) reason: Reason,
    pub(super) place: Place,
    pub(super) path: FieldPath,
    pub(super) message: String,
}

impl Flaw {
    fn error(reason: Reason, place: Place, message: impl AsRef<str>) -> Self {
        let message = one_line(message.as_ref());
        Self {
            severity: Severity::Error,
            reason,
            place,
            path: FieldPath::root(),
            message,
        }
    }
}

impl Chunk {
    /// Reads a document's text. The objects come beside the chunk, one for each entry without flaws,
    /// in the same order.
    pub(super) fn read(text: &str) -> (Self, Vec<Any>) {
        let (documents, broken) = parse(text);
        let mut reader = Reader::default();
        for (number, document) in documents.iter().enumerate() {
            reader.document(number, document);
        }
        let mut chunk = reader.chunk;
        if let Some(Broken { place, message }) = broken {
            chunk.secret |= may_be_secret(text);
            let message = if chunk.secret {
                "this is not YAML. What is wrong is not shown, because it may be a secret."
                    .to_owned()
            } else {
                format!("this is not YAML: {message}.")
            };
            chunk
                .flaws
                .push(Flaw::error(Reason::Malformed, place, message));
        }
        text.clone_into(&mut chunk.text);
        // There are thousands of chunks, most of one object.
        chunk.entries.shrink_to_fit();
        (chunk, reader.objects)
    }

    /// Whether something is wrong that may be any object.
    pub(super) fn is_unidentified(&self) -> bool {
        self.flaws
            .iter()
            .any(|flaw| flaw.severity == Severity::Error)
    }

    /// A place as people are shown it.
    pub(super) fn spot(&self, file: &Arc<str>, lines_before: u32, place: Place) -> Spot {
        Spot {
            file: Arc::clone(file),
            line: place.line.saturating_add(lines_before),
            column: place.column,
            snippet: (!self.secret).then(|| snippet(&self.text, lines_before, place)),
        }
    }

    /// A flaw as people are told it.
    pub(super) fn problem(
        &self,
        file: &Arc<str>,
        lines_before: u32,
        object: Option<&ObjectRef>,
        flaw: &Flaw,
    ) -> Problem {
        Problem {
            severity: flaw.severity,
            reason: flaw.reason,
            file: Arc::clone(file),
            spot: Some(self.spot(file, lines_before, flaw.place)),
            object: object.cloned(),
            path: flaw.path.clone(),
            message: flaw.message.clone(),
            kept: None,
        }
    }

    /// The chunk's trees, made again.
    pub(super) fn documents(&self) -> Vec<Document> {
        parse(&self.text).0
    }
}

impl Position {
    /// Where an object's field stands, or its nearest existing parent.
    pub(super) fn locate(&self, documents: &[Document], path: &FieldPath) -> Option<Place> {
        let root = &documents.get(self.document)?.root;
        let full = self.path.steps().iter().chain(path.steps());
        let full = full.fold(FieldPath::root(), |path, step| match step {
            Step::Field(field) => path.key(field),
            Step::Index(index) => path.index(*index),
        });
        Some(root.locate(&full))
    }
}

/// What does not parse cannot be asked for its kind. A Gateway may speak of Secrets, but it has no data.
fn may_be_secret(text: &str) -> bool {
    let mut words = text.split(|character: char| !character.is_alphanumeric());
    text.contains("Secret") && words.any(|word| word == "data" || word == "stringData")
}

#[derive(Default)]
struct Reader {
    chunk: Chunk,
    objects: Vec<Any>,
}

impl Reader {
    fn document(&mut self, number: usize, document: &Document) {
        let repeated: Vec<Flaw> = document
            .repeated
            .iter()
            .map(|broken| {
                let message = format!("{}.", broken.message);
                Flaw::error(Reason::Malformed, broken.place, message)
            })
            .collect();
        let position = Position {
            document: number,
            path: FieldPath::root(),
        };
        self.object(&document.root, position, &repeated);
    }

    /// Reads an object, or the objects of a List.
    fn object(&mut self, node: &Node, position: Position, repeated: &[Flaw]) {
        let head = match head(node) {
            Ok(head) => head,
            Err(flaw) => return self.chunk.flaws.push(flaw),
        };
        if let (Some(Value::List(items)), true) = (
            node.get("items").map(|items| &items.value),
            head.kind.ends_with("List"),
        ) {
            for (index, item) in items.iter().enumerate() {
                let path = position.path.field("items").index(index);
                let document = position.document;
                self.object(item, Position { document, path }, repeated);
            }
            return;
        }
        if let Some(object) = head.object() {
            self.known(node, &head, object, position, repeated);
        } else {
            self.chunk.flaws.push(head.unknown_kind(node));
        }
    }

    fn known(
        &mut self,
        node: &Node,
        head: &Head<'_>,
        object: ObjectRef,
        position: Position,
        repeated: &[Flaw],
    ) {
        let hide_values = head.kind == "Secret";
        self.chunk.secret |= hide_values;
        let mut flaws = repeated.to_vec();
        if let Some(flaw) = head.name_flaw() {
            flaws.push(flaw);
        }
        let read = deserialize(node, head, hide_values);
        let mut named = Vec::new();
        match read {
            Ok(mut any) => {
                put_name(&mut any, &object.name);
                named = named_files(&any, node);
                if flaws.is_empty() {
                    self.objects.push(any);
                }
            }
            Err(faults) => flaws.extend(
                faults
                    .into_iter()
                    .map(|fault| flaw_of(fault, &object, node)),
            ),
        }
        self.chunk.entries.push(Entry {
            object: Arc::new(object),
            place: head.name_place,
            position,
            named,
            flaws,
        });
    }
}

fn deserialize(node: &Node, head: &Head<'_>, hide_values: bool) -> Result<Any, Vec<Fault>> {
    let shared = Shared {
        hide_values,
        ..Shared::default()
    };
    let deserializer = NodeDeserializer {
        node,
        trail: &Trail::Root,
        shared: &shared,
    };
    let read = Any::deserialize(head.api_version, head.kind, deserializer);
    let mut faults = shared.faults.into_inner();
    match read {
        Some(Ok(any)) if faults.is_empty() => return Ok(any),
        // A kind without a reader was told apart before: there is nothing more to say.
        Some(Ok(_)) | None => {}
        Some(Err(fault)) => faults.push(fault),
    }
    Err(faults)
}

/// `unknown field "pathh" in HTTPRoute default/orders, spec.rules[0].matches[0]; did you mean "path"?`
fn flaw_of(fault: Fault, object: &ObjectRef, node: &Node) -> Flaw {
    let (place, path) = fault
        .place
        .unwrap_or_else(|| (node.place, FieldPath::root()));
    let within = if path.steps().is_empty() {
        object.to_string()
    } else {
        format!("{object}, {path}")
    };
    let message = match fault.remedy {
        Some(remedy) if remedy.ends_with('?') => format!("{} in {within}; {remedy}", fault.what),
        Some(remedy) => format!("{} in {within}; {remedy}.", fault.what),
        None => format!("{} in {within}.", fault.what),
    };
    Flaw {
        path,
        ..Flaw::error(Reason::Invalid, place, message)
    }
}

/// Gives the object the namespace that its file leaves out, and takes away one that it cannot have. It is
/// the first version of the object as far as can be told here.
fn put_name(any: &mut Any, name: &ObjectName) {
    let namespace = (!name.namespace.is_empty()).then(|| name.namespace.clone());
    let metadata = any.metadata_mut();
    metadata.namespace = namespace;
    metadata.generation = Some(FIRST_GENERATION);
}

/// What every object says about itself.
struct Head<'a> {
    api_version: &'a str,
    kind: &'a str,
    kind_place: Place,
    namespace: Option<&'a str>,
    name: Option<&'a str>,
    name_place: Place,
}

fn head(node: &Node) -> Result<Head<'_>, Flaw> {
    let field = |name: &str| match node.get(name) {
        Some(value) => value
            .as_str()
            .map(|text| (text, value.place))
            .ok_or_else(|| {
                let message = format!("the field \"{name}\" of an object is a string.");
                Flaw::error(Reason::Malformed, value.place, message)
            }),
        None => {
            let message = format!(
                "this is not an object: the field \"{name}\" is missing. \
                 An object has apiVersion, kind and metadata with a name."
            );
            Err(Flaw::error(Reason::Malformed, node.place, message))
        }
    };
    let (api_version, _) = field("apiVersion")?;
    let (kind, kind_place) = field("kind")?;
    let metadata = node.get("metadata");
    let part = |name: &str| metadata.and_then(|metadata| metadata.get(name));
    let name = part("name");
    Ok(Head {
        api_version,
        kind,
        kind_place,
        namespace: part("namespace").and_then(Node::as_str),
        name: name.and_then(Node::as_str),
        name_place: name.or(metadata).map_or(node.place, |node| node.place),
    })
}

impl Head<'_> {
    /// The object, if its kind is known and it has a name.
    fn object(&self) -> Option<ObjectRef> {
        let info = Any::kind_info(self.api_version, self.kind)?;
        let namespace = if info.namespaced {
            self.namespace.unwrap_or("default")
        } else {
            ""
        };
        Some(ObjectRef::new(
            self.kind,
            ObjectName::new(namespace, self.name?),
        ))
    }

    /// Why there is no object: the kind is not read here, or the name is missing.
    fn unknown_kind(&self, node: &Node) -> Flaw {
        let Self {
            kind, api_version, ..
        } = self;
        if Any::kind_info(api_version, kind).is_some() {
            let message = if self.name_place == node.place {
                format!("this {kind} has no name; write metadata.name.")
            } else {
                format!("this {kind} has no name: metadata.name is a string.")
            };
            return Flaw::error(Reason::Malformed, self.name_place, message);
        }
        let name = self.name.map(|name| format!(" {name}")).unwrap_or_default();
        let known = Any::KINDS.iter().find(|info| info.kind == *kind);
        let message = match known {
            Some(info) => {
                let slash = if info.group.is_empty() { "" } else { "/" };
                format!(
                    "{kind}{name} is left out: {kind} is read in apiVersion {}{slash}{}, not in {api_version}.",
                    info.group, info.version
                )
            }
            None => {
                let kinds = Any::KINDS.iter().map(|info| info.kind);
                let hint = match nearest(kind, kinds) {
                    Some(near) => format!(" Did you mean {near}?"),
                    None => String::new(),
                };
                format!(
                    "{kind}{name} is left out: nothing here reads the kind {kind} of {api_version}.{hint}"
                )
            }
        };
        Flaw {
            severity: Severity::Warning,
            ..Flaw::error(Reason::UnknownKind, self.kind_place, message)
        }
    }

    /// What is wrong with namespace or name (RFC 1123, as Kubernetes wants it).
    fn name_flaw(&self) -> Option<Flaw> {
        let parts = [("namespace", self.namespace), ("name", self.name)];
        let (field, wrong) = parts.into_iter().find_map(|(field, text)| {
            let text = text?;
            (!is_name(text)).then_some((field, text))
        })?;
        let shown: String = wrong.chars().take(80).collect();
        let message = format!(
            "the {field} \"{shown}\" is not one that Kubernetes takes: \
             use lower case letters, digits, \"-\" and \".\", at most 253."
        );
        let path = FieldPath::of("metadata").field(field);
        Some(Flaw {
            path,
            ..Flaw::error(Reason::Invalid, self.name_place, message)
        })
    }
}

fn is_name(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = [text.bytes().next(), text.bytes().next_back()];
    text.len() <= 253
        && ends.iter().all(|end| end.is_some_and(inner))
        && text
            .bytes()
            .all(|byte| inner(byte) || matches!(byte, b'-' | b'.'))
}

#[cfg(test)]
mod tests;
