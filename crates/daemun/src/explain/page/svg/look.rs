//! How the drawing looks: colours by day, by night and on paper. A state is told by shape and word as well, and an owner
//! by word, so no colour is needed to read it.

use crate::explain::page::State;
use crate::explain::page::measure::{equal_hundredths, hundredths, lines, lines_of_name, shorten};

/// The drawing's style; its classes begin with `d-`, so that it can stand inside of a page.
pub(super) const STYLE: &str = r#"
.d-sheet{font-family:"Noto Sans KR","Noto Sans CJK KR","Apple SD Gothic Neo","Malgun Gothic","Segoe UI",system-ui,sans-serif}
.d-sheet text{fill:#1c2430;font-size:13px}
.d-back{fill:#fff}
.d-band{fill:#f3f5f8}
.d-card{fill:#fff;stroke:#c6cdd8;stroke-width:1}
.d-alarm{fill:#fdecea;stroke:#c0392b;stroke-width:1}
.d-notice{fill:#fff6df;stroke:#b7860b;stroke-width:1}
.d-sheet .d-title{font-size:20px;font-weight:700}
.d-sheet .d-band-name{font-size:15px;font-weight:700}
.d-sheet .d-heading{font-size:12px;font-weight:600;fill:#566173}
.d-sheet .d-name{font-size:15px;font-weight:700}
.d-sheet .d-muted{font-size:12px;fill:#566173}
.d-sheet .d-strong{font-weight:700}
.d-sheet .d-key{font-size:12px;font-family:"Noto Sans Mono","DejaVu Sans Mono",monospace}
.d-sheet .d-trouble{font-weight:600;fill:#a5281b}
.d-sheet .d-doubt{font-weight:600;fill:#7d5200}
.d-sheet .d-word{font-size:12px;font-weight:600}
.d-arrow{fill:none;stroke:#7b8698;stroke-width:2}
.d-tip{fill:#7b8698}
.d-rule{fill:#dde2ea}
.d-infrastructure{fill:#5566b5}
.d-operator{fill:#2b8069}
.d-developer{fill:#b5762a}
.d-daemun{fill:#7b8592}
.d-cloud{fill:#b34a60}
.d-mark{fill:none;stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}
.d-mark path{stroke:#fff}
.d-good circle{fill:#1e7f4f}
.d-foreseen circle{stroke:#566173}
.d-unknown rect{fill:#6c7687}
.d-waiting .d-fill{fill:#8a6d00;stroke:none}
.d-doubtful .d-fill{fill:#a86400;stroke:none}
.d-bad .d-fill{fill:#b3261e;stroke:none}
@media screen and (prefers-color-scheme:dark){
.d-sheet text{fill:#e4e8ee}
.d-back{fill:#12161c}
.d-band{fill:#1a2029}
.d-card{fill:#232b36;stroke:#3c4757}
.d-alarm{fill:#3b1a18;stroke:#e57368}
.d-notice{fill:#352b10;stroke:#d6a93a}
.d-sheet .d-heading,.d-sheet .d-muted{fill:#a3aebe}
.d-sheet .d-trouble{fill:#ff9d92}
.d-sheet .d-doubt{fill:#f0c15a}
.d-arrow{stroke:#8b97a9}
.d-tip{fill:#8b97a9}
.d-rule{fill:#364152}
.d-infrastructure{fill:#8c9bea}
.d-operator{fill:#57b79b}
.d-developer{fill:#dda254}
.d-daemun{fill:#96a1ae}
.d-cloud{fill:#e07f94}
.d-good circle{fill:#2c9a64}
.d-foreseen circle{stroke:#a3aebe}
.d-bad .d-fill{fill:#d5453a}
.d-waiting .d-fill{fill:#d6ab1f}
.d-doubtful .d-fill{fill:#c67c10}
}
"#;

/// A kind of text: its class, its size, and the distance between the bases of two lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Face {
    pub(super) class: &'static str,
    pub(super) size: usize,
    pub(super) leading: usize,
    /// How much wider than plain text it is, in percent.
    pub(super) wide: usize,
    /// How wide a text is, in hundredths of the size.
    pub(super) measure: fn(&str) -> usize,
}

const fn face(class: &'static str, size: usize, leading: usize, wide: usize) -> Face {
    Face {
        class,
        size,
        leading,
        wide,
        measure: hundredths,
    }
}

pub(super) const TITLE: Face = face("d-title", 20, 27, 112);
pub(super) const BAND: Face = face("d-band-name", 15, 20, 112);
pub(super) const HEADING: Face = face("d-heading", 12, 16, 110);
pub(super) const NAME: Face = face("d-name", 15, 20, 112);
pub(super) const MUTED: Face = face("d-muted", 12, 16, 100);
pub(super) const PLAIN: Face = face("d-plain", 13, 18, 100);
pub(super) const STRONG: Face = face("d-strong", 13, 18, 112);
pub(super) const KEY: Face = Face {
    measure: equal_hundredths,
    ..face("d-key", 12, 16, 100)
};
pub(super) const TROUBLE: Face = face("d-trouble", 13, 18, 110);
pub(super) const DOUBT: Face = face("d-doubt", 13, 18, 110);
pub(super) const WORD: Face = face("d-word", 12, 16, 114);

/// How a trouble is written: what is wrong otherwise than what may surprise or is on its way.
pub(super) fn of_trouble(state: State) -> Face {
    match state {
        State::Bad => TROUBLE,
        State::Good | State::Foreseen | State::Unknown | State::Waiting | State::Doubtful => DOUBT,
    }
}

impl Face {
    /// A text in lines that fit into a width, at most so many of them.
    pub(super) fn lines(self, text: &str, width: usize, most: usize) -> Vec<String> {
        lines(text, self.fits(width), most, self.measure)
    }

    /// A name in lines that fit into a width; what does not fit is cut out of its middle.
    pub(super) fn lines_of_name(self, name: &str, width: usize, most: usize) -> Vec<String> {
        lines_of_name(name, self.fits(width), most, self.measure)
    }

    /// A text on one line that fits into a width.
    pub(super) fn line(self, text: &str, width: usize) -> String {
        shorten(text, self.fits(width), self.measure)
    }

    /// How wide a text is.
    pub(super) fn width(self, text: &str) -> usize {
        (self.measure)(text) * self.size * self.wide / 10_000
    }

    /// How much text fits into a width, as its measure counts.
    fn fits(self, width: usize) -> usize {
        width * 100 * 100 / (self.size * self.wide)
    }
}
