//! The page for a browser and for paper: the drawing, and below it everything in words. It is one file that loads
//! nothing and runs nothing; a browser is told so as well.

use std::fmt::Write as _;

use super::lang::{Lang, Words};
use super::markup::escape;
use super::svg::{class_of_owner, class_of_state, drawing};
use super::text::{folded, target};
use super::words as w;
use super::{
    ANNOTATION, Fact, Leg, Listener, Page, Remedy, Route, State, Station, Trouble, quoted,
};

/// Routes that are written out; the others are counted.
const MOST_ROUTES: usize = 500;
/// Rules of a Route that are.
const MOST_RULES: usize = 50;

const STYLE: &str = r#"
:root{color-scheme:light dark}
body{margin:0;background:#fff;color:#1c2430;font:15px/1.55 "Noto Sans KR","Noto Sans CJK KR","Apple SD Gothic Neo","Malgun Gothic","Segoe UI",system-ui,sans-serif}
main{max-width:1180px;margin:0 auto;padding:16px;overflow-wrap:anywhere}
main>:not(figure){margin-left:24px;margin-right:24px}
html[lang=ko] main{word-break:keep-all}
figure{margin:0 0 24px;overflow-x:auto}
figure svg{display:block;width:100%;min-width:900px;height:auto}
h2{font-size:20px;margin-top:32px;margin-bottom:8px}
h3{font-size:16px;margin:0 0 4px}
section.link{border-left:6px solid #c6cdd8;padding:4px 0 4px 14px;margin-top:0;margin-bottom:18px}
.o-infrastructure{border-color:#5566b5!important}
.o-operator{border-color:#2b8069!important}
.o-developer{border-color:#b5762a!important}
.o-daemun{border-color:#7b8592!important}
.o-cloud{border-color:#b34a60!important}
.by{color:#566173;font-weight:400}
p{margin:2px 0}
.purpose,.meaning,.quoted,.spot{color:#566173}
pre{margin:2px 0 4px 18px;white-space:pre;overflow-x:auto}
.trouble{font-weight:600}
.s-bad{color:#a5281b}.s-doubtful,.s-waiting{color:#7d5200}.s-good{color:#1e6e45}
table{border-collapse:collapse;width:100%;margin:6px 0}
th,td{text-align:left;vertical-align:top;padding:4px 10px 4px 0;border-top:1px solid #dde2ea}
th{font-weight:600}
td{min-width:6em}
code{font:13px "Noto Sans Mono","DejaVu Sans Mono",monospace}
@media screen and (prefers-color-scheme:dark){
body{background:#12161c;color:#e4e8ee}
.by,.purpose,.meaning,.quoted,.spot{color:#a3aebe}
th,td{border-color:#364152}
.s-bad{color:#ff9d92}.s-doubtful,.s-waiting{color:#f0c15a}.s-good{color:#6fd3a2}
}
@page{size:A4 portrait;margin:10mm}
@media print{
body{font-size:11px;-webkit-print-color-adjust:exact;print-color-adjust:exact}
main{max-width:none;padding:0}
main>:not(figure){margin-left:0;margin-right:0}
figure{overflow:visible;margin:0;break-after:page}
figure svg{min-width:0;width:100%;height:auto;max-height:274mm}
h2{font-size:15px}
h3{font-size:12.5px}
code{font-size:10.5px}
pre{white-space:pre-wrap}
section.link,tr{break-inside:avoid}
h2,h3{break-after:avoid}
}
"#;

/// Writes the page.
pub(super) fn write(page: &Page) -> String {
    let lang = page.lang;
    let mut writer = Writer {
        html: String::new(),
        lang,
    };
    writer.head(page);
    let _ = write!(writer.html, "<figure>\n{}</figure>\n", drawing(page));
    writer.heading(w::DETAILS, 2);
    for station in [&page.class, &page.controller, &page.rule, &page.proxies] {
        writer.station(station, "");
    }
    for way in &page.ways {
        let made = way.service.iter().chain(&way.load_balancer);
        made.chain(&way.addresses)
            .for_each(|station| writer.station(station, ""));
    }
    for Listener { port, station } in &page.listeners {
        writer.station(station, port);
    }
    writer.routes(&page.routes);
    writer.unseen(&page.unseen);
    writer.html.push_str("</main>\n</body>\n</html>\n");
    writer.html
}

struct Writer {
    html: String,
    lang: Lang,
}

impl Writer {
    fn head(&mut self, page: &Page) {
        let code = self.lang.code();
        let title = escape(&page.headline);
        let _ = write!(
            self.html,
            "<!DOCTYPE html>\n<html lang=\"{code}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        );
    }

    fn heading(&mut self, words: Words, level: usize) {
        let words = escape(&words.plain(self.lang));
        let _ = writeln!(self.html, "<h{level}>{words}</h{level}>");
    }

    fn station(&mut self, station: &Station, also: &str) {
        let Station {
            link: _,
            heading: _, // in the title
            name: _,
            state,
            purpose,
            says,
            facts,
            owner,
            reach: _, // the sentences say it
            trouble,
        } = station;
        let also = if also.is_empty() {
            String::new()
        } else {
            format!(" · {}", escape(also))
        };
        let _ = writeln!(
            self.html,
            "<section class=\"link o-{}\">\n<h3>{}{also} <span class=\"by\">· {} · <span class=\"s-{}\">{}</span></span></h3>",
            class_of_owner(*owner),
            escape(&station.title()),
            escape(&owner.word().plain(self.lang)),
            class_of_state(*state),
            escape(&state.word().plain(self.lang)),
        );
        self.paragraph("purpose", purpose);
        self.paragraph("says", says);
        if let Some(trouble) = trouble {
            self.trouble(trouble, *state);
        }
        self.facts(facts);
        self.html.push_str("</section>\n");
    }

    fn trouble(&mut self, trouble: &Trouble, state: State) {
        let Trouble {
            what,
            message: _, // is quoted
            spot,
            remedies,
        } = trouble;
        let class = format!("trouble s-{}", class_of_state(state));
        self.paragraph(&class, what);
        self.paragraph("quoted", &trouble.quoted(self.lang).unwrap_or_default());
        if let Some(spot) = spot {
            let spot = escape(&spot.to_string());
            let _ = writeln!(self.html, "<p class=\"spot\"><code>{spot}</code></p>");
        }
        for Remedy { says, paste } in remedies {
            self.paragraph("remedy", &format!("→ {says}"));
            for line in paste {
                let line = escape(line);
                let _ = writeln!(self.html, "<pre><code>{line}</code></pre>");
            }
        }
    }

    fn paragraph(&mut self, class: &str, text: &str) {
        if !text.is_empty() {
            let text = escape(text);
            let _ = writeln!(self.html, "<p class=\"{class}\">{text}</p>");
        }
    }

    fn facts(&mut self, facts: &[Fact]) {
        if facts.is_empty() {
            return;
        }
        self.html.push_str("<table>\n");
        for fact in facts {
            let Fact {
                id,
                label,
                value,
                meaning,
            } = fact;
            let (label, meaning) = (escape(label), escape(meaning));
            let (label, value) = if *id == ANNOTATION {
                let value = escape(&quoted(value));
                (
                    format!("<code>{label}</code>"),
                    format!("<code>{value}</code>"),
                )
            } else {
                (label, escape(value))
            };
            let _ = writeln!(
                self.html,
                "<tr><th scope=\"row\">{label}</th><td>{value}</td><td class=\"meaning\">{meaning}</td></tr>"
            );
        }
        self.html.push_str("</table>\n");
    }

    fn routes(&mut self, routes: &[Route]) {
        for route in routes.iter().take(MOST_ROUTES) {
            self.station(&route.station, "");
            // The rules belong to what was just closed.
            let end = self.html.len() - "</section>\n".len();
            self.html.truncate(end);
            self.legs(&route.legs);
            self.html.push_str("</section>\n");
        }
        if let Some(more) = folded(routes, MOST_ROUTES, self.lang) {
            self.paragraph("says", &more);
        }
    }

    fn legs(&mut self, legs: &[Leg]) {
        if legs.is_empty() {
            return;
        }
        let takes = escape(&w::RULE.plain(self.lang));
        let leads = escape(&w::LEADS_TO.plain(self.lang));
        let _ = writeln!(
            self.html,
            "<table>\n<tr><th scope=\"col\">{takes}</th><th scope=\"col\">{leads}</th></tr>"
        );
        for leg in legs.iter().take(MOST_RULES) {
            let to: Vec<String> = leg.to.iter().map(|it| escape(&target(it))).collect();
            let (takes, to) = (escape(&leg.takes), to.join("<br>"));
            let _ = writeln!(self.html, "<tr><td>{takes}</td><td>{to}</td></tr>");
        }
        self.html.push_str("</table>\n");
        if let more @ 1.. = legs.len().saturating_sub(MOST_RULES) {
            self.paragraph("says", &w::MORE_RULES.say(self.lang, &[&more]));
        }
    }

    fn unseen(&mut self, unseen: &[String]) {
        if unseen.is_empty() {
            return;
        }
        self.heading(w::UNSEEN, 2);
        for sentence in unseen {
            self.paragraph("says", sentence);
        }
    }
}
