//! `cargo xtask exposure`: the tables of `docs/exposure.md` and `docs/exposure.ko.md`, from the data about providers. A
//! test compares what is committed with what would be written.

use std::fmt::Write as _;
use std::fs;

use daemun_translate::exposure::provider::{
    Aspect, Change, ClientAddress, Place, Provider, ProxyVersion, RangesPlace, Rules, Shows,
    Switch, Unsaid, Value, Way, rules,
};

/// Around what is generated.
const BEGIN: &str = "<!-- Written by cargo xtask exposure; not to be edited. -->\n";
const END: &str = "<!-- End of what cargo xtask exposure writes. -->\n";

/// The documents, and the language of each.
const DOCUMENTS: [(&str, Language); 2] = [
    ("docs/exposure.md", Language::English),
    ("docs/exposure.ko.md", Language::Korean),
];

/// Writes the tables into the documents.
pub(crate) fn run() -> Result<(), String> {
    for (path, language) in DOCUMENTS {
        let whole = crate::repository::root().join(path);
        let unreadable = |error| format!("{path}: {error}");
        let text = fs::read_to_string(&whole).map_err(unreadable)?;
        fs::write(&whole, updated(&text, language)?).map_err(unreadable)?;
        println!("exposure: wrote {path}");
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    English,
    Korean,
}

impl Language {
    fn of(self, english: &'static str, korean: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::Korean => korean,
        }
    }
}

/// A document with what is generated in its place.
fn updated(text: &str, language: Language) -> Result<String, String> {
    let (before, rest) = text
        .split_once(BEGIN)
        .ok_or("a document has no beginning")?;
    let (_, after) = rest.split_once(END).ok_or("a document has no end")?;
    Ok(format!(
        "{before}{BEGIN}\n{}\n{END}{after}",
        generated(language)
    ))
}

fn generated(language: Language) -> String {
    let mut text = reach(language) + "\n" + &capabilities(language);
    if language == Language::English {
        text += &details();
    }
    text.trim_end().to_owned() + "\n"
}

/// How each provider is told, and what comes if it is not.
fn reach(language: Language) -> String {
    let mut text = language
        .of(
            "| Provider | Private is written as | Public is written as | With nothing written | Changes on a live Service |\n|---|---|---|---|---|\n",
            "| 제공자 | 사설(Private)로 쓰는 값 | 공인(Public)으로 쓰는 값 | 아무것도 쓰지 않으면 | 만든 뒤에 바꾸기 |\n|---|---|---|---|---|\n",
        )
        .to_owned();
    for rules in all() {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            rules.name,
            switch(&rules.private, language),
            switch(&rules.public, language),
            match rules.unsaid {
                Unsaid::Public => language.of("public", "공인"),
                Unsaid::Private => language.of("private", "사설"),
                Unsaid::Depends(_) => language.of("it depends", "설정에 따라 다름"),
                Unsaid::NotKnown => unknown(language),
            },
            match (rules.change(Aspect::Reach), &rules.private) {
                (_, Switch::Elsewhere(_) | Switch::Impossible(_)) => "–",
                (Change::Live, _) => language.of("yes", "가능"),
                (Change::CreateOnly, _) => language.of("no", "불가"),
                (Change::NotKnown, _) => unknown(language),
            },
        );
    }
    text
}

fn switch(switch: &Switch, language: Language) -> String {
    match switch {
        Switch::Keys(keys) => {
            let key = |key: &daemun_translate::exposure::provider::Key| match key.value {
                Value::Is(value) => format!("`{}: {value:?}`", key.key),
                Value::Subnet => {
                    format!("`{}: {}`", key.key, language.of("SUBNET", "서브넷"))
                }
            };
            keys.iter().map(key).collect::<Vec<_>>().join(" ")
        }
        Switch::Default => language.of("nothing", "쓰지 않음").to_owned(),
        Switch::Elsewhere(_) => language
            .of("not on the Service", "Service에 쓰지 않음")
            .to_owned(),
        Switch::Impossible(_) => language.of("impossible", "불가").to_owned(),
        Switch::NotKnown => unknown(language).to_owned(),
    }
}

/// What else each provider can do.
fn capabilities(language: Language) -> String {
    let mut text = language
        .of(
            "| Provider | UDP | Private address of choice | Public address of choice | Address is kept by | Subnet | PROXY | Source ranges | Proxies see | Status shows |\n|---|---|---|---|---|---|---|---|---|---|\n",
            "| 제공자 | UDP | 사설 주소 지정 | 공인 주소 지정 | 주소 유지 | 서브넷 | PROXY | 접근 허용 대역 | 프록시가 보는 주소 | status에 나오는 것 |\n|---|---|---|---|---|---|---|---|---|---|\n",
        )
        .to_owned();
    for rules in all() {
        let columns = [
            way(&rules.udp, language, |()| {
                language.of("yes", "지원").to_owned()
            }),
            way(&rules.fixed_address.private, language, place),
            way(&rules.fixed_address.public, language, place),
            way(&rules.kept_address, language, |key| code(key.key)),
            way(&rules.subnet, language, |key| code(key)),
            way(&rules.proxy_protocol, language, |proxy| {
                match proxy.version {
                    ProxyVersion::V1 => "v1",
                    ProxyVersion::V2 => "v2",
                    ProxyVersion::Either => language.of("v1 or v2", "v1 또는 v2"),
                    ProxyVersion::NotKnown => {
                        language.of("yes, version not known", "지원, 버전은 알 수 없음")
                    }
                }
                .to_owned()
            }),
            way(&rules.source_ranges, language, |ranges| {
                match ranges.place {
                    RangesPlace::Field => "`spec.loadBalancerSourceRanges`".to_owned(),
                    RangesPlace::Annotation(key) => code(key),
                }
            }),
            match rules.client {
                ClientAddress::Hidden => language.of("the load balancer", "로드 밸런서"),
                ClientAddress::Kept => language.of("the client", "클라이언트"),
                ClientAddress::Depends(_) => language.of("it depends", "설정에 따라 다름"),
                ClientAddress::NotKnown => unknown(language),
            }
            .to_owned(),
            match rules.shows {
                Shows::Ip => language.of("address", "주소"),
                Shows::Hostname => language.of("name", "호스트 이름"),
                Shows::Mixed => language.of("private and public", "사설과 공인 주소"),
            }
            .to_owned(),
        ];
        let _ = writeln!(text, "| {} | {} |", rules.name, columns.join(" | "));
    }
    text
}

fn way<T>(way: &Way<T>, language: Language, known: impl Fn(&T) -> String) -> String {
    match way {
        Way::Is(value) => known(value),
        Way::No(_) => language.of("no", "불가").to_owned(),
        Way::NotKnown => unknown(language).to_owned(),
    }
}

fn place(place: &Place) -> String {
    match place {
        Place::LoadBalancerIp => "`spec.loadBalancerIP`".to_owned(),
        Place::Annotation(key) => code(key),
        Place::ByFamily { v4, v6 } => format!("{} {}", code(v4), code(v6)),
    }
}

/// What each provider cannot do, and why all of it is believed.
fn details() -> String {
    let mut text = String::new();
    for rules in all() {
        let _ = write!(text, "\n### {}\n\n{}.\n\n", rules.name, rules.product);
        for sentence in rules.cannot.iter().chain(&reasons(rules)) {
            let _ = writeln!(text, "- {sentence}");
        }
        text.push_str("\n| Evidence | Source | Kind | Date |\n|---|---|---|---|\n");
        for evidence in rules.evidence {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} |",
                evidence.claim,
                evidence.source,
                evidence.kind.word(),
                evidence.date.unwrap_or("–")
            );
        }
    }
    text
}

/// Why something cannot be had, and under which conditions it can.
fn reasons(rules: &Rules) -> Vec<&'static str> {
    let mut all = Vec::new();
    for switch in [&rules.private, &rules.public] {
        if let Switch::Elsewhere(why) | Switch::Impossible(why) = switch {
            all.push(*why);
        }
    }
    let fixed = &rules.fixed_address;
    all.extend(
        no(&rules.udp)
            .into_iter()
            .chain(no(&fixed.private))
            .chain(no(&fixed.public)),
    );
    all.extend(no(&rules.kept_address).into_iter().chain(no(&rules.subnet)));
    all.extend(
        no(&rules.proxy_protocol)
            .into_iter()
            .chain(no(&rules.source_ranges)),
    );
    all.extend(rules.proxy_protocol.get().and_then(|proxy| proxy.condition));
    all.extend(
        rules
            .source_ranges
            .get()
            .and_then(|ranges| ranges.condition),
    );
    if let Unsaid::Depends(why) = rules.unsaid {
        all.push(why);
    }
    if let ClientAddress::Depends(why) = rules.client {
        all.push(why);
    }
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|sentence| seen.insert(*sentence));
    all
}

fn no<T>(way: &Way<T>) -> Option<&'static str> {
    match way {
        Way::No(why) => Some(*why),
        Way::Is(_) | Way::NotKnown => None,
    }
}

fn all() -> impl Iterator<Item = &'static Rules> {
    Provider::ALL.iter().map(|provider| rules(*provider))
}

fn unknown(language: Language) -> &'static str {
    language.of("not known", "알 수 없음")
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use super::{DOCUMENTS, updated};

    #[test]
    fn the_documents_have_what_the_data_say() {
        for (path, language) in DOCUMENTS {
            let whole = crate::repository::root().join(path);
            let text = std::fs::read_to_string(whole).unwrap();
            let fresh = updated(&text, language).unwrap();
            assert!(
                text == fresh,
                "{path} is old; cargo xtask exposure writes it anew"
            );
        }
    }
}
