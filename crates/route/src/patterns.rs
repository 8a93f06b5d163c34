//! Regular expressions for whole texts: several of them answered in one pass.
//!
//! All expressions that can be asked at once are one deterministic automaton: a text is read once, byte by
//! byte, and where it ends the automaton knows which expressions it satisfies. That automaton is computed
//! ahead and never changes, so that reading needs no memory and no lock. Where it would become too
//! large (expressions with many `.*` can multiply), the expressions share an automaton that is computed as it
//! is used; each thread has its own.
//!
//! The language is that of Rust's `regex` on bytes: no look-around, no back-references, linear time. `\d`, `\w`,
//! `\s`, `\b` and `(?i)` are about ASCII and `.` is one byte, except for expressions that can only be
//! understood as Unicode (such as `[é]`). `translate` has judged the expressions; one that does not compile
//! here all the same matches nothing, and harms no other.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind, PatternSet, meta};
use regex_syntax::hir::{Hir, Look};

/// What the program that an automaton is computed from may take, in bytes.
const PROGRAM_LIMIT: usize = 4 << 20;
/// What an automaton may take that is computed ahead: enough for a thousand expressions as people write
/// them. Those that multiply are to be found out early, by what they take in proportion to their program.
const AHEAD_LIMIT: usize = 1 << 20;
const AHEAD_LEAST: usize = 64 << 10;
const AHEAD_TIMES: usize = 4;
/// What a thread may hold for an automaton that is computed as it is used, and of how many.
const CACHE_LIMIT: usize = 1 << 20;
const CACHES: usize = 32;

/// Regular expressions, numbered from 0 as they were given.
#[derive(Debug)]
pub(crate) struct Patterns {
    written: Box<[Box<str>]>,
    engine: Engine,
    /// The engine's numbers to ours: those that did not compile have none there.
    numbers: Box<[u32]>,
}

#[derive(Debug)]
enum Engine {
    Ahead {
        dfa: Box<dense::DFA<Vec<u32>>>,
        start: StateID,
    },
    Used {
        id: u64,
        regex: Box<meta::Regex>,
    },
    /// Not one of the expressions compiled.
    Nothing,
}

impl Patterns {
    /// Compiles the expressions.
    pub(crate) fn compile(written: &[&str]) -> Self {
        let parsed: Vec<(u32, Hir)> = (0..)
            .zip(written)
            .filter_map(|(at, text)| Some((at, parse(text)?)))
            .collect();
        let (engine, kept) = match engine(&parsed) {
            Some(engine) => (engine, parsed),
            // One of them is too large. Whichever it is must not take the others with it.
            None => {
                let fits = |(_, hir): &(u32, Hir)| program(std::slice::from_ref(hir)).is_some();
                let kept: Vec<_> = parsed.into_iter().filter(fits).collect();
                (engine(&kept).unwrap_or(Engine::Nothing), kept)
            }
        };
        Self {
            written: written.iter().map(|text| (*text).into()).collect(),
            engine,
            numbers: kept.iter().map(|(at, _)| *at).collect(),
        }
    }

    /// Whether these are the expressions that were compiled.
    pub(crate) fn is_of(&self, written: &[&str]) -> bool {
        self.written
            .iter()
            .map(AsRef::as_ref)
            .eq(written.iter().copied())
    }

    /// The number of an expression that compiled.
    pub(crate) fn number(&self, written: &str) -> Option<usize> {
        let number = self.written.iter().position(|known| **known == *written)?;
        self.has(number).then_some(number)
    }

    /// Whether the expression of this number compiled.
    pub(crate) fn has(&self, number: usize) -> bool {
        !matches!(self.engine, Engine::Nothing)
            && self.numbers.iter().any(|kept| *kept as usize == number)
    }

    /// Whether the whole text satisfies any of the expressions.
    pub(crate) fn is_match(&self, text: &[u8]) -> bool {
        let mut any = false;
        self.each_match(text, |_| any = true);
        any
    }

    /// Calls `see` with the number of each expression that the whole text satisfies, in no order.
    #[inline]
    pub(crate) fn each_match(&self, text: &[u8], mut see: impl FnMut(usize)) {
        let mut seen = |pattern: usize| see(self.numbers[pattern] as usize);
        match &self.engine {
            Engine::Ahead { dfa, start } => ahead(dfa, *start, text, &mut seen),
            Engine::Used { id, regex } => used(*id, regex, text, &mut seen),
            Engine::Nothing => {}
        }
    }
}

/// Reads the text to its end. Matches are known one step late, so that the one that matters (of the whole text) is
/// known after the step that stands for the end.
#[inline]
fn ahead(dfa: &dense::DFA<Vec<u32>>, start: StateID, text: &[u8], see: &mut impl FnMut(usize)) {
    let mut state = start;
    for &byte in text {
        state = dfa.next_state(state, byte);
        if dfa.is_special_state(state) && (dfa.is_dead_state(state) || dfa.is_quit_state(state)) {
            return;
        }
    }
    state = dfa.next_eoi_state(state);
    if dfa.is_match_state(state) {
        (0..dfa.match_len(state)).for_each(|at| see(dfa.match_pattern(state, at).as_usize()));
    }
}

struct Scratch {
    cache: meta::Cache,
    found: PatternSet,
}

thread_local! {
    /// By the engine's id. Those of engines that are gone go when there are too many.
    static SCRATCH: RefCell<Vec<(u64, Scratch)>> = const { RefCell::new(Vec::new()) };
}

fn used(id: u64, regex: &meta::Regex, text: &[u8], see: &mut impl FnMut(usize)) {
    // Taken out while it is used: what is seen may lead to another engine, on the same thread.
    let kept = SCRATCH.with_borrow_mut(|all| {
        let at = all.iter().position(|(of, _)| *of == id)?;
        Some(all.swap_remove(at).1)
    });
    let mut scratch = kept.unwrap_or_else(|| Scratch {
        cache: regex.create_cache(),
        found: PatternSet::new(regex.pattern_len()),
    });
    scratch.found.clear();
    let input = Input::new(text).anchored(Anchored::Yes);
    regex.which_overlapping_matches_with(&mut scratch.cache, &input, &mut scratch.found);
    scratch
        .found
        .iter()
        .for_each(|pattern| see(pattern.as_usize()));
    SCRATCH.with_borrow_mut(|all| {
        if all.len() >= CACHES {
            all.clear();
        }
        all.push((id, scratch));
    });
}

/// What an expression means, for the whole text. ASCII if it can be, which keeps automata small.
fn parse(written: &str) -> Option<Hir> {
    let read = |unicode| {
        let config = syntax::Config::new().unicode(unicode).utf8(false);
        syntax::parse_with(written, &config).ok()
    };
    let hir = read(false).or_else(|| read(true))?;
    Some(Hir::concat(vec![
        Hir::look(Look::Start),
        hir,
        Hir::look(Look::End),
    ]))
}

fn program(expressions: &[Hir]) -> Option<NFA> {
    let config = thompson::Config::new()
        .utf8(false)
        .which_captures(WhichCaptures::None)
        .nfa_size_limit(Some(PROGRAM_LIMIT));
    NFA::compiler()
        .configure(config)
        .build_many_from_hir(expressions)
        .ok()
}

fn engine(parsed: &[(u32, Hir)]) -> Option<Engine> {
    if parsed.is_empty() {
        return Some(Engine::Nothing);
    }
    let expressions: Vec<Hir> = parsed.iter().map(|(_, hir)| hir.clone()).collect();
    let program = program(&expressions)?;
    let limit = AHEAD_LIMIT.min(AHEAD_LEAST + AHEAD_TIMES * program.memory_usage());
    let config = dense::Config::new()
        .start_kind(StartKind::Anchored)
        .match_kind(MatchKind::All)
        .accelerate(false)
        .dfa_size_limit(Some(limit))
        .determinize_size_limit(Some(limit));
    let dfa = dense::Builder::new()
        .configure(config)
        .build_from_nfa(&program);
    let begin = start::Config::new().anchored(Anchored::Yes);
    if let Ok(dfa) = dfa
        && let Ok(start) = dfa.start_state(&begin)
    {
        return Some(Engine::Ahead {
            dfa: Box::new(dfa),
            start,
        });
    }
    let config = meta::Config::new()
        .match_kind(MatchKind::All)
        .utf8_empty(false)
        .nfa_size_limit(Some(PROGRAM_LIMIT))
        .hybrid_cache_capacity(CACHE_LIMIT)
        .dfa(false)
        .onepass(false)
        .backtrack(false);
    let regex = meta::Builder::new()
        .configure(config)
        .build_many_from_hir(&expressions)
        .ok()?;
    static NEXT: AtomicU64 = AtomicU64::new(0);
    Some(Engine::Used {
        id: NEXT.fetch_add(1, Ordering::Relaxed),
        regex: Box::new(regex),
    })
}

#[cfg(test)]
mod tests;
