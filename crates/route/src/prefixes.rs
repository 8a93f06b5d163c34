//! Path prefixes as a tree of path elements: found by walking down the path once.

use foldhash::HashMap;

use crate::group::Group;

/// How many children are compared one by one before they are worth a hash map.
const FEW: usize = 6;

/// Groups of rules by prefix.
#[derive(Debug)]
pub(crate) struct Prefixes {
    /// Parents before children; the first one is the root, which is the prefix `/`.
    nodes: Box<[Node]>,
}

#[derive(Debug)]
struct Node {
    group: Option<Group>,
    /// The nearest node towards the root that has a group.
    above: Option<u32>,
    children: Children,
}

#[derive(Debug)]
enum Children {
    Few(Box<[(Box<str>, u32)]>),
    Many(Box<HashMap<Box<str>, u32>>),
}

impl Prefixes {
    /// Builds the tree from normalized prefixes, each there once.
    pub(crate) fn build(groups: impl IntoIterator<Item = (Box<str>, Group)>) -> Self {
        let mut sketch = vec![Sketch::default()];
        for (prefix, group) in groups {
            let mut at = 0;
            for element in elements(&prefix).unwrap_or_default() {
                let next = sketch.len();
                at = *sketch[at].children.entry(element.into()).or_insert(next);
                if at == next {
                    sketch.push(Sketch::default());
                }
            }
            sketch[at].group = Some(group);
        }
        let mut above: Vec<Option<u32>> = vec![None; sketch.len()];
        let nodes = sketch.into_iter().zip(0u32..).map(|(node, at)| {
            let of_children = if node.group.is_some() {
                Some(at)
            } else {
                above[at as usize]
            };
            node.children
                .values()
                .for_each(|child| above[*child] = of_children);
            Node {
                group: node.group,
                above: above[at as usize],
                children: Children::new(node.children),
            }
        });
        Self {
            nodes: nodes.collect(),
        }
    }

    /// The groups whose prefixes the path has, the longest first.
    #[inline]
    pub(crate) fn of<'a>(&'a self, path: &str) -> impl Iterator<Item = &'a Group> {
        let deepest = self.deepest(path);
        std::iter::successors(deepest, |node| {
            node.above.map(|above| &self.nodes[above as usize])
        })
        .filter_map(|node| node.group.as_ref())
    }

    #[inline]
    fn deepest(&self, path: &str) -> Option<&Node> {
        let mut node = self.nodes.first()?;
        let mut rest = path.strip_prefix('/')?;
        loop {
            if node.children.is_empty() {
                return Some(node);
            }
            let (element, more) = match memchr::memchr(b'/', rest.as_bytes()) {
                Some(slash) => (&rest[..slash], Some(&rest[slash + 1..])),
                None => (rest, None),
            };
            let Some(child) = node.children.get(element) else {
                return Some(node);
            };
            node = &self.nodes[child as usize];
            let Some(more) = more else { return Some(node) };
            rest = more;
        }
    }
}

#[derive(Default)]
struct Sketch {
    group: Option<Group>,
    children: HashMap<Box<str>, usize>,
}

impl Children {
    fn new(children: HashMap<Box<str>, usize>) -> Self {
        let children = children
            .into_iter()
            .map(|(name, at)| (name, u32::try_from(at).unwrap_or_default()));
        if children.len() <= FEW {
            Self::Few(children.collect())
        } else {
            Self::Many(Box::new(children.collect()))
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Few(few) if few.is_empty())
    }

    #[inline]
    fn get(&self, element: &str) -> Option<u32> {
        match self {
            Self::Few(few) => few
                .iter()
                .find(|(name, _)| **name == *element)
                .map(|(_, at)| *at),
            Self::Many(many) => many.get(element).copied(),
        }
    }
}

/// The elements of a normalized prefix: none for `/`, one more than there are inner slashes for others.
fn elements(prefix: &str) -> Option<Vec<&str>> {
    match prefix.strip_prefix('/')? {
        "" => Some(Vec::new()),
        rest => Some(rest.split('/').collect()),
    }
}
