use shared::stix::StixObject;

use super::*;

pub(crate) fn id(object_type: &str, number: u32) -> String {
    format!("{object_type}--{number:08x}-7f0c-4b6e-9c9e-1f2d3c4b5a69")
}

pub(crate) fn thing(object_type: &str, number: u32, rest: &str) -> Thing {
    let id = id(object_type, number);
    let json = format!(
        r#"{{"type":"{object_type}","spec_version":"2.1","id":"{id}","created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z"{rest}}}"#
    );
    let object = StixObject::parse(json.as_bytes(), chrono::DateTime::UNIX_EPOCH).unwrap();
    Thing { facets: object.facets, json: object.json, member: None, entered: None }
}

pub(crate) fn uses(number: u32, source: &str, target: &str) -> Thing {
    let rest =
        format!(r#","relationship_type":"uses","source_ref":"{source}","target_ref":"{target}""#);
    thing("relationship", number, &rest)
}

fn names(ids: &[ObjectId]) -> Vec<&str> {
    ids.iter().map(ObjectId::as_str).collect()
}

fn planned(own: &Thing, lookup: &Lookup, links: &[&Thing], held: &[&Thing]) -> Plan {
    let held = |id: &ObjectId| held.iter().any(|thing| thing.facets.id == *id);
    let mut planner = Planner::new(lookup, Some(&own.facets.id), &held);
    planner.refer(&own.facets);
    let links: Vec<ObjectId> = links.iter().map(|link| link.facets.id.clone()).collect();
    planner.join(&links, true);
    planner.plan()
}

#[test]
fn what_is_referred_to_comes_first_and_what_joins_comes_last() {
    let marking = thing("marking-definition", 1, "");
    let (marking_id, author_id) = (id("marking-definition", 1), id("identity", 2));
    let author = thing("identity", 2, &format!(r#","object_marking_refs":["{marking_id}"]"#));
    let refs = format!(r#","created_by_ref":"{author_id}","object_marking_refs":["{marking_id}"]"#);
    let own = thing("malware", 3, &refs);
    let other = thing("tool", 4, &refs);
    let link = uses(5, &id("malware", 3), &id("tool", 4));
    let mut lookup = Lookup::default();
    for one in [&marking, &author, &own, &other, &link] {
        lookup.add(one.clone());
    }
    let plan = planned(&own, &lookup, &[&link], &[]);
    assert_eq!(names(&plan.before), [marking_id, author_id, id("tool", 4)]);
    assert_eq!(names(&plan.after), [id("relationship", 5)]);
    let again = planned(&own, &lookup, &[&link], &[&marking, &author, &other, &link]);
    assert!(again.before.is_empty());
    assert_eq!(names(&again.after), [id("relationship", 5)], "always, on a new create");
}

#[test]
fn what_refers_to_the_object_comes_after_it() {
    let own = thing("marking-definition", 1, "");
    let own_id = id("marking-definition", 1);
    let marked = thing("tool", 2, &format!(r#","object_marking_refs":["{own_id}"]"#));
    let link = uses(3, &own_id, &id("tool", 2));
    let mut lookup = Lookup::default();
    for one in [&own, &marked, &link] {
        lookup.add(one.clone());
    }
    let plan = planned(&own, &lookup, &[&link], &[]);
    assert!(plan.before.is_empty());
    assert_eq!(names(&plan.after), [id("tool", 2), id("relationship", 3)]);
}

#[test]
fn a_relationship_needs_its_ends() {
    let own = thing("malware", 3, "");
    let link = uses(5, &id("malware", 3), &id("tool", 4));
    let mut lookup = Lookup::default();
    lookup.add(link.clone());
    assert_eq!(planned(&own, &lookup, &[&link], &[]), Plan::default());
}

#[test]
fn objects_that_refer_to_each_other_come_once() {
    let one = thing("malware", 1, &format!(r#","created_by_ref":"{}""#, id("identity", 2)));
    let other = thing("identity", 2, &format!(r#","created_by_ref":"{}""#, id("identity", 3)));
    let third = thing("identity", 3, &format!(r#","created_by_ref":"{}""#, id("identity", 2)));
    let mut lookup = Lookup::default();
    for one in [&one, &other, &third] {
        lookup.add(one.clone());
    }
    let plan = planned(&one, &lookup, &[], &[]);
    assert_eq!(names(&plan.before), [id("identity", 3), id("identity", 2)]);
}

#[test]
fn a_group_is_bounded() {
    let own = thing("malware", 1, "");
    let mut lookup = Lookup::default();
    lookup.add(own.clone());
    let pairs: Vec<(Thing, Thing)> = (10..600)
        .map(|n| (thing("tool", n, ""), uses(n, &id("malware", 1), &id("tool", n))))
        .collect();
    for (end, link) in &pairs {
        lookup.add(end.clone());
        lookup.add(link.clone());
    }
    let links: Vec<&Thing> = pairs.iter().map(|(_, link)| link).collect();
    let plan = planned(&own, &lookup, &links, &[]);
    assert!(plan.truncated);
    assert_eq!(plan.before.len() + plan.after.len(), MAX_DEPENDENCIES);
    assert_eq!(plan.before.len(), plan.after.len());
}

#[test]
fn a_group_is_bounded_in_bytes() {
    let own = thing("malware", 1, "");
    let large = format!(r#","description":"{}""#, "x".repeat(300_000));
    let mut lookup = Lookup::default();
    lookup.add(own.clone());
    let mut links = Vec::new();
    for n in 10..20 {
        lookup.add(thing("tool", n, &large));
        let link = uses(n, &id("malware", 1), &id("tool", n));
        lookup.add(link.clone());
        links.push(link);
    }
    let links: Vec<&Thing> = links.iter().collect();
    let plan = planned(&own, &lookup, &links, &[]);
    assert!(plan.truncated && plan.bytes <= GROUP_BYTES);
    assert_eq!((plan.before.len(), plan.after.len()), (4, 4));
    // Its own ends have as much room again.
    let huge = format!(r#","description":"{}""#, "x".repeat(370_000));
    let seen_by: Vec<String> = (1..12).map(|n| format!("\"{}\"", id("identity", n))).collect();
    let seen_by = seen_by.join(",");
    let rest =
        format!(r#","sighting_of_ref":"{}","where_sighted_refs":[{seen_by}]"#, id("malware", 1));
    let sighting = thing("sighting", 3, &rest);
    let mut lookup = Lookup::default();
    lookup.add(thing("malware", 1, ""));
    (1..12).for_each(|n| lookup.add(thing("identity", n, &huge)));
    let plan = planned(&sighting, &lookup, &[], &[]);
    assert!(plan.truncated && (GROUP_BYTES..2 * GROUP_BYTES).contains(&plan.bytes));
    assert_eq!(plan.before.len(), 9);
}

#[test]
fn what_was_not_looked_up_is_said() {
    let own = thing("malware", 1, &format!(r#","created_by_ref":"{}""#, id("identity", 2)));
    let link = uses(5, &id("malware", 1), &id("tool", 4));
    let mut lookup = Lookup::default();
    lookup.add(link.clone());
    assert!(!planned(&own, &lookup, &[&link], &[]).truncated, "they may not be shown");
    lookup.cut();
    assert!(planned(&own, &lookup, &[], &[]).truncated);
    let own = thing("malware", 1, "");
    assert!(planned(&own, &lookup, &[&link], &[]).truncated);
}
