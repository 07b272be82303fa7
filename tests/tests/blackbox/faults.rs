//! Every call of AWS that every function makes, found by itself: each fault befalls each of them
//! once and is survived unseen; and where a call fails for as long as it is made, the asker is told
//! to come again, and having come again finds what there would have been without the fault.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use tests::aws_front::{Fault, Strike};
use tests::chance::seed_of_the_day;
use tests::lab::block_on;
use tests::stage::{Played, Scenario, Stage, all, is_http};

/// Cases under way at once: most of their time they wait.
const CONCURRENCY: usize = 24;

/// What a case may take in all, on a busy machine; where nobody answers, beside the function's time.
const PATIENCE: Duration = Duration::from_secs(80);

/// What a function that answers requests has.
const FUNCTION_TIME: Duration = Duration::from_secs(29);

/// Of a hundred cases, as many at the most may find nothing to befall: calls that race are not
/// always as many.
const UNSTRUCK_PERCENT: usize = 3;

/// What a persistent fault is: refused, failing, and done but never told.
const PERSISTENT: [Fault; 4] =
    [Fault::Throttled, Fault::Failed, Fault::TimedOut, Fault::LostAnswer];

/// The distinct calls of a run that its scenario is about: their names, and how many there are of
/// each.
fn distinct(scenario: &Scenario, played: &Played) -> BTreeMap<String, usize> {
    let mut calls: BTreeMap<String, usize> = BTreeMap::new();
    for call in played.calls.iter().filter(|call| call.name.contains(scenario.about)) {
        *calls.entry(call.name.clone()).or_default() += 1;
    }
    calls.remove("an answer that something is not there");
    calls
}

/// What the platform gives a function.
fn time_of(function: &str) -> Duration {
    static TEMPLATE: LazyLock<serde_yaml_ng::Value> = LazyLock::new(|| {
        let file = tests::binaries::workspace().join("infra/template.yaml");
        serde_yaml_ng::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
    });
    if is_http(function) {
        return FUNCTION_TIME;
    }
    let seconds = TEMPLATE["Resources"][function]["Properties"]["Timeout"].as_u64();
    Duration::from_secs(seconds.expect("a function of events has a time of its own"))
}

fn statuses(played: &Played) -> Vec<u16> {
    played.outcomes.iter().map(|tries| tries.last().map_or(0, |last| last.status)).collect()
}

/// What differs between what was left and what should have been.
fn difference(expected: &Played, found: &Played) -> Vec<String> {
    let keys: BTreeSet<&String> = expected.state.keys().chain(found.state.keys()).collect();
    let count = |played: &Played, key: &str| played.state.get(key).copied().unwrap_or(0);
    keys.into_iter()
        .filter(|key| count(expected, key) != count(found, key))
        .map(|key| format!("{key}: {} instead of {}", count(found, key), count(expected, key)))
        .collect()
}

/// What came of a case.
struct Found {
    title: String,
    struck: bool,
    faults: Vec<String>,
}

struct Case<'a> {
    scenario: &'a Scenario,
    expected: &'a Played,
    strike: Strike,
}

impl Case<'_> {
    async fn run(&self) -> Found {
        let time = time_of(self.scenario.function);
        // What is refused or fails is known soon; what is waited for may take all there is.
        let patience = match self.strike.fault {
            Fault::Hangs => time + PATIENCE,
            _ => PATIENCE,
        };
        let title = self.title();
        let played = Stage::play(self.scenario, Some(self.strike.clone()));
        let Ok(found) = tokio::time::timeout(patience, played).await else {
            return Found {
                title,
                struck: true,
                faults: vec![format!("not over after {patience:?}")],
            };
        };
        let struck = found.struck > 0;
        let faults = if struck { self.faults(&found, time) } else { Vec::new() };
        Found { title, struck, faults }
    }

    /// What is wrong with what came of it.
    fn faults(&self, found: &Played, time: Duration) -> Vec<String> {
        let mut faults = Vec::new();
        let once = self.strike.nth.is_some();
        for (step, tries) in found.outcomes.iter().enumerate() {
            for outcome in tries {
                faults.extend(outcome.wrong.clone().map(|wrong| format!("step {step}: {wrong}")));
                if outcome.took > time {
                    faults.push(format!("step {step} took {:?}", outcome.took));
                }
            }
            if once && tries.len() > 1 && !self.is_left_to_the_next_attempt() {
                faults.push(format!("step {step} was not available: {:?}", tries[0].json));
            }
        }
        let (expected, was) = (statuses(self.expected), statuses(found));
        let told_twice = !once && self.strike.fault == Fault::LostAnswer;
        let differ = expected.iter().zip(&was).any(|(expected, was)| {
            // Done and never told, it may be said to be done already, or under way.
            expected != was && !(told_twice && (*was < 300 || [404, 409, 412, 429].contains(was)))
        });
        // What the later steps ask of a subscription they were told the id of has then none.
        let untold = told_twice
            && self.strike.call.contains("SUBSCRIBED#")
            && self.scenario.function == "ManageFunction";
        if differ && !untold {
            faults.push(format!("answered {was:?} instead of {expected:?}"));
        }
        // A key that was made and never told is there: nobody can use it, the list shows it. And who
        // claimed a first edition and was never told leaves it to who comes when the claim is over.
        let left = untold
            || self.scenario.name == "tenants, keys and plans"
            || self.strike.call.ends_with("/claimed");
        if !(told_twice && left) {
            // The receipt of a POST that was never told is nobody's, and goes by its time.
            let receipts = |line: &String| told_twice && line.contains(" RECEIPT#");
            let differences = difference(self.expected, found).into_iter();
            faults.extend(differences.filter(|line| !receipts(line)));
        }
        faults
    }

    /// What is done anew by the platform's next attempt at an event, or by a reader who is told to
    /// come again: a file that breaks off is read again; of an upload that was made one object and
    /// not told so, nothing is left to ask for.
    fn is_left_to_the_next_attempt(&self) -> bool {
        let Strike { call, fault, .. } = &self.strike;
        let lost = matches!(fault, Fault::LostAnswer | Fault::FailedAnswer);
        *fault == Fault::CutBody || lost && call.starts_with("CompleteMultipartUpload")
    }

    fn title(&self) -> String {
        let Strike { call, nth, fault } = &self.strike;
        let Scenario { function, name, .. } = self.scenario;
        let nth = nth.map_or_else(|| "always".to_owned(), |nth| format!("#{nth}"));
        format!("{function}, {name}: {fault:?} of {call} {nth}")
    }
}

/// The share of cases this run takes: `IOCAST_FAULTS=1` takes all, the default one in some.
fn share() -> u64 {
    std::env::var("IOCAST_FAULTS").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

fn drawn(title: &str, share: u64) -> bool {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    (title, seed_of_the_day()).hash(&mut hasher);
    hasher.finish().is_multiple_of(share)
}

fn chosen() -> Vec<Scenario> {
    let only = std::env::var("IOCAST_SCENARIO").unwrap_or_default();
    all().into_iter().filter(|scenario| scenario.function.contains(&only)).collect()
}

async fn fault_free(scenarios: &[Scenario]) -> Vec<Played> {
    stream::iter(scenarios)
        .map(|scenario| Stage::play(scenario, None))
        .buffered(CONCURRENCY)
        .collect()
        .await
}

/// Runs the share of the cases that is drawn, so many at once, and tells what came of them.
async fn run(mut cases: Vec<Case<'_>>, share: u64, at_once: usize) -> Vec<String> {
    let of_all = cases.len();
    cases.retain(|case| drawn(&case.title(), share));
    println!("{} of {of_all} cases, drawn by IOCAST_SEED={}", cases.len(), seed_of_the_day());
    let found = stream::iter(&cases).map(Case::run).buffer_unordered(at_once.max(1));
    let found: Vec<Found> = found.collect().await;
    let spared: Vec<&Found> = found.iter().filter(|one| !one.struck).collect();
    println!("{} found nothing to befall", spared.len());
    let mut wrong = Vec::new();
    for one in &found {
        wrong.extend(one.faults.iter().map(|fault| format!("{}: {fault}", one.title)));
    }
    if spared.len() > 1 + found.len() * UNSTRUCK_PERCENT / 100 {
        let titles: Vec<&str> = spared.iter().map(|one| one.title.as_str()).collect();
        wrong.push(format!("{} faults befell nothing: {}", spared.len(), titles.join("; ")));
    } else {
        for one in spared {
            println!("  {}", one.title);
        }
    }
    wrong.sort();
    wrong
}

#[test]
fn every_fault_of_every_call_is_survived_or_told() {
    block_on(async {
        let scenarios = chosen();
        let expected = fault_free(&scenarios).await;
        let mut wrong = Vec::new();
        let mut cases = Vec::new();
        for (scenario, expected) in scenarios.iter().zip(&expected) {
            for (step, tries) in expected.outcomes.iter().enumerate() {
                let last = tries.last().unwrap();
                if tries.len() > 1 || last.unavailable || last.wrong.is_some() || last.status == 400
                {
                    let (function, name) = (scenario.function, scenario.name);
                    wrong
                        .push(format!("{function}, {name}: without faults, step {step}: {last:?}"));
                }
            }
            for (call, count) in distinct(scenario, expected) {
                let once = (0..count.min(2)).flat_map(|nth| {
                    Fault::ONCE.into_iter().chain([Fault::Conflict]).map(move |f| (Some(nth), f))
                });
                for (nth, fault) in once.chain(PERSISTENT.map(|fault| (None, fault))) {
                    let known = expected.calls.iter().find(|known| known.name == call);
                    if known.is_some_and(|known| fault.befalls(known)) {
                        let strike = Strike { call: call.clone(), nth, fault };
                        cases.push(Case { scenario, expected, strike });
                    }
                }
            }
        }
        wrong.extend(run(cases, share(), CONCURRENCY).await);
        assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
    });
}

/// Every call that never answers, for as long as it is made, of functions that `are` so.
async fn hanging(are: fn(&Scenario) -> bool, share: u64) {
    let scenarios: Vec<Scenario> = chosen().into_iter().filter(are).collect();
    let expected = fault_free(&scenarios).await;
    let mut cases = Vec::new();
    for (scenario, expected) in scenarios.iter().zip(&expected) {
        for call in distinct(scenario, expected).into_keys() {
            let strike = Strike { call, nth: None, fault: Fault::Hangs };
            cases.push(Case { scenario, expected, strike });
        }
    }
    // All wait at once, and each has to be begun within what it may take.
    let at_once = cases.len();
    let wrong = run(cases, share, at_once).await;
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

/// What never answers is not waited for beyond the function's time.
#[test]
fn who_never_answers_is_not_waited_for_too_long() {
    block_on(hanging(|scenario| is_http(scenario.function), share().div_ceil(3)));
}

/// These wait on for minutes, one call after the other: only asked for are they put through it.
const SLOW: [&str; 2] = ["CsvPublishFunction", "RescanFunction"];

/// And what an event asked for is left for another try.
#[test]
fn an_event_that_meets_silence_ends_in_time_and_comes_again() {
    let here = |scenario: &Scenario| {
        let asked = std::env::var("IOCAST_FAULTS").is_ok();
        !is_http(scenario.function) && (asked || !SLOW.contains(&scenario.function))
    };
    block_on(hanging(here, share().div_ceil(2)));
}
