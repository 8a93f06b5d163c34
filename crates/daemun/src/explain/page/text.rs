//! The page for a terminal: what is wrong first, then the chain, link by link.
//!
//! What others wrote comes without control characters, so that it cannot write over the rest.

use super::lang::{Lang, Words};
use super::measure::{columns, wrap};
use super::origin::Manager;
use super::service::Explained;
use super::words as w;
use super::{
    ANNOTATION, Fact, Leg, Link, Page, Remedy, Route, State, Station, Target, Trouble, Wrong,
    quoted,
};
use crate::output::style::{Style, Tone, plain};

/// As wide as lines become.
const WIDTH: usize = 100;
/// Routes that are shown, and rules of each; the others are counted.
const MOST_ROUTES: usize = 20;
const MOST_RULES: usize = 8;

/// Writes the page.
pub(super) fn write(page: &Page, style: Style) -> String {
    let mut writer = Writer {
        text: String::new(),
        style,
        lang: page.lang,
    };
    writer.headline(page);
    writer.band(&w::BAND_RULES.plain(page.lang));
    for station in [&page.class, &page.controller, &page.rule] {
        writer.station(station, "");
    }
    writer.band(&w::BAND_WAY.plain(page.lang));
    writer.station(&page.proxies, "");
    for way in &page.ways {
        let made = way.service.iter().chain(&way.load_balancer);
        for station in made.chain(&way.addresses) {
            writer.station(station, "");
        }
    }
    writer.band(&w::BAND_ROUTES.plain(page.lang));
    for listener in &page.listeners {
        writer.station(&listener.station, &listener.port);
    }
    writer.routes(&page.routes);
    writer.unseen(&page.unseen);
    writer.text
}

/// Writes the answer about a Service.
pub(super) fn service(explained: &Explained, style: Style) -> String {
    let Explained {
        service,
        lang,
        headline,
        created: _, // said with who
        maker: _,   // in words
        who,
        see,
        why,
        forecast: _, // in words
        why_reach,
        to_be_private,
        evidence,
        annotations,
        managers,
        unseen,
    } = explained;
    let mut writer = Writer {
        text: String::new(),
        style,
        lang: *lang,
    };
    for line in wrap(&plain(headline), WIDTH, columns) {
        let line = style.paint(Tone::Strong, line);
        writer.line(&line);
    }
    writer.paragraph(w::WHO, std::slice::from_ref(who));
    if let Some(see) = see {
        writer.remedy(see, 2, "");
    }
    writer.paragraph(w::WHY, std::slice::from_ref(why));
    writer.paragraph(w::WHO_REACHES, why_reach);
    if !to_be_private.is_empty() {
        writer.band(&w::TO_BE_PRIVATE.plain(*lang));
        for remedy in to_be_private {
            writer.remedy(remedy, 2, "");
        }
    }
    for (heading, facts) in [(w::SAYS_SO, evidence), (w::ANNOTATIONS, annotations)] {
        if !facts.is_empty() {
            writer.band(&heading.plain(*lang));
            writer.facts(facts);
        }
    }
    writer.band(&w::MANAGERS.plain(*lang));
    if managers.is_empty() {
        let (namespace, name) = service.split_once('/').unwrap_or_default();
        let remedy = w::NO_MANAGERS.remedy(*lang, &[&namespace, &name]);
        writer.remedy(&remedy, 2, "");
    }
    for manager in managers {
        writer.manager(manager);
    }
    writer.unseen(unseen);
    writer.text
}

struct Writer {
    text: String,
    style: Style,
    lang: Lang,
}

impl Writer {
    fn headline(&mut self, page: &Page) {
        for line in wrap(&plain(&page.headline), WIDTH, columns) {
            let line = self.style.paint(Tone::Strong, line);
            self.line(&line);
        }
        if let Some(wrong) = &page.first_wrong {
            self.wrong(wrong);
        }
    }

    fn wrong(&mut self, wrong: &Wrong) {
        let owner = wrong.owner.word().plain(self.lang);
        let first = w::FIRST_WRONG.say(self.lang, &[&wrong.object, &owner]);
        self.text.push('\n');
        let first = self.style.paint(tone(wrong.state), plain(&first));
        self.line(&first);
        self.trouble(&wrong.trouble, 2, "");
    }

    /// What is wrong, what the controller says of it, where that is written, and what to do.
    fn trouble(&mut self, trouble: &Trouble, indent: usize, mark: &str) {
        let Trouble {
            what,
            message: _, // is quoted
            spot,
            remedies,
        } = trouble;
        let place = spot.as_ref().map(|it| format!("{it}: "));
        self.told(
            &format!("{}{what}", place.unwrap_or_default()),
            indent,
            mark,
        );
        let inner = indent + columns(mark);
        if let Some(quoted) = trouble.quoted(self.lang) {
            self.told(&quoted, inner, "");
        }
        for remedy in remedies {
            self.remedy(remedy, inner, "→ ");
        }
    }

    /// What to do. What is to be typed or pasted has lines of its own, which are never broken.
    fn remedy(&mut self, remedy: &Remedy, indent: usize, before: &str) {
        let Remedy { says, paste } = remedy;
        self.told(says, indent, before);
        for line in paste {
            let indent = " ".repeat(indent + columns(before) + 2);
            self.line(&format!("{indent}{}", plain(line)));
        }
    }

    fn band(&mut self, name: &str) {
        self.text.push('\n');
        let name = self.style.paint(Tone::Strong, name);
        self.line(&name);
    }

    fn station(&mut self, station: &Station, also: &str) {
        let Station {
            link,
            heading,
            name,
            state,
            purpose,
            says,
            facts,
            owner,
            reach: _, // the sentences say it
            trouble,
        } = station;
        let mut parts = vec![plain(&format!("{heading} {name}")).trim_end().to_owned()];
        if !also.is_empty() {
            parts.push(plain(also));
        }
        parts.push(owner.word().plain(self.lang));
        if *state != State::Good {
            let word = state.word().plain(self.lang);
            parts.push(self.style.paint(tone(*state), word));
        }
        let mark = self.style.paint(tone(*state), mark(*state));
        self.line(&format!("  {mark} {}", parts.join(" · ")));
        // What listeners and Routes are for, their readers know, and there are many of them.
        if !matches!(link, Link::Listener | Link::Route) {
            self.told(purpose, 6, "");
        }
        self.told(says, 6, "");
        self.facts(facts);
        if let Some(trouble) = trouble {
            self.trouble(trouble, 6, &format!("{} ", self::mark(*state)));
        }
    }

    fn facts(&mut self, facts: &[Fact]) {
        for fact in facts {
            let Fact {
                id,
                label,
                value,
                meaning,
            } = fact;
            let value = if *id == ANNOTATION {
                quoted(value)
            } else {
                value.clone()
            };
            let told = format!("{label}: {value}");
            if *id == ANNOTATION {
                self.told(&told, 8, "");
                self.told(meaning, 12, "");
            } else if meaning.is_empty() {
                self.told(&told, 8, "");
            } else {
                self.told(&format!("{told} — {meaning}"), 8, "");
            }
        }
    }

    fn routes(&mut self, routes: &[Route]) {
        if routes.is_empty() {
            let none = w::NO_ROUTES.plain(self.lang);
            self.told(&none, 4, "");
        }
        for route in routes.iter().take(MOST_ROUTES) {
            self.station(&route.station, "");
            for leg in route.legs.iter().take(MOST_RULES) {
                self.leg(leg);
            }
            if let more @ 1.. = route.legs.len().saturating_sub(MOST_RULES) {
                let more = w::MORE_RULES.say(self.lang, &[&more]);
                self.told(&more, 6, "… ");
            }
        }
        if let Some(more) = folded(routes, MOST_ROUTES, self.lang) {
            self.told(&more, 2, "… ");
        }
    }

    fn leg(&mut self, leg: &Leg) {
        let to: Vec<String> = leg.to.iter().map(target).collect();
        let told = format!("{} → {}", leg.takes, to.join("; "));
        self.told(&told, 6, "");
    }

    /// Sentences below a heading.
    fn paragraph(&mut self, heading: Words, sentences: &[String]) {
        if sentences.iter().all(String::is_empty) {
            return;
        }
        self.band(&heading.plain(self.lang));
        for sentence in sentences {
            self.told(sentence, 2, "");
        }
    }

    fn manager(&mut self, manager: &Manager) {
        const SHOWN: usize = 6;
        let Manager {
            manager,
            operation,
            time,
            of_status: _, // the fields say it
            fields,
            annotations: _, // are told one by one
        } = manager;
        let mut shown: Vec<String> = fields.iter().take(SHOWN).cloned().collect();
        if fields.len() > SHOWN {
            shown.push("…".to_owned());
        }
        let told = format!("{time}  {manager} ({operation})  {}", shown.join(", "));
        self.told(&told, 2, "");
    }

    fn unseen(&mut self, unseen: &[String]) {
        if unseen.is_empty() {
            return;
        }
        let heading = w::UNSEEN.plain(self.lang);
        self.band(&heading);
        for sentence in unseen {
            self.told(sentence, 2, "");
        }
    }

    /// A text in lines, further in than what it belongs to.
    fn told(&mut self, text: &str, indent: usize, before: &str) {
        let limit = WIDTH.saturating_sub(indent + columns(before));
        for (number, line) in wrap(&plain(text), limit, columns).iter().enumerate() {
            let before = if number == 0 {
                before.to_owned()
            } else {
                " ".repeat(columns(before))
            };
            self.line(&format!("{}{before}{line}", " ".repeat(indent)));
        }
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }
}

/// Where a share goes, on one line.
pub(super) fn target(target: &Target) -> String {
    let Target {
        backend,
        share,
        endpoints,
        state: _, // the words say it
    } = target;
    let mut told = backend.clone();
    if !share.is_empty() {
        told.push_str(&format!(" {share}"));
    }
    if !endpoints.is_empty() {
        told.push_str(&format!(", {endpoints}"));
    }
    told
}

/// How many Routes are not shown, if some are not.
pub(super) fn folded(routes: &[Route], shown: usize, lang: Lang) -> Option<String> {
    let rest = routes.get(shown..).filter(|rest| !rest.is_empty())?;
    let wrong = rest.iter().filter(|it| it.station.state >= State::Doubtful);
    Some(match wrong.count() {
        0 => w::MORE_ROUTES_FINE.say(lang, &[&rest.len()]),
        wrong => w::MORE_ROUTES.say(lang, &[&rest.len(), &wrong]),
    })
}

fn tone(state: State) -> Tone {
    match state {
        State::Good => Tone::Good,
        State::Foreseen | State::Unknown => Tone::Strong,
        State::Waiting | State::Doubtful => Tone::Doubtful,
        State::Bad => Tone::Bad,
    }
}

fn mark(state: State) -> &'static str {
    match state {
        State::Good => "✓",
        State::Foreseen => "○",
        State::Unknown => "?",
        State::Waiting => "…",
        State::Doubtful => "!",
        State::Bad => "✗",
    }
}
