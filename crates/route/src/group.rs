//! Rules that ask for the same path, told apart by method, headers and query parameters without trying one
//! after the other.
//!
//! A match that asks for headers or parameters is filed under one of them: the exact value that is
//! rarest in the group, since a request that has it has few candidates left; or else one that is a regular
//! expression, which is then one of an automaton with all the others on the same header. What is found under the
//! request's values is checked in full. A match without such conditions is tried by itself; there are at most as
//! many of these as there are methods.

use foldhash::HashMap;
use http::HeaderName;
use smallvec::SmallVec;

use crate::conditions::{Condition, Subject, Value};
use crate::entry::Entry;
use crate::patterns::Patterns;
use crate::{Asked, headers, query};

/// Numbers of entries, in order of precedence: the lower number wins.
type List = SmallVec<[u32; 4]>;

/// The entries for a path, a prefix or an expression.
#[derive(Debug)]
pub(crate) struct Group {
    /// The first of all.
    first: u32,
    /// Entries that ask for at most a method.
    plain: List,
    filed: Option<Box<Filed>>,
}

#[derive(Debug)]
struct Filed {
    first: u32,
    headers: HashMap<HeaderName, Values>,
    /// Numbered, so that a request's parameters that were seen before can be ticked off.
    query: HashMap<Box<[u8]>, (usize, Values)>,
}

/// Entries by the value they ask for.
#[derive(Debug, Default)]
struct Values {
    exact: HashMap<Box<[u8]>, List>,
    regex: Option<(Patterns, Box<[List]>)>,
}

impl Group {
    /// Files the entries of these numbers (in order of precedence), and puts the condition under which an
    /// entry is filed first among its conditions.
    pub(crate) fn build(members: &[u32], entries: &mut [Entry]) -> Self {
        let mut plain = List::new();
        let mut filed = Vec::new();
        for &number in members {
            let entry = &entries[number as usize];
            if !entry.conditions.is_empty() {
                filed.push(number);
            } else if !plain
                .iter()
                .any(|before| entries[*before as usize].hides(entry))
            {
                plain.push(number);
            }
        }
        Self {
            first: members.first().copied().unwrap_or(u32::MAX),
            plain,
            filed: (!filed.is_empty()).then(|| Box::new(Filed::build(&filed, entries))),
        }
    }

    /// The first entry of the group that takes the request and comes before `limit`.
    #[inline]
    pub(crate) fn find(&self, asked: &Asked<'_>, entries: &[Entry], limit: u32) -> Option<u32> {
        if self.first >= limit {
            return None;
        }
        let plain = self
            .plain
            .iter()
            .copied()
            .find(|number| entries[*number as usize].takes_method(asked));
        let limit = plain.map_or(limit, |plain| plain.min(limit));
        let filed = match &self.filed {
            Some(filed) if filed.first < limit => filed.find(asked, entries, limit),
            _ => None,
        };
        filed.or(plain.filter(|plain| *plain <= limit))
    }
}

impl Filed {
    fn build(members: &[u32], entries: &mut [Entry]) -> Self {
        let mut count: HashMap<(Subject, Box<[u8]>), usize> = HashMap::default();
        for &number in members {
            for Condition { subject, value } in &entries[number as usize].conditions {
                if let Value::Exact(text) = value {
                    *count.entry((subject.clone(), text.clone())).or_default() += 1;
                }
            }
        }
        let rarity = |condition: &Condition| match &condition.value {
            Value::Exact(text) => count
                .get(&(condition.subject.clone(), text.clone()))
                .copied(),
            Value::Regex(_) => None,
        };
        let mut filed = Self {
            first: members.first().copied().unwrap_or(u32::MAX),
            headers: HashMap::default(),
            query: HashMap::default(),
        };
        let mut expressions: HashMap<Subject, HashMap<Box<str>, List>> = HashMap::default();
        for &number in members {
            let conditions = &mut entries[number as usize].conditions;
            let rarest = (0..conditions.len())
                .min_by_key(|at| rarity(&conditions[*at]).unwrap_or(usize::MAX));
            conditions.swap(0, rarest.unwrap_or_default());
            for condition in &conditions[1..] {
                condition.prepare();
            }
            let Condition { subject, value } = &conditions[0];
            match value {
                Value::Exact(text) => filed
                    .values(subject)
                    .exact
                    .entry(text.clone())
                    .or_default()
                    .push(number),
                Value::Regex(expression) => {
                    let known = expressions.entry(subject.clone()).or_default();
                    known
                        .entry(expression.written.clone())
                        .or_default()
                        .push(number);
                }
            }
        }
        for (subject, known) in expressions {
            let written: Vec<&str> = known.keys().map(|written| &**written).collect();
            let patterns = Patterns::compile(&written);
            filed.values(&subject).regex = Some((patterns, known.into_values().collect()));
        }
        filed
    }

    fn values(&mut self, subject: &Subject) -> &mut Values {
        match subject {
            Subject::Header(name) => self.headers.entry(name.clone()).or_default(),
            Subject::Query(name) => {
                let number = self.query.len();
                &mut self
                    .query
                    .entry(name.as_bytes().into())
                    .or_insert_with(|| (number, Values::default()))
                    .1
            }
        }
    }

    fn find(&self, asked: &Asked<'_>, entries: &[Entry], limit: u32) -> Option<u32> {
        let mut best = limit;
        let mut consider = |list: &[u32]| {
            let better = list.iter().take_while(|number| **number < best);
            if let Some(number) = better
                .copied()
                .find(|number| entries[*number as usize].takes_rest(asked))
            {
                best = number;
            }
        };
        // Whichever are fewer, the names that rules ask for or those that the request has.
        if self.headers.len() <= asked.headers.keys_len() {
            for (name, values) in &self.headers {
                headers::with_value(asked.headers, name, |value| {
                    values.each(value, &mut consider)
                });
            }
        } else {
            for name in asked.headers.keys() {
                if let Some(values) = self.headers.get(name) {
                    headers::with_value(asked.headers, name, |value| {
                        values.each(value, &mut consider)
                    });
                }
            }
        }
        if let Some(query) = asked.query
            && !self.query.is_empty()
        {
            self.find_in_query(query, &mut consider);
        }
        (best < limit).then_some(best)
    }

    /// Of repeated parameters only the first one counts.
    fn find_in_query(&self, query: &str, consider: &mut impl FnMut(&[u32])) {
        let mut ticked: SmallVec<[u64; 4]> = SmallVec::from_elem(0, self.query.len().div_ceil(64));
        for (name, value) in query::parameters(query) {
            let Some((number, values)) = query::with_decoded(name, |name| self.query.get(name))
            else {
                continue;
            };
            let (word, bit) = (number / 64, 1 << (number % 64));
            if ticked[word] & bit == 0 {
                ticked[word] |= bit;
                query::with_decoded(value, |value| values.each(value, consider));
            }
        }
    }
}

impl Values {
    fn each(&self, value: &[u8], consider: &mut impl FnMut(&[u32])) {
        if let Some(list) = self.exact.get(value) {
            consider(list);
        }
        if let Some((patterns, lists)) = &self.regex {
            patterns.each_match(value, |number| consider(&lists[number]));
        }
    }
}
