//! Files that change under a controller at work: what becomes live, when, and what people are told.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use daemun_base::clock;
use daemun_base::tasks::Tasks;
use daemun_controller::publish::State;
use daemun_controller::source::files::Files;
use daemun_controller::{Controller, Following, follow};
use daemun_translate::Settings;
use tokio::time::timeout;

/// Far more than any step needs, also on a busy machine.
const LONG: Duration = Duration::from_secs(10);

struct Case {
    directory: tempfile::TempDir,
    following: Following,
    told: Arc<Mutex<Vec<String>>>,
    _tasks: Tasks,
}

impl Case {
    /// Follows the directory that `prepare` fills.
    fn new(prepare: impl Fn(&Path)) -> Self {
        Self::of(prepare, |directory| vec![directory.to_path_buf()])
    }

    fn of(prepare: impl Fn(&Path), paths: impl Fn(&Path) -> Vec<PathBuf>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        prepare(directory.path());
        let tasks = Tasks::default();
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let teller = Arc::clone(&told);
        let files = Files::new(paths(directory.path()));
        let following = follow(
            Controller::new(files, Settings::default()),
            &tasks,
            move |news| {
                let text = news.problems_text() + &news.solved_text();
                if !text.is_empty() {
                    teller.lock().unwrap().push(text);
                }
            },
        );
        Self {
            directory,
            following,
            told,
            _tasks: tasks,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Replaces a file as editors do.
    fn replace(&self, name: &str, text: &str) {
        let new = self.path(".new~");
        fs::write(&new, text).unwrap();
        fs::rename(new, self.path(name)).unwrap();
    }

    fn state(&self) -> Arc<State> {
        Arc::clone(&self.following.state.borrow())
    }

    fn told(&self) -> Vec<String> {
        let prefix = format!("{}/", self.directory.path().display());
        let told = self.told.lock().unwrap();
        told.iter().map(|text| text.replace(&prefix, "")).collect()
    }

    /// Waits for a state that is as it should be.
    async fn until(&mut self, what: &str, is: impl Fn(&State) -> bool) -> Duration {
        let start = clock::now();
        let waited = timeout(LONG, self.following.state.wait_for(|state| is(state)));
        let reached = waited.await.is_ok();
        assert!(reached, "{what}: {:#?}", self.state());
        start.elapsed()
    }

    async fn until_names(&mut self, names: &[&str]) -> Duration {
        let what = format!("the objects are {names:?}");
        self.until(&what, |state| self::names(state) == names).await
    }
}

fn names(state: &State) -> Vec<&str> {
    state
        .positions
        .objects()
        .map(|object| object.name.name.as_str())
        .collect()
}

fn namespace(name: &str) -> String {
    format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n")
}

fn file(name: &'static str, text: String) -> impl Fn(&Path) {
    move |directory| fs::write(directory.join(name), &text).unwrap()
}

#[tokio::test]
async fn the_first_state_is_there_at_once() {
    let case = Case::new(file("a.yaml", namespace("one")));
    assert_eq!(names(&case.state()), ["one"]);
    assert_eq!(case.state().revision, 1);
    assert!(case.told().is_empty());
}

#[tokio::test]
async fn a_file_that_an_editor_replaces_is_live_at_once() {
    let mut case = Case::new(file("a.yaml", namespace("one")));
    case.replace("a.yaml", &namespace("two"));
    let took = case.until_names(&["two"]).await;
    assert!(
        took < Duration::from_millis(1500),
        "{took:?} is not at once"
    );
}

#[tokio::test]
async fn a_file_given_by_its_name_is_followed() {
    let mut case = Case::of(file("a.yaml", namespace("one")), |directory| {
        vec![directory.join("a.yaml")]
    });
    case.replace("a.yaml", &namespace("two"));
    case.until_names(&["two"]).await;
    fs::write(case.path("a.yaml"), namespace("three")).unwrap();
    case.until_names(&["three"]).await;
}

#[tokio::test]
async fn files_and_directories_come_and_go() {
    let mut case = Case::new(file("a.yaml", namespace("one")));
    fs::write(case.path("b.yaml"), namespace("two")).unwrap();
    case.until_names(&["one", "two"]).await;
    fs::create_dir(case.path("more")).unwrap();
    fs::write(case.path("more/c.yaml"), namespace("three")).unwrap();
    case.until_names(&["one", "three", "two"]).await;
    case.replace("more/c.yaml", &namespace("four"));
    case.until_names(&["four", "one", "two"]).await;
    fs::remove_file(case.path("a.yaml")).unwrap();
    case.until_names(&["four", "two"]).await;
    fs::remove_dir_all(case.path("more")).unwrap();
    case.until_names(&["two"]).await;
}

#[tokio::test]
async fn a_config_map_volume_changes_as_a_whole() {
    let volume = |directory: &Path| {
        fs::create_dir(directory.join("..1")).unwrap();
        fs::write(directory.join("..1/a.yaml"), namespace("one")).unwrap();
        symlink("..1", directory.join("..data")).unwrap();
        symlink("..data/a.yaml", directory.join("a.yaml")).unwrap();
    };
    let mut case = Case::new(volume);
    for version in 2..5 {
        let name = format!("version-{version}");
        let directory = case.path(&format!("..{version}"));
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("a.yaml"), namespace(&name)).unwrap();
        symlink(format!("..{version}"), case.path("..data_tmp")).unwrap();
        fs::rename(case.path("..data_tmp"), case.path("..data")).unwrap();
        fs::remove_dir_all(case.path(&format!("..{}", version - 1))).unwrap();
        case.until_names(&[&name]).await;
    }
    assert!(case.told().is_empty(), "{:?}", case.told());
}

#[tokio::test]
async fn a_file_that_is_written_slowly_is_never_half_read() {
    let mut case = Case::new(file(
        "a.yaml",
        namespace("one") + "---\n" + &namespace("two"),
    ));
    // An editor that moves the old file away, and writes the new one in pieces.
    use std::io::Write as _;
    fs::rename(case.path("a.yaml"), case.path("a.yaml~")).unwrap();
    let mut new = fs::File::create(case.path("a.yaml")).unwrap();
    for piece in [namespace("one"), "---\n".to_owned(), namespace("three")] {
        new.write_all(piece.as_bytes()).unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert_eq!(names(&case.state()), ["one", "two"]);
    }
    drop(new);
    case.until_names(&["one", "three"]).await;
    assert_eq!(case.state().revision, 2, "there was no state in between");
}

#[tokio::test]
async fn a_bad_edit_is_told_once_and_can_be_put_right() {
    let mut case = Case::new(file("a.yaml", namespace("one")));
    let live = case.state();
    case.replace(
        "a.yaml",
        &namespace("one").replace("metadata:\n", "metadata:\n  lables: {}\n"),
    );
    case.until("the mistake is seen", |state| !state.problems.is_empty())
        .await;
    let state = case.state();
    assert_eq!(names(&state), ["one"]);
    assert!(Arc::ptr_eq(&live.configuration, &state.configuration));
    assert_eq!((state.counts.accepted, state.counts.refused), (1, 1));
    let summary = state.problems.summary();
    assert!(
        summary.contains("a.yaml:4:3: unknown field \"lables\""),
        "{summary}"
    );
    // Another file changes: the mistake is still there, and not told again.
    fs::write(case.path("b.yaml"), namespace("two")).unwrap();
    case.until_names(&["one", "two"]).await;
    assert_eq!(case.state().problems.iter().count(), 1);
    case.replace("a.yaml", &namespace("one"));
    case.until("it is put right", |state| state.problems.is_empty())
        .await;
    let told = case.told();
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(
        told[0].starts_with(
            "a.yaml:4:3: unknown field \"lables\" in Namespace one, metadata; did you mean \"labels\"?\n    \
             2 | kind: Namespace\n    3 | metadata:\n    4 |   lables: {}\n      |   ^^^^^^\n\
             Nothing has changed: one goes on as it was at "
        ),
        "{}",
        told[0]
    );
    assert!(
        told[0].ends_with(" UTC. All else in the file is live.\n"),
        "{}",
        told[0]
    );
    assert_eq!(told[1], "a.yaml: Namespace one is put right and live.\n");
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_with_its_key() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: tls\n  annotations:\n    \
                  file.gateway.daemun.dev/tls.crt: ../keys/tls.crt\n    \
                  file.gateway.daemun.dev/tls.key: ../keys/tls.key\n";
    let prepare = |directory: &Path| {
        for inner in ["conf", "keys"] {
            fs::create_dir(directory.join(inner)).unwrap();
        }
        fs::write(directory.join("conf/s.yaml"), secret).unwrap();
        fs::write(directory.join("keys/tls.crt"), "first").unwrap();
        fs::write(directory.join("keys/tls.key"), "first").unwrap();
    };
    let mut case = Case::of(prepare, |directory| vec![directory.join("conf")]);
    assert!(
        case.state().problems.is_empty(),
        "{:?}",
        case.state().problems
    );
    fs::write(case.path("keys/tls.crt"), "second").unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(case.state().revision, 1, "the key is still the old one");
    fs::write(case.path("keys/tls.key"), "second").unwrap();
    case.until("both are taken", |state| state.revision == 2)
        .await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(case.state().revision, 2, "in one step");
}

#[tokio::test]
async fn a_reload_reads_everything_again() {
    let mut case = Case::new(|directory| {
        fs::write(directory.join("s.yaml"), namespace("one")).unwrap();
    });
    case.following.reload.now();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(case.state().revision, 1, "nothing is new");
    fs::write(case.path("b.yaml"), namespace("two")).unwrap();
    case.following.reload.now();
    case.until_names(&["one", "two"]).await;
}

#[tokio::test]
async fn a_directory_that_vanishes_takes_nothing_away() {
    let mut case = Case::of(
        |directory| {
            fs::create_dir(directory.join("conf")).unwrap();
            fs::write(directory.join("conf/a.yaml"), namespace("one")).unwrap();
        },
        |directory| vec![directory.join("conf")],
    );
    fs::rename(case.path("conf"), case.path("away")).unwrap();
    case.until("it is seen", |state| !state.problems.is_empty())
        .await;
    assert_eq!(names(&case.state()), ["one"]);
    fs::rename(case.path("away"), case.path("conf")).unwrap();
    case.until("it is back", |state| state.problems.is_empty())
        .await;
    case.replace("conf/a.yaml", &namespace("two"));
    case.until_names(&["two"]).await;
}
