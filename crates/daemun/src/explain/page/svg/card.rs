//! A box about one link: what it is, whose, how it is, and what is to be said of it.

use super::look::{Face, HEADING, KEY, MUTED, NAME, PLAIN, STRONG, WORD, of_trouble};
use super::pen::{Area, Pen};
use crate::explain::page::lang::Lang;
use crate::explain::page::{ANNOTATION, Fact, Link, Owner, State, Station, quoted};

/// Between a box's edge and its text.
const INSET: usize = 16;
/// Facts that a box shows.
const MOST_FACTS: usize = 4;
/// Room at the foot for whose it is.
const FOOT: usize = 28;

/// A box, measured and not placed yet.
pub(super) struct Card<'a> {
    station: &'a Station,
    lang: Lang,
    width: usize,
    text: Vec<(Face, usize, String)>,
    /// Whether the state has a line of its own, because the heading takes its place.
    below: bool,
}

impl<'a> Card<'a> {
    /// A box of a width. `also` stands below the name.
    pub(super) fn new(station: &'a Station, also: &str, (width, lang): (usize, Lang)) -> Self {
        let mut card = Self {
            station,
            lang,
            width,
            text: Vec::new(),
            below: false,
        };
        let word = station.state.word().plain(lang);
        let first = HEADING.width(&station.heading) + WORD.width(&word) + 22 + 8;
        card.below = first + INSET > width - 12;
        card.put(NAME, 2, &station.name, 4);
        card.put(STRONG, 2, also, 0);
        if !matches!(station.link, Link::Listener | Link::Route) {
            card.put(MUTED, 3, &station.purpose, 2);
        }
        match &station.trouble {
            Some(trouble) => {
                card.put(of_trouble(station.state), 6, &trouble.what, 6);
                let quoted = trouble.quoted(lang).unwrap_or_default();
                card.put(MUTED, 4, &quoted, 2);
            }
            None => card.put(PLAIN, 5, &station.says, 6),
        }
        card.facts(&station.facts);
        card
    }

    fn facts(&mut self, facts: &[Fact]) {
        let (shown, folded): (Vec<&Fact>, Vec<&Fact>) = facts.iter().partition(|it| is_drawn(it));
        let more = folded.len() + shown.len().saturating_sub(MOST_FACTS);
        for fact in shown.into_iter().take(MOST_FACTS) {
            let Fact {
                id,
                label,
                value,
                meaning,
            } = fact;
            if *id == ANNOTATION {
                self.put(KEY, 3, &format!("{label}: {}", quoted(value)), 6);
                self.put(MUTED, 3, meaning, 0);
            } else {
                self.put(PLAIN, 3, &format!("{label}: {value}"), 6);
                self.put(MUTED, 2, meaning, 0);
            }
        }
        if more > 0 && self.station.link == Link::Service {
            let more = crate::explain::page::words::MORE.say(self.lang, &[&more]);
            self.put(MUTED, 1, &more, 4);
        }
    }

    fn put(&mut self, face: Face, most: usize, text: &str, before: usize) {
        let lines = face.lines(text, self.width - 2 * INSET, most);
        for (number, line) in lines.into_iter().enumerate() {
            let before = if number == 0 { before } else { 0 };
            self.text.push((face, before, line));
        }
    }

    /// Whether its state needs a line of its own.
    pub(super) fn is_below(&self) -> bool {
        self.below
    }

    /// Gives its state a line of its own, as the boxes beside it have.
    pub(super) fn put_below(&mut self) {
        self.below = true;
    }

    /// How high it must be.
    pub(super) fn height(&self) -> usize {
        let text = self.text.iter().map(|(face, gap, _)| face.leading + gap);
        let head = if self.below {
            HEADING.leading + 22
        } else {
            HEADING.leading
        };
        12 + head + text.sum::<usize>() + 10 + FOOT
    }

    /// Draws it.
    pub(super) fn draw(&self, pen: &mut Pen, (x, y): (usize, usize), height: usize) {
        let area = Area {
            x,
            y,
            width: self.width,
            height,
        };
        pen.rect(area, "d-card", 6);
        pen.stripe(area, self.station.owner);
        let left = x + INSET;
        let mut base = y + 12 + HEADING.size;
        pen.text((left, base), HEADING.class, &self.station.heading);
        let told = (self.station.state, self.lang);
        if self.below {
            let word = self.station.state.word().plain(self.lang);
            state(pen, (left + WORD.width(&word) + 22, y + 32), told);
            base += 22;
        } else {
            state(pen, (x + self.width - 12, y + 10), told);
        }
        base += HEADING.leading - HEADING.size;
        for (face, gap, line) in &self.text {
            base += gap + face.leading;
            pen.text((left, base), face.class, line);
        }
        owner(
            pen,
            (left, y + height - 12),
            (self.station.owner, self.lang),
        );
    }
}

/// Whether a fact is drawn. Health checks, ports and pods are details, and what is observed the sentences say.
fn is_drawn(fact: &Fact) -> bool {
    match fact.id {
        ANNOTATION => !fact.label.contains("health"),
        "pod" | "ports" | "observed" | "externalTrafficPolicy" | "lastEvent" => false,
        _ => true,
    }
}

/// A state's shape and word, ending at `x`.
pub(super) fn state(pen: &mut Pen, (x, y): (usize, usize), (state, lang): (State, Lang)) {
    let word = state.word().plain(lang);
    pen.text_to((x, y + 12), WORD.class, &word);
    let left = x.saturating_sub(WORD.width(&word) + 22);
    pen.state((left, y), state);
}

/// Whose it is, in words.
pub(super) fn owner(pen: &mut Pen, at: (usize, usize), (owner, lang): (Owner, Lang)) {
    pen.text(at, MUTED.class, &owner.word().plain(lang));
}
