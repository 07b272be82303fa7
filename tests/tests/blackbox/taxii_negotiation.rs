//! taxii.md, Negotiation: media types in both directions, the order of errors and their shape.

use tests::client::{Answer, TAXII};
use tests::collection::CollectionSpec;
use tests::fixtures::{bundle, envelope, indicator};
use tests::world::World;

/// Fails the test unless the answer is a TAXII error of `status` in the one shape of all.
fn assert_taxii_error(answer: Answer, status: u16) -> serde_json::Value {
    let answer = answer.expect(status);
    assert_eq!(answer.header("content-type"), Some(TAXII), "{}", answer.what);
    let body = answer.json();
    assert!(body["title"].as_str().is_some_and(|title| !title.is_empty()), "{body}");
    assert_eq!(body["http_status"], status.to_string(), "a string equal to the status: {body}");
    assert!(body["error_code"].is_string(), "{body}");
    let request_id = answer.header("x-request-id").expect("every answer carries X-Request-Id");
    assert_eq!(body["error_id"], request_id, "{body}");
    body
}

async fn an_accept_header_under_which_2_1_is_acceptable_gets_it(w: &World) {
    let acceptable = [
        "*/*",
        "application/*",
        "application/taxii+json",
        "application/taxii+json;version=2.1",
        "application/taxii+json; version=2.1",
        "application/taxii+json \t;\t version=2.1",
        "APPLICATION/TAXII+JSON;VERSION=2.1",
        "application/taxii+json;version=\"2.1\"",
        "application/taxii+json;version=2.1;charset=utf-8",
        "application/taxii+json;charset=\"UTF-8\";version=2.1",
        "application/taxii+json;version=2.1;q=0.1",
        "text/html, application/taxii+json;version=2.1;q=0.5",
        "application/vnd.oasis.taxii+json;version=2.0, application/taxii+json;version=2.1",
        "application/taxii+json;version=2.0, */*;q=0.1",
        "application/json;q=0, */*",
        ", application/taxii+json;version=2.1,",
    ];
    for accept in acceptable {
        let answer = w.reader().get("/taxii2/").accept(accept).await;
        assert_eq!(answer.status, 200, "Accept: {accept}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some(TAXII), "Accept: {accept}");
    }
    assert_eq!(w.reader().get("/taxii2/").await.status, 200, "without Accept");
    let lines = w.reader().get("/taxii2/").accept("text/html").accept(TAXII);
    assert_eq!(lines.await.status, 200, "two Accept lines are one list");
}

async fn an_accept_header_that_rules_2_1_out_gets_406(w: &World) {
    let refused = [
        "application/vnd.oasis.taxii+json",
        "application/vnd.oasis.taxii+json; version=2.0",
        "application/taxii+json;version=2.0",
        "application/taxii+json;version=\"2.2\"",
        "application/taxii+json;version=2.1;q=0",
        "*/*, application/taxii+json;version=2.1;q=0",
        "*/*;q=0",
        "text/html",
    ];
    for accept in refused {
        let answer = w.reader().get("/taxii2/").accept(accept).await;
        assert_eq!(answer.status, 406, "Accept: {accept}");
        assert_taxii_error(answer, 406);
    }
    let c = w.collection(CollectionSpec::everything()).await;
    for path in [c.path(""), c.objects(), c.manifest()] {
        let answer = w.reader().get(&path).accept("application/vnd.oasis.taxii+json").await;
        assert_taxii_error(answer, 406);
    }
}

async fn a_missing_key_is_told_before_406_and_404(w: &World) {
    let nobody = w.taxii.anonymous();
    let unacceptable = nobody.get("/taxii2/").accept("application/vnd.oasis.taxii+json").await;
    assert_taxii_error(unacceptable, 401);
    let unknown = "/taxii2/intel/collections/00000000-0000-4000-8000-000000000000/objects/";
    let answer = nobody.get(unknown).await;
    assert!(answer.headers.contains_key("www-authenticate"));
    assert_taxii_error(answer, 401);
    assert_taxii_error(nobody.get("/taxii2/elsewhere/").await, 401);
}

async fn errors_are_taxii_error_objects_that_name_the_parameter(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    let body = assert_taxii_error(w.reader().get(&c.objects()).query("limit", "ten").await, 400);
    assert!(body["details"].to_string().contains("limit"), "{body}");
    let answer = w.reader().get(&c.objects()).query("added_after", "yesterday").await;
    let body = assert_taxii_error(answer, 400);
    assert!(body["details"].to_string().contains("added_after"), "{body}");
    let unknown = "/taxii2/intel/collections/00000000-0000-4000-8000-000000000000/";
    assert_taxii_error(w.reader().get(unknown).await, 404);
    assert_taxii_error(w.reader().post(&c.objects()).body(TAXII, "{}").await, 403);
}

async fn posts_are_taken_under_the_types_clients_really_send(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    let types = [
        "application/taxii+json;version=2.1",
        "application/taxii+json; version=2.1",
        "application/taxii+json",
        "APPLICATION/TAXII+JSON; Version=\"2.1\"",
        "application/taxii+json;version=2.1;charset=utf-8",
    ];
    for content_type in types {
        let posted = w.writer().post(&c.objects()).body(content_type, envelope(&[indicator()]));
        let status = posted.await.expect(202).json();
        assert_eq!(status["success_count"], 1, "{content_type}: {status}");
    }
    for content_type in ["application/stix+json", "application/stix+json;version=2.1"] {
        let posted = w.writer().post(&c.objects()).body(content_type, bundle(&[indicator()]));
        let status = posted.await.expect(202).json();
        assert_eq!(status["success_count"], 1, "{content_type}: {status}");
    }
}

async fn posts_of_other_types_are_415(w: &World) {
    let c = w.collection(CollectionSpec::everything()).await;
    let types = [
        "text/plain",
        "application/xml",
        "application/vnd.oasis.taxii+json",
        "application/taxii+json;version=2.0",
    ];
    for content_type in types {
        let body = envelope(&[indicator()]);
        let answer = w.writer().post(&c.objects()).body(content_type, body).await;
        assert_eq!(answer.status, 415, "{content_type}");
        assert_taxii_error(answer, 415);
    }
}

over_both_transports!(
    an_accept_header_under_which_2_1_is_acceptable_gets_it,
    an_accept_header_that_rules_2_1_out_gets_406,
    a_missing_key_is_told_before_406_and_404,
    errors_are_taxii_error_objects_that_name_the_parameter,
    posts_are_taken_under_the_types_clients_really_send,
    posts_of_other_types_are_415,
);
