//! Reading and writing what collections hold.

use serde_json::json;
use shared::access::Scope;

use super::{TAXII, actor, attributed, everything, in_hours, remove, subscribe};
use crate::fixtures::{
    Object, SECOND, THIRD, envelope, identity, indicator, malware, relationship, tlp_marking,
};
use crate::stage::{Ask, Stage, Step};

pub(super) async fn export(stage: &mut Stage) -> Vec<Step> {
    stage.key("acme", &[Scope::ReadStix]).await;
    let marking = tlp_marking("green");
    let author = identity("An author").set("object_marking_refs", json!([marking.id()]));
    let marked = |object: Object| {
        object.set("object_marking_refs", json!([marking.id()])).set("created_by_ref", author.id())
    };
    let objects = [marking.clone(), author.clone(), marked(indicator()), marked(indicator())];
    stage.settle("operator", &objects).await;
    vec![
        Step::Ask(Ask::new("GET", "/api/v1/iocs/stix?limit=1")),
        Step::Ask(Ask::new("GET", "/api/v1/export/stix")),
    ]
}

pub(super) async fn taxii_reads(stage: &mut Stage) -> Vec<Step> {
    stage.key("acme", &[Scope::ReadTaxii, Scope::WriteObjects]).await;
    stage.collection(everything("all")).await;
    let known = indicator();
    stage.settle("operator", &[known.clone(), indicator(), known.clone().at(SECOND)]).await;
    // Pending: what the log says since comes on top.
    stage.take_in("operator", &[known.clone().at(THIRD)]).await;
    let one = format!("collections/all/objects/{}/", known.id());
    let paths = [
        "/taxii2/".to_owned(),
        "/taxii2/intel/".to_owned(),
        "/taxii2/intel/collections/".to_owned(),
        "/taxii2/intel/collections/all/".to_owned(),
        "/taxii2/intel/collections/all/objects/?limit=1".to_owned(),
        "/taxii2/intel/collections/all/objects/?added_after=2026-01-01T00:00:00Z".to_owned(),
        "/taxii2/intel/collections/all/manifest/?match[version]=all".to_owned(),
        format!("/taxii2/intel/{one}?match[version]=all"),
        format!("/taxii2/intel/{one}versions/"),
    ];
    paths.into_iter().map(|path| Step::Ask(Ask::new("GET", path).header("accept", TAXII))).collect()
}

pub(super) async fn taxii_writes(stage: &mut Stage) -> Vec<Step> {
    stage.key("acme", &[Scope::ReadTaxii, Scope::WriteObjects]).await;
    let collection = stage.collection(everything("all")).await;
    subscribe(stage, "collection", &collection.id.to_string()).await;
    let (known, marking) = (indicator(), tlp_marking("amber"));
    let (family, who) = (malware("a family"), actor());
    let gone = attributed(&family, &who);
    let before = [known.clone(), known.clone().at(SECOND), marking.clone(), family, who];
    stage.settle("acme", &before).await;
    stage.settle("acme", std::slice::from_ref(&gone)).await;
    // What is pending is projected before anything of it is deleted.
    remove(stage, "acme", &gone).await;
    let marked = |object: Object| object.set("object_marking_refs", json!([marking.id()]));
    let late = marked(indicator()).set("valid_until", in_hours(5));
    stage.take_in("acme", std::slice::from_ref(&late)).await;
    let delete = |object: &Object| {
        let path = format!("/taxii2/intel/collections/all/objects/{}/", object.id());
        Step::Ask(Ask::new("DELETE", path).header("accept", TAXII))
    };
    let (one, family) = (marked(indicator()), malware("another family"));
    let joined = relationship(&one, &family);
    let objects = [one, family, joined, known.clone().at(THIRD)];
    vec![
        Step::Ask(
            Ask::new("POST", "/taxii2/intel/collections/all/objects/")
                .header("accept", TAXII)
                .body(TAXII, envelope(&objects)),
        ),
        delete(&late),
        delete(&gone),
        Step::Pump,
        Step::Then(|before| {
            let id = before[0]["id"].as_str().unwrap_or_default();
            Ask::new("GET", format!("/taxii2/intel/status/{id}/")).header("accept", TAXII)
        }),
        delete(&known),
    ]
}

pub(super) async fn stream(stage: &mut Stage) -> Vec<Step> {
    stage.key("acme", &[Scope::ReadStream]).await;
    stage
        .collection(everything("all").streamed(json!({"enabled": true, "dependencies": true})))
        .await;
    let (author, family) = (identity("An author"), malware("a family"));
    let marking = tlp_marking("green");
    let one = indicator()
        .set("created_by_ref", author.id())
        .set("object_marking_refs", json!([marking.id()]));
    let joined = relationship(&one, &family);
    stage.settle("operator", &[author, marking, family, one.clone(), joined]).await;
    stage.settle("operator", &[one.at(SECOND)]).await;
    vec![
        Step::Ask(Ask::new("GET", "/api/v1/streams")),
        Step::Ask(Ask::new("GET", "/stream/all?from=0")),
        Step::Ask(Ask::new("GET", "/stream/all?from=2026-01-01T00:00:00Z")),
    ]
}
