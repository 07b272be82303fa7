use super::*;
use crate::group::Planner;
use crate::group::tests::{id, thing, uses};
use crate::resolver::Thing;

fn short(id: &str) -> String {
    let number = id.split("--").nth(1).and_then(|rest| rest.get(..8)).unwrap();
    u32::from_str_radix(number, 16).unwrap().to_string()
}

/// The events of `own`, an object, with what it refers to and these relationships: numbers of the
/// objects, the own event in brackets. No event refers to what was not sent.
fn told(own: &Thing, others: &[&Thing], links: &[&Thing], known: bool) -> String {
    let mut lookup = Lookup::default();
    for one in others.iter().chain(links).chain([&own]) {
        lookup.add((*one).clone());
    }
    let held = |_: &ObjectId| false;
    let mut planner = Planner::new(&lookup, Some(&own.facets.id), &held);
    planner.refer(&own.facets);
    let links: Vec<ObjectId> = links.iter().map(|link| link.facets.id.clone()).collect();
    planner.join(&links, true);
    let plan = planner.plan();
    let order = Ordering::of(&plan, Some(&own.facets), known, &lookup, &held);
    assert!(!order.truncated);
    let said = order.steps.iter().map(|step| match step {
        Step::Own => format!("[{}]", short(own.facets.id.as_str())),
        Step::Beside(id) => short(id.as_str()),
    });
    said.collect::<Vec<_>>().join(" ")
}

fn refers(object_type: &str, number: u32, member: &str, to: &str) -> Thing {
    let value = if member.ends_with('s') { format!(r#"["{to}"]"#) } else { format!(r#""{to}""#) };
    thing(object_type, number, &format!(r#","{member}":{value}"#))
}

#[test]
fn an_author_and_a_marking_that_name_each_other_are_both_sent_whole() {
    let author = refers("identity", 1, "object_marking_refs", &id("marking-definition", 2));
    let marking = refers("marking-definition", 2, "created_by_ref", &id("identity", 1));
    let plain = refers("malware", 3, "created_by_ref", &id("identity", 1));
    assert_eq!(told(&plain, &[&author, &marking], &[], false), "2 1 2 [3]");
    let marked = refers("malware", 3, "object_marking_refs", &id("marking-definition", 2));
    assert_eq!(told(&marked, &[&author, &marking], &[], false), "1 2 1 [3]");
    assert_eq!(told(&author, &[&marking], &[], false), "2 [1] 2");
    assert_eq!(told(&marking, &[&author], &[], false), "1 [2] 1");
    assert_eq!(told(&author, &[&marking], &[], true), "2 [1]", "the reader has it");
}

#[test]
fn a_cycle_of_three_is_sent_whole() {
    let one = refers("report", 1, "object_refs", &id("report", 2));
    let two = refers("report", 2, "object_refs", &id("report", 3));
    let three = refers("report", 3, "object_refs", &id("report", 1));
    assert_eq!(told(&one, &[&two, &three], &[], false), "3 2 [1] 3");
    let own = refers("report", 4, "object_refs", &id("report", 1));
    assert_eq!(told(&own, &[&one, &two, &three], &[], false), "3 2 1 3 [4]");
}

#[test]
fn a_relationship_never_comes_before_its_ends() {
    // A report that names a relationship of its own.
    let report = refers("report", 1, "object_refs", &id("relationship", 2));
    let tool = thing("tool", 3, "");
    let link = uses(2, &id("report", 1), &id("tool", 3));
    assert_eq!(told(&report, &[&tool, &link], &[], false), "3 1 2 [1]", "first without it");
    assert_eq!(told(&report, &[&tool], &[&link], false), "3 1 2 [1]");
    assert_eq!(told(&report, &[&tool, &link], &[], true), "3 2 [1]");
    assert_eq!(told(&link, &[&tool, &report], &[], false), "1 3 [2] 1");
}

#[test]
fn what_joins_an_object_comes_after_it_unless_the_reader_has_it() {
    let own = thing("malware", 1, "");
    let tool = thing("tool", 2, "");
    let link = uses(3, &id("malware", 1), &id("tool", 2));
    assert_eq!(told(&own, &[&tool], &[&link], false), "2 [1] 3");
    assert_eq!(told(&own, &[&tool], &[&link], true), "2 3 [1]");
}

#[test]
fn an_object_that_names_itself_is_sent_once() {
    let own = refers("identity", 1, "created_by_ref", &id("identity", 1));
    assert_eq!(told(&own, &[], &[], false), "[1]");
    let by = refers("malware", 2, "created_by_ref", &id("identity", 1));
    assert_eq!(told(&by, &[&own], &[], false), "1 [2]");
}
