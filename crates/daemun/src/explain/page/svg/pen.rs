//! The strokes of a drawing: boxes, text, arrows, and a shape for each state. Sizes are in the drawing's own units.

use std::fmt::Write as _;

use crate::explain::page::markup::escape;
use crate::explain::page::{Owner, State};

/// A place and a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

/// What is drawn so far.
#[derive(Debug, Default)]
pub(super) struct Pen {
    pub(super) drawn: String,
}

impl Pen {
    /// A box with round corners.
    pub(super) fn rect(&mut self, area: Area, class: &str, radius: usize) {
        let Area {
            x,
            y,
            width,
            height,
        } = area;
        let _ = writeln!(
            self.drawn,
            r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}" rx="{radius}"/>"#
        );
    }

    /// A line of text; `y` is its base.
    pub(super) fn text(&mut self, (x, y): (usize, usize), class: &str, text: &str) {
        let text = escape(text);
        let _ = writeln!(
            self.drawn,
            r#"<text class="{class}" x="{x}" y="{y}">{text}</text>"#
        );
    }

    /// A line of text that ends at `x`.
    pub(super) fn text_to(&mut self, (x, y): (usize, usize), class: &str, text: &str) {
        let text = escape(text);
        let _ = writeln!(
            self.drawn,
            r#"<text class="{class}" x="{x}" y="{y}" text-anchor="end">{text}</text>"#
        );
    }

    /// An arrow through points.
    pub(super) fn arrow(&mut self, points: &[(usize, usize)]) {
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
        let _ = writeln!(
            self.drawn,
            r#"<polyline class="d-arrow" points="{}"/>"#,
            path.join(" ")
        );
        if let [.., (before, _), (x, y)] = *points {
            // To the right, or upwards.
            let (left, right) = (x.saturating_sub(8), x + 5);
            let sides = if before == x {
                format!("{},{} {right},{}", x.saturating_sub(5), y + 8, y + 8)
            } else {
                format!("{left},{} {left},{}", y.saturating_sub(5), y + 5)
            };
            let _ = writeln!(
                self.drawn,
                r#"<polygon class="d-tip" points="{x},{y} {sides}"/>"#
            );
        }
    }

    /// The stripe at the left edge of a box, which tells whose it is.
    pub(super) fn stripe(&mut self, area: Area, owner: Owner) {
        let stripe = Area {
            x: area.x,
            y: area.y,
            width: 6,
            height: area.height,
        };
        let class = format!("d-{}", of_owner(owner));
        self.rect(stripe, &class, 3);
    }

    /// The shape of a state, in a square of 16 whose corner this is: each has an outline of its own.
    pub(super) fn state(&mut self, (x, y): (usize, usize), state: State) {
        let class = of_state(state);
        let shape = match state {
            State::Good => r#"<circle cx="8" cy="8" r="7.5"/><path d="M4.2 8.3l2.6 2.7 5-5.6"/>"#,
            State::Foreseen => r#"<circle cx="8" cy="8" r="6.8" stroke-dasharray="3 2.2"/>"#,
            State::Unknown => {
                r#"<rect x="1" y="1" width="14" height="14" rx="3"/><path d="M5.6 6.1c0-3.2 4.8-3.2 4.8 0 0 1.8-2.4 1.7-2.4 3.6M8 11.7v1.1"/>"#
            }
            State::Waiting => {
                r#"<path class="d-fill" d="M2 1h12v1.8L9.4 8l4.6 5.2V15H2v-1.8L6.6 8 2 2.8z"/>"#
            }
            State::Doubtful => {
                r#"<path class="d-fill" d="M8 .6L15.6 15H.4z"/><path d="M8 5.8v4.2M8 11.8v1.2"/>"#
            }
            State::Bad => {
                r#"<path class="d-fill" d="M5 .8h6L15.2 5v6L11 15.2H5L.8 11V5z"/><path d="M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6"/>"#
            }
        };
        let _ = writeln!(
            self.drawn,
            r#"<g class="d-mark d-{class}" transform="translate({x} {y})">{shape}</g>"#
        );
    }
}

/// The class of what belongs to somebody.
pub(in crate::explain::page) fn of_owner(owner: Owner) -> &'static str {
    match owner {
        Owner::InfrastructureOperator => "infrastructure",
        Owner::ClusterOperator => "operator",
        Owner::ApplicationDeveloper => "developer",
        Owner::Daemun => "daemun",
        Owner::Cloud | Owner::Addon => "cloud",
    }
}

/// The class of what is in a state.
pub(in crate::explain::page) fn of_state(state: State) -> &'static str {
    match state {
        State::Good => "good",
        State::Foreseen => "foreseen",
        State::Unknown => "unknown",
        State::Waiting => "waiting",
        State::Doubtful => "doubtful",
        State::Bad => "bad",
    }
}
