//! Any text is read as configuration: it ends, reading it again gives the same, what is wrong has a place
//! in the text, and what can be read can be translated.

#![no_main]

use daemun_controller::source::files::read_text;
use daemun_translate::{Cluster, translate};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (objects, problems) = read_text("text", text);
    let lines = u32::try_from(text.split('\n').count()).expect("a fuzzer's texts are short");
    for problem in &problems {
        let spot = problem
            .spot
            .as_ref()
            .expect("every problem of a text has a place");
        // A carriage return alone ends a line too, for YAML.
        let returns =
            u32::try_from(text.matches('\r').count()).expect("a fuzzer's texts are short");
        assert!(
            (1..=lines + returns + 1).contains(&spot.line),
            "{problem} is not in {text:?}"
        );
        assert!(!problem.message.is_empty());
        let shown = problem.to_string();
        assert!(
            !shown
                .chars()
                .any(|character| character.is_control() && character != '\n'),
            "{shown:?} is not for a terminal"
        );
    }

    let again = read_text("text", text);
    assert_eq!((&objects, &problems), (&again.0, &again.1), "{text:?}");

    let mut cluster = Cluster::default();
    for object in objects {
        assert!(
            cluster.insert(object).is_none(),
            "two objects of one name: {text:?}"
        );
    }
    let outcome = translate(&cluster);
    assert_eq!(outcome, translate(&cluster), "{text:?}");
});
