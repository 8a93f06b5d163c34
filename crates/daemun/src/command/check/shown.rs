//! A report as a table for people.

use daemun_controller::source::files::Problem;
use daemun_model::verdict::{Condition, FieldPath, Severity, Status as Holds, Step};

use super::report::{Checked, Report, ShortSpot, Status, Summary, unread};
use super::words::Level;
use crate::explain::cluster::what_was_not_seen;
use crate::output::counted;
use crate::output::style::{Style, Tone, plain};
use crate::output::table::Table;

/// The whole report. `wide` shows every condition, also those with which all is well.
pub(super) fn text(report: &Report, wide: bool, style: Style) -> String {
    let mut text = objects(report, wide, style);
    for problem in &report.problems {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&shown_problem(problem, style));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&what_was_not_seen(&report.unseen));
    let (tone, summary) = summary(&report.summary, &report.place);
    text.push_str(&style.paint(tone, summary));
    text.push('\n');
    text
}

fn objects(report: &Report, wide: bool, style: Style) -> String {
    let missing: Vec<&Problem> = of_missing_objects(report);
    if report.objects.is_empty() && missing.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["KIND", "NAME", "RESULT"]);
    for object in &report.objects {
        row(&mut table, object, wide, style);
    }
    for problem in missing {
        let Some(object) = &problem.object else {
            continue;
        };
        let place = problem.spot.as_ref().map_or_else(
            || problem.file.to_string(),
            |spot| format!("{}:{}", spot.file, spot.line),
        );
        table.row([
            plain(&object.kind),
            plain(&object.name.to_string()),
            style.paint(Tone::Bad, plain(&format!("not read ({place})"))),
        ]);
    }
    table.text()
}

/// The first problem of each object that is not there because of it.
fn of_missing_objects(report: &Report) -> Vec<&Problem> {
    let mut seen = Vec::new();
    for object in unread(&report.problems) {
        let there = report.objects.iter().any(|checked| {
            checked.kind == object.kind
                && checked.name == object.name.name
                && checked.namespace == object.name.namespace
        });
        if !there && !seen.contains(&object) {
            seen.push(object);
        }
    }
    let first_of = |object| {
        let mut problems = report.problems.iter();
        problems.find(|problem| problem.object.as_ref() == Some(object))
    };
    seen.into_iter().filter_map(first_of).collect()
}

fn row(table: &mut Table, object: &Checked, wide: bool, style: Style) {
    let name = if object.namespace.is_empty() {
        object.name.clone()
    } else {
        format!("{}/{}", object.namespace, object.name)
    };
    let tone = match object.level {
        Level::Fine => Tone::Good,
        Level::Warning => Tone::Doubtful,
        Level::Refused => Tone::Bad,
    };
    let result = style.paint(tone, plain(&object.result));
    table.row([plain(&object.kind), plain(&name), result]);
    if let (true, Some(status)) = (wide, &object.status) {
        for (place, condition) in conditions(status) {
            table.below(shown_condition(&place, condition));
        }
    }
    for finding in &object.findings {
        let message = format!("{}{}", rule_of(&finding.path), finding.message);
        table.below(shown_message(finding.spot.as_ref(), &message, style));
    }
    for remark in object.remarks.iter().filter(|_| !wide) {
        table.below(shown_message(object.spot.as_ref(), remark, style));
    }
}

/// `rule 2: ` for what stands in a Route's second rule.
fn rule_of(path: &FieldPath) -> String {
    match path.steps() {
        [
            Step::Field(spec),
            Step::Field(rules),
            Step::Index(index),
            ..,
        ] if spec == "spec" && rules == "rules" => {
            format!("rule {}: ", index + 1)
        }
        _ => String::new(),
    }
}

fn shown_message(spot: Option<&ShortSpot>, message: &str, style: Style) -> String {
    let message = plain(message);
    match spot {
        Some(spot) => {
            let place = format!("{}:{}:{}", spot.file, spot.line, spot.column);
            format!("{}  {message}", style.paint(Tone::Strong, plain(&place)))
        }
        None => message,
    }
}

/// All conditions of a status, with the part that they are about.
fn conditions(status: &Status) -> Vec<(String, &Condition)> {
    let Status {
        conditions,
        listeners,
        parents,
        ancestors,
    } = status;
    let mut all: Vec<(String, &Condition)> = Vec::new();
    all.extend(conditions.iter().map(|it| (String::new(), it)));
    for listener in listeners {
        let place = format!("listener {}: ", listener.name);
        all.extend(listener.conditions.iter().map(|it| (place.clone(), it)));
    }
    for parent in parents {
        let section = parent.parent_ref.section_name.as_ref();
        let section = section.map(|name| format!("/{name}")).unwrap_or_default();
        let place = format!("{}{section}: ", parent.parent_ref.name);
        all.extend(parent.conditions.iter().map(|it| (place.clone(), it)));
    }
    for ancestor in ancestors {
        let place = format!("for {}: ", ancestor.ancestor_ref.name);
        all.extend(ancestor.conditions.iter().map(|it| (place.clone(), it)));
    }
    all
}

/// `listener http: Accepted=True (Accepted)  All is well.`
fn shown_condition(place: &str, condition: &Condition) -> String {
    let status = match condition.status {
        Holds::True => "True",
        Holds::False => "False",
        Holds::Unknown => "Unknown",
    };
    let Condition {
        kind,
        reason,
        message,
        status: _,
    } = condition;
    plain(&format!("{place}{kind}={status} ({reason})  {message}"))
}

fn shown_problem(problem: &Problem, style: Style) -> String {
    let text = problem.to_string();
    let place = match &problem.spot {
        Some(spot) => spot.to_string(),
        None => problem.file.to_string(),
    };
    let rest = text.strip_prefix(&place).unwrap_or(&text);
    let tone = match problem.severity {
        Severity::Warning => Tone::Doubtful,
        Severity::Error => Tone::Bad,
    };
    let rest = match problem.severity {
        Severity::Warning => rest.replacen(": ", ": warning: ", 1),
        Severity::Error => rest.to_owned(),
    };
    format!("{}{rest}\n", style.paint(tone, place))
}

/// The last line: what needs attention, or that all is well.
fn summary(summary: &Summary, place: &str) -> (Tone, String) {
    let Summary {
        objects,
        refused,
        warned,
        unread,
        file_errors,
        elsewhere,
        file_warnings,
    } = *summary;
    let attention = refused + unread;
    if attention == 0 && file_errors == 0 {
        return unrefused(objects, warned, file_warnings, place);
    }
    let mut parts = Vec::new();
    if attention > 0 {
        parts.push(counted(attention, "object"));
    }
    if elsewhere > 0 {
        parts.push(format!("{} in the files", counted(elsewhere, "error")));
    }
    let need = if attention + elsewhere == 1 {
        "needs"
    } else {
        "need"
    };
    (
        Tone::Bad,
        format!("{} {need} attention.", parts.join(" and ")),
    )
}

fn unrefused(objects: usize, warned: usize, file_warnings: usize, place: &str) -> (Tone, String) {
    let text = match (objects, warned + file_warnings) {
        (0, 0) => format!("There are no objects {place}."),
        (0, _) => "No object of these files is read; see above.".to_owned(),
        (1, 0) => "The object is in order.".to_owned(),
        (_, 0) => format!("All {objects} objects are in order."),
        (_, _) => {
            let mut parts = Vec::new();
            if warned > 0 {
                let have = if warned == 1 {
                    "has a warning"
                } else {
                    "have warnings"
                };
                parts.push(format!("{} {have}", counted(warned, "object")));
            }
            if file_warnings > 0 {
                let are = if file_warnings == 1 { "is" } else { "are" };
                let warnings = counted(file_warnings, "warning");
                parts.push(format!("there {are} {warnings} about the files"));
            }
            format!("Nothing is refused; {}.", parts.join(", and "))
        }
    };
    let good = objects > 0 && warned + file_warnings == 0;
    (if good { Tone::Good } else { Tone::Doubtful }, text)
}
