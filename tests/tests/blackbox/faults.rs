//! Every call of AWS that every function makes, found by itself: each fault befalls each of them
//! once and is survived unseen; and where a call fails for as long as it is made, the asker is told
//! to come again, and having come again finds what there would have been without the fault.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use futures::stream::{self, StreamExt};
use tests::aws_front::{Fault, Strike};
use tests::lab::block_on;
use tests::stage::{Played, Scenario, Stage, all, is_http};

/// Cases under way at once: most of their time they wait.
const CONCURRENCY: usize = 24;

/// What a case may take in all, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(80);

/// What a function that answers requests has.
const FUNCTION_TIME: Duration = Duration::from_secs(29);

/// What a persistent fault is: refused, failing, and done but never told.
const PERSISTENT: [Fault; 4] =
    [Fault::Throttled, Fault::Failed, Fault::TimedOut, Fault::LostAnswer];

/// The distinct calls of a run: their names, and how many there are of each.
fn distinct(played: &Played) -> BTreeMap<String, usize> {
    let mut calls: BTreeMap<String, usize> = BTreeMap::new();
    for call in &played.calls {
        *calls.entry(call.name.clone()).or_default() += 1;
    }
    calls.remove("an answer that something is not there");
    calls
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

struct Case<'a> {
    scenario: &'a Scenario,
    expected: &'a Played,
    strike: Strike,
}

impl Case<'_> {
    async fn run(&self) -> Vec<String> {
        let played = Stage::play(self.scenario, Some(self.strike.clone()));
        let Ok(found) = tokio::time::timeout(PATIENCE, played).await else {
            return vec![format!("not over after {PATIENCE:?}")];
        };
        let mut faults = Vec::new();
        if found.struck == 0 {
            // Calls that race are not always as many.
            return faults;
        }
        let once = self.strike.nth.is_some();
        for (step, tries) in found.outcomes.iter().enumerate() {
            for outcome in tries {
                faults.extend(outcome.wrong.clone().map(|wrong| format!("step {step}: {wrong}")));
                if outcome.took > FUNCTION_TIME {
                    faults.push(format!("step {step} took {:?}", outcome.took));
                }
            }
            // A file that breaks off is read again by the next attempt of the platform.
            let cut = self.strike.fault == Fault::CutBody && !is_http(self.scenario.function);
            if once && tries.len() > 1 && !cut {
                faults.push(format!("step {step} was not available: {:?}", tries[0].json));
            }
        }
        let (expected, was) = (statuses(self.expected), statuses(&found));
        let told_twice = !once && self.strike.fault == Fault::LostAnswer;
        let differ = expected.iter().zip(&was).any(|(expected, was)| {
            // Done and never told, it may be said to be done already.
            expected != was && !(told_twice && (*was < 300 || [404, 409, 412].contains(was)))
        });
        if differ {
            faults.push(format!("answered {was:?} instead of {expected:?}"));
        }
        if !(told_twice && self.scenario.name == "tenants, keys and plans") {
            // A key that was made and never told is there: nobody can use it, the list shows it.
            faults.extend(difference(self.expected, &found));
        }
        faults
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
    (title, tests::chance::seed(0)).hash(&mut hasher);
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
            for (call, count) in distinct(expected) {
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
        let of_all = cases.len();
        cases.retain(|case| drawn(&case.title(), share()));
        println!("{} of {of_all} cases", cases.len());
        let found = stream::iter(&cases)
            .map(|case| async move { (case.title(), case.run().await) })
            .buffer_unordered(CONCURRENCY);
        let found: Vec<(String, Vec<String>)> = found.collect().await;
        for (title, faults) in found {
            wrong.extend(faults.into_iter().map(|fault| format!("{title}: {fault}")));
        }
        wrong.sort();
        assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
    });
}

/// What never answers is not waited for beyond the function's time.
#[test]
fn who_never_answers_is_not_waited_for_too_long() {
    block_on(async {
        let requests = |scenario: &Scenario| is_http(scenario.function);
        let scenarios: Vec<Scenario> = chosen().into_iter().filter(requests).collect();
        let expected = fault_free(&scenarios).await;
        let mut cases = Vec::new();
        for (scenario, expected) in scenarios.iter().zip(&expected) {
            for call in distinct(expected).into_keys() {
                let strike = Strike { call, nth: None, fault: Fault::Hangs };
                cases.push(Case { scenario, expected, strike });
            }
        }
        // All wait at once, and each has to be begun within what it may take.
        cases.retain(|case| drawn(&case.title(), share().div_ceil(3)));
        let found = stream::iter(&cases)
            .map(|case| async move { (case.title(), case.run().await) })
            .buffer_unordered(cases.len().max(1));
        let found: HashMap<String, Vec<String>> = found.collect().await;
        let wrong: Vec<String> = found
            .into_iter()
            .flat_map(|(title, faults)| faults.into_iter().map(move |f| format!("{title}: {f}")))
            .collect();
        assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
    });
}
