//! What the service itself tells a key with the scope `admin`.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::Value;

use super::Finding;
use crate::operate::api::{Answer, Api};

/// Clocks that differ by less are as good as equal.
const CLOCKS: TimeDelta = TimeDelta::seconds(5);
/// A job that is due and made no step for this long is carried on by nobody: the schedule that
/// looks for such jobs comes every hour.
const STALLED: TimeDelta = TimeDelta::minutes(100);
/// The sweep is daily, and started by an hourly schedule.
const SWEPT: TimeDelta = TimeDelta::hours(26);
/// Expiry runs every minute, and is done with an hour ten minutes after it.
const EXPIRED: TimeDelta = TimeDelta::hours(2);

/// Looks at the service `api` leads to.
pub async fn examine(api: &Api, now: DateTime<Utc>) -> Vec<Finding> {
    let answer = match api.ask("GET", "status", None, None).await {
        Ok(answer) => answer,
        Err(fault) => {
            let advice = fault.hint.unwrap_or_else(|| "check the address".to_owned());
            return vec![Finding::wrong("service", fault.message, advice)];
        }
    };
    match answer.status {
        200 => {}
        401 | 403 => return vec![Finding::ok("service", "answers"), refused(api, &answer)],
        503 => {
            let advice = "the tables are busy, gone or not open to the function `manage`: look at \
                          its log, and at the tables with --stack";
            return vec![Finding::wrong("tables", "the service cannot reach them", advice)];
        }
        status => {
            let seen = format!("answers {status}: {}", api.refused(&answer).message);
            let advice = "is this the address of an iocast of this version?";
            return vec![Finding::wrong("service", seen, advice)];
        }
    }
    let status = answer.body;
    let mut findings = vec![
        Finding::ok("service", "answers"),
        Finding::ok("key", "is an operator's"),
        Finding::ok("tables", "access and collections answer"),
        clock(&status, now),
    ];
    findings.extend(collections(&status));
    findings.extend(feeds(&status));
    findings.extend(jobs(&status));
    findings.push(sweep(&status));
    findings.push(expiry(&status));
    findings
}

fn refused(api: &Api, answer: &Answer) -> Finding {
    let fault = api.refused(answer);
    let advice = "give the key of an operator with --key or IOCAST_KEY; a first one is made by \
                  `iocast key create --direct`";
    Finding::wrong("key", fault.message, advice)
}

fn moment(value: &Value) -> Option<DateTime<Utc>> {
    value.as_str()?.parse().ok()
}

/// The service's present moment; this machine's if it says none.
fn present(status: &Value) -> DateTime<Utc> {
    moment(&status["time"]).unwrap_or_else(Utc::now)
}

fn clock(status: &Value, now: DateTime<Utc>) -> Finding {
    let apart = (present(status) - now).abs();
    if apart <= CLOCKS {
        return Finding::ok("clock", "agrees with this machine's");
    }
    let seen = format!("is {} s from this machine's", apart.num_seconds());
    Finding::note("clock", seen).advise("set this machine's clock by NTP, or the service's")
}

fn collections(status: &Value) -> Vec<Finding> {
    let all = status["collections"].as_array().cloned().unwrap_or_default();
    let mut findings = vec![match all.len() {
        0 => Finding::note("collections", "there are none")
            .advise("make one with `iocast collection create`, or `iocast apply FILE`"),
        count => Finding::ok("collections", format!("{count}")),
    }];
    let rebuilding = all.iter().filter(|one| one["rebuilding"] == true);
    findings.extend(rebuilding.map(|one| {
        let name = one["alias"].as_str().or(one["id"].as_str()).unwrap_or_default();
        Finding::note(
            format!("collection {name}"),
            "is rebuilding: what was stored before is being re-evaluated",
        )
    }));
    findings
}

/// When each feed was last published, and which are late.
fn feeds(status: &Value) -> Vec<Finding> {
    let all = status["feeds"].as_array().map(Vec::as_slice).unwrap_or_default();
    let feed = |one: &Value| {
        let name = one["alias"].as_str().or(one["id"].as_str()).unwrap_or_default();
        let what = format!("feed {name}");
        let edition = &one["last_edition"];
        let last = match moment(&edition["time"]) {
            Some(at) => format!("published at {}, {} rows", shown(at), edition["rows"]),
            None => "not published yet".to_owned(),
        };
        let due = moment(&one["due_since"]);
        match due.filter(|_| one["late"] == true) {
            Some(due) => Finding::wrong(
                what,
                format!("{last}; the next edition is due since {}", shown(due)),
                "the schedule of the function `csv-publish` does not run, or fails with this \
                 feed: look at it and at the function's log",
            ),
            None if edition.is_null() => Finding::note(what, last)
                .advise("its first edition is made within two minutes: look again"),
            None => Finding::ok(what, last),
        }
    };
    all.iter().map(feed).collect()
}

fn shown(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn jobs(status: &Value) -> Vec<Finding> {
    let now = present(status);
    let all = status["jobs"].as_array().cloned().unwrap_or_default();
    let stalled: Vec<&Value> = all
        .iter()
        .filter(|job| {
            let last = moment(&job["due"]).max(moment(&job["last_step"]));
            last.is_some_and(|last| now - last > STALLED)
        })
        .collect();
    if stalled.is_empty() {
        let seen = format!("{} under way, none stands still", all.len());
        return vec![Finding::ok("background jobs", seen)];
    }
    let finding = |job: &&Value| {
        let name = job["job"].as_str().unwrap_or_default();
        let last = moment(&job["last_step"]).map_or_else(|| "it began".to_owned(), shown);
        let seen = format!("{name} stands still since {last}");
        let advice = "the stream of the collections table or the hourly schedule does not reach \
                      the function `rescan`: look at both, and at the queue of parked events";
        Finding::wrong("background jobs", seen, advice)
    };
    stalled.iter().map(finding).collect()
}

fn sweep(status: &Value) -> Finding {
    let what = "schedule of rescan";
    match moment(&status["last_sweep"]) {
        None => Finding::note(what, "has not run yet")
            .advise("it comes every hour: look again in an hour"),
        Some(at) if present(status) - at > SWEPT => Finding::wrong(
            what,
            format!("started the last daily sweep at {at}"),
            "the hourly schedule of the function `rescan` does not run or fails: look at it and \
             at the function's log",
        ),
        Some(at) => Finding::ok(what, format!("started the last daily sweep at {at}")),
    }
}

fn expiry(status: &Value) -> Finding {
    let what = "schedule of expire";
    let hour = status["expired_to"].as_str().map(|hour| format!("{hour}:00:00Z"));
    let hour = hour.and_then(|hour| hour.parse::<DateTime<Utc>>().ok());
    match hour {
        None => Finding::ok(what, "has nothing to do: nothing stored ends by itself"),
        Some(hour) if present(status) - hour > EXPIRED + TimeDelta::hours(1) => Finding::wrong(
            what,
            format!("is behind: it has done what expired before {hour}"),
            "the schedule of the function `expire` does not run or fails: look at it and at the \
             function's log",
        ),
        Some(_) => Finding::ok(what, "is up to date"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operate::doctor::Health;
    use serde_json::json;

    #[test]
    fn a_late_feed_is_wrong_and_a_new_one_is_not() {
        let feed = |edition: Value, late: bool| {
            let due = late.then_some("2026-11-22T10:00:00Z");
            feeds(&json!({"feeds": [{"id": "1", "alias": "block", "last_edition": edition,
                "due_since": due, "late": late}]}))
            .remove(0)
        };
        let edition = json!({"time": "2026-11-22T09:00:00.123Z", "rows": 7});
        let good = feed(edition.clone(), false);
        assert_eq!((good.health, good.what.as_str()), (Health::Ok, "feed block"));
        assert_eq!(good.seen, "published at 2026-11-22T09:00:00Z, 7 rows");
        assert_eq!(feed(Value::Null, false).health, Health::Note);
        let late = feed(edition, true);
        assert!(late.health == Health::Wrong && late.seen.contains("due since 2026-11-22T10"));
        assert_eq!(feed(Value::Null, true).health, Health::Wrong);
    }

    #[test]
    fn what_stands_still_is_found() {
        let status = |last: &str, swept: &str, hour: &str| {
            json!({"time": "2026-11-22T12:00:00Z", "last_sweep": swept, "expired_to": hour,
                "jobs": [{"job": "SWEEP", "due": last, "last_step": last}]})
        };
        let good = status("2026-11-22T11:00:00Z", "2026-11-21T12:00:00Z", "2026-11-22T11");
        assert_eq!(jobs(&good)[0].health, Health::Ok);
        assert_eq!(sweep(&good).health, Health::Ok);
        assert_eq!(expiry(&good).health, Health::Ok);
        let bad = status("2026-11-22T10:00:00Z", "2026-11-21T09:00:00Z", "2026-11-22T08");
        assert_eq!(jobs(&bad)[0].health, Health::Wrong);
        assert_eq!(sweep(&bad).health, Health::Wrong);
        assert_eq!(expiry(&bad).health, Health::Wrong);
        assert_eq!(expiry(&json!({})).health, Health::Ok);
    }
}
