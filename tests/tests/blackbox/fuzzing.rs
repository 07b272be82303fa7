//! A short run of every fuzz target, over its seeds and over inputs made from them; the long runs
//! are libFuzzer's (`fuzz/README.md`).

mod mutation;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tests::fuzzing::{TARGETS, Target};

use mutation::Mutation;

/// Large for every target, and small enough for all seeds to be run.
const LARGE_BYTES: usize = 32 * 1024;

/// What libFuzzer gives an input in a long run, on any machine and however busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// Longer inputs take their time and find nothing that these do not.
const INPUT_BYTES: usize = 2048;

fn target(name: &str) -> Target {
    let known = TARGETS.into_iter().find(|(known, _)| *known == name);
    known.expect("a target of this name").1
}

fn folder(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz").join(kind)
}

/// The seeds of a target, in the order of their names.
fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(folder("corpus_seeds").join(target)).expect("seeds of each target");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a seed").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{target} has no seeds");
    paths.into_iter().map(|path| (path.clone(), fs::read(path).expect("a seed"))).collect()
}

/// Runs `run` on `input`; a broken promise names the input it was broken by.
fn hold(run: Target, input: &[u8], origin: &str) {
    let held = std::panic::catch_unwind(|| run(input)).is_ok();
    let shown = input[..input.len().min(INPUT_BYTES)].escape_ascii();
    assert!(held, "{origin} breaks a promise, see above: \"{shown}\"");
}

/// The seeds, and `inputs` made from them, always the same ones: a second or two of work.
fn short_run(name: &str, inputs: usize) {
    let run = target(name);
    let seeds = seeds(name);
    for (path, seed) in &seeds {
        hold(run, seed, &path.display().to_string());
    }
    let dictionary = fs::read_to_string(folder("dictionaries").join(format!("{name}.dict")));
    let words = mutation::words(&dictionary.expect("a dictionary of each target"));
    let seeds: Vec<Vec<u8>> = seeds.into_iter().map(|(_, seed)| seed).collect();
    let mut mutation = Mutation::new(&seeds, &words, INPUT_BYTES);
    for number in 0..inputs {
        hold(run, &mutation.next(), &format!("input {number}"));
    }
}

#[test]
fn patterns_keep_their_promises() {
    short_run("pattern", 20_000);
}

#[test]
fn filters_keep_their_promises() {
    short_run("filter", 20_000);
}

#[test]
fn cursors_keep_their_promises() {
    short_run("cursor", 5_000);
}

#[test]
fn queries_keep_their_promises() {
    short_run("query", 10_000);
}

#[test]
fn notification_filters_keep_their_promises() {
    short_run("notification_filter", 20_000);
}

#[test]
fn bundles_keep_their_promises() {
    short_run("bundle", 5_000);
}

#[test]
fn iocs_keep_their_promises() {
    short_run("iocs", 1_500);
}

#[test]
fn drops_keep_their_promises() {
    short_run("drop", 3_000);
}

/// Work that grows with the square of an input would show here.
#[test]
fn a_large_input_is_answered_in_time() {
    for (name, run) in TARGETS {
        for (path, seed) in seeds(name) {
            let large: Vec<u8> = seed.iter().copied().cycle().take(LARGE_BYTES).collect();
            let begun = Instant::now();
            hold(run, &large, &format!("{} many times", path.display()));
            assert!(
                begun.elapsed() < PATIENCE,
                "{} many times: {:?}",
                path.display(),
                begun.elapsed()
            );
        }
    }
}

/// Seeds without a target would be run by nobody.
#[test]
fn every_folder_of_seeds_has_a_target() {
    let entries = fs::read_dir(folder("corpus_seeds")).expect("the seeds");
    let mut named: Vec<String> = entries
        .map(|entry| entry.expect("a folder").file_name().to_string_lossy().into_owned())
        .collect();
    named.sort();
    let mut targets = TARGETS.map(|(name, _)| name.to_owned());
    targets.sort();
    assert_eq!(named, targets);
}
