//! A report as a table for people.

use daemun_controller::source::files::Problem;
use daemun_model::verdict::{Condition, FieldPath, Severity, Status as Holds, Step};

use super::report::{Checked, Report, ShortSpot, Status, Summary, unread};
use super::words::Level;
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
    let (tone, summary) = summary(&report.summary);
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
            object.kind.clone(),
            object.name.to_string(),
            style.paint(Tone::Bad, format!("not read ({place})")),
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
    table.row([object.kind.clone(), name, result]);
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
            format!("{}  {message}", style.paint(Tone::Strong, place))
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

fn summary(summary: &Summary) -> (Tone, String) {
    let Summary {
        objects,
        refused,
        warned,
        unread,
        file_errors,
    } = *summary;
    let attention = refused + unread;
    if attention == 0 && file_errors == 0 {
        let tone = if warned > 0 {
            Tone::Doubtful
        } else {
            Tone::Good
        };
        let text = match (objects, warned) {
            (0, _) => "There are no objects in these files.".to_owned(),
            (1, 0) => "The object is in order.".to_owned(),
            (_, 0) => format!("All {objects} objects are in order."),
            (_, 1) => "Nothing is refused; 1 object has a warning.".to_owned(),
            (_, _) => format!("Nothing is refused; {warned} objects have warnings."),
        };
        return (tone, text);
    }
    let text = match (attention, file_errors) {
        (0, 1) => "1 error in the files needs attention.".to_owned(),
        (0, _) => format!("{file_errors} errors in the files need attention."),
        (1, _) => "1 object needs attention.".to_owned(),
        (_, _) => format!("{attention} objects need attention."),
    };
    (Tone::Bad, text)
}
