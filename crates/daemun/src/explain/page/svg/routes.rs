//! The last band: the open ports on the left, and beside them the Routes with where their rules lead. Of many Routes the
//! first are drawn, and those with something wrong are the first.

use super::card::{Card, owner, state};
use super::look::{Face, MUTED, NAME, PLAIN, STRONG, of_trouble};
use super::pen::{Area, Pen};
use super::{GAP, MARGIN, PAD, Sheet, WIDTH, w};
use crate::explain::page::lang::Lang;
use crate::explain::page::text::{folded, target};
use crate::explain::page::{Leg, Page, Route};

/// Routes, rules of each, and listeners that are drawn.
const MOST_ROUTES: usize = 10;
const MOST_RULES: usize = 4;
const MOST_LISTENERS: usize = 6;
/// Targets of a rule that are drawn.
const MOST_TARGETS: usize = 3;
/// The width of listeners.
const LISTENERS: usize = 250;
/// The width of a Route's name and state.
const NAMES: usize = 270;

impl Sheet {
    pub(super) fn routes(&mut self, page: &Page) {
        let lang = self.lang;
        let listeners = page.listeners.iter().take(MOST_LISTENERS);
        let cards: Vec<Card<'_>> = listeners
            .map(|it| Card::new(&it.station, &it.port, (LISTENERS, lang)))
            .collect();
        let left: usize = cards.iter().map(|card| card.height() + 12).sum();
        let x = MARGIN + PAD + LISTENERS + GAP;
        let width = WIDTH - MARGIN - PAD - x;
        let boxes: Vec<Row<'_>> = page
            .routes
            .iter()
            .take(MOST_ROUTES)
            .map(|route| Row::new(route, width, lang))
            .collect();
        let mut right: usize = boxes.iter().map(|row| row.height() + 12).sum();
        let folded = match folded(&page.routes, MOST_ROUTES, lang) {
            None if page.routes.is_empty() => Some(w::NO_ROUTES.plain(lang)),
            folded => folded,
        };
        if folded.is_some() {
            right += PLAIN.leading;
        }
        let more = page.listeners.len().saturating_sub(MOST_LISTENERS);
        let left = if more > 0 { left + PLAIN.leading } else { left };
        let top = self.band(&w::BAND_ROUTES.plain(lang), "", left.max(right));
        let mut y = top;
        for card in &cards {
            card.draw(&mut self.pen, (MARGIN + PAD, y), card.height());
            y += card.height() + 12;
        }
        if more > 0 {
            let more = w::MORE.say(lang, &[&more]);
            self.pen.text((MARGIN + PAD, y + 12), PLAIN.class, &more);
        }
        let middle = cards.first().map(|card| top + card.height() / 2);
        let mut y = top;
        for (number, row) in boxes.iter().enumerate() {
            if let Some(middle) = middle {
                let from = MARGIN + PAD + LISTENERS + 2;
                let to = y + row.height() / 2;
                let turn = from + GAP / 2 - 4;
                if number == 0 && to.abs_diff(middle) < 12 {
                    self.pen.arrow(&[(from, to), (x - 3, to)]);
                } else {
                    self.pen
                        .arrow(&[(from, middle), (turn, middle), (turn, to), (x - 3, to)]);
                }
            }
            row.draw(&mut self.pen, (x, y));
            y += row.height() + 12;
        }
        if let Some(folded) = folded {
            self.pen.text((x, y + 12), PLAIN.class, &folded);
        }
    }
}

/// A Route, measured and not placed yet.
struct Row<'a> {
    route: &'a Route,
    width: usize,
    lang: Lang,
    name: Vec<String>,
    trouble: Vec<(Face, String)>,
    /// Lines about rules: what is taken, or where it leads.
    legs: Vec<(bool, String)>,
}

impl<'a> Row<'a> {
    fn new(route: &'a Route, width: usize, lang: Lang) -> Self {
        let station = &route.station;
        let right = width - NAMES - 28;
        let mut trouble = Vec::new();
        if let Some(it) = &station.trouble {
            let quoted = it.quoted(lang).unwrap_or_default();
            for (face, text) in [(of_trouble(station.state), &it.what), (MUTED, &quoted)] {
                let lines = face.lines(text, right, 4);
                trouble.extend(lines.into_iter().map(|line| (face, line)));
            }
        }
        let mut legs = Vec::new();
        for leg in route.legs.iter().take(MOST_RULES) {
            of_leg(leg, right, &mut legs);
        }
        if let more @ 1.. = route.legs.len().saturating_sub(MOST_RULES) {
            legs.push((false, w::MORE_RULES.say(lang, &[&more])));
        }
        Self {
            route,
            width,
            lang,
            name: NAME.lines_of_name(&station.name, NAMES - 30, 2),
            trouble,
            legs,
        }
    }

    fn height(&self) -> usize {
        let left = 22 + MUTED.leading + self.name.len() * NAME.leading + 26;
        let legs = self.legs.iter().map(|(takes, _)| {
            if *takes {
                PLAIN.leading + 3
            } else {
                PLAIN.leading
            }
        });
        let trouble = self.trouble.iter().map(|(face, _)| face.leading);
        let right = 20 + trouble.sum::<usize>() + legs.sum::<usize>();
        left.max(right)
    }

    fn draw(&self, pen: &mut Pen, (x, y): (usize, usize)) {
        let station = &self.route.station;
        let area = Area {
            x,
            y,
            width: self.width,
            height: self.height(),
        };
        pen.rect(area, "d-card", 6);
        pen.stripe(area, station.owner);
        let left = x + 16;
        pen.text((left, y + 24), "d-heading", &station.heading);
        state(pen, (x + NAMES - 8, y + 12), (station.state, self.lang));
        let mut base = y + 26;
        for line in &self.name {
            base += NAME.leading;
            pen.text((left, base), NAME.class, line);
        }
        let role = (left, y + self.height() - 12);
        owner(pen, role, (station.owner, self.lang));
        let between = Area {
            x: x + NAMES,
            y: y + 10,
            width: 1,
            height: self.height() - 20,
        };
        pen.rect(between, "d-rule", 0);
        let right = x + NAMES + 14;
        let mut base = y + 8;
        for (face, line) in &self.trouble {
            base += face.leading;
            pen.text((right, base), face.class, line);
        }
        for (takes, line) in &self.legs {
            base += PLAIN.leading;
            if *takes {
                base += 3;
                pen.text((right, base), STRONG.class, line);
            } else {
                pen.text((right + 14, base), PLAIN.class, line);
            }
        }
    }
}

fn of_leg(leg: &Leg, width: usize, legs: &mut Vec<(bool, String)>) {
    legs.push((true, STRONG.line(&leg.takes, width - 20)));
    for to in leg.to.iter().take(MOST_TARGETS) {
        let told = format!("→ {}", target(to));
        legs.push((false, PLAIN.line(&told, width - 24)));
    }
    if let more @ 1.. = leg.to.len().saturating_sub(MOST_TARGETS) {
        legs.push((false, format!("→ … {more}")));
    }
}
