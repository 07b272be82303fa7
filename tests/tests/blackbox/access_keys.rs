//! access.md, Keys and Errors: how a key is sent, and what is said of one that does not do.

use tests::client::{Answer, Client};
use tests::collection::CollectionSpec;
use tests::fixtures::{envelope, indicator};
use tests::keys::KeySpec;
use tests::world::World;

const COLLECTIONS: &str = "/taxii2/intel/collections/";

async fn a_key_is_accepted_in_every_form_clients_send(w: &World) {
    let key = w.reader_key();
    let nobody = w.taxii.anonymous();
    let get = || nobody.get(COLLECTIONS);
    let forms = [
        get().header("X-API-Key", key),
        get().header("x-apikey", key),
        get().header("X-APIKEY", key),
        get().header("Authorization", &format!("Bearer {key}")),
        get().header("Authorization", &format!("bearer {key}")),
        get().header("Authorization", &format!("Token {key}")),
        get().basic("anybody", key),
        get().basic("", key),
        get().basic(key, ""),
    ];
    for request in forms {
        let form = request.headers.clone();
        assert_eq!(request.await.status, 200, "{form:?}");
    }
}

async fn a_key_in_the_query_string_is_none(w: &World) {
    for name in ["apikey", "api_key", "x-apikey", "X-API-Key", "key", "token", "access_token"] {
        let request = w.taxii.anonymous().get(COLLECTIONS).query(name, w.reader_key());
        assert_eq!(request.await.status, 401, "{name}");
    }
}

fn assert_401(answer: Answer, code: &str) {
    let answer = answer.expect(401);
    let challenge = answer.header("www-authenticate").expect("401 carries WWW-Authenticate");
    assert!(challenge.starts_with("Basic realm=\""), "{challenge}");
    assert!(challenge.ends_with(", Bearer"), "{challenge}");
    let body = answer.json();
    let said = body["error_code"].as_str().or_else(|| body["error"]["code"].as_str());
    assert_eq!(said, Some(code), "{}: {body}", answer.what);
}

/// Asks TAXII and the ingest API with the same headers.
async fn both(
    w: &World,
    with: impl Fn(tests::client::Request) -> tests::client::Request,
) -> [Answer; 2] {
    let taxii = with(w.taxii.anonymous().get(COLLECTIONS)).await;
    let body = envelope(&[indicator()]);
    let ingest = w.http.anonymous().post("/api/v1/objects").body("application/json", body);
    [taxii, with(ingest).await]
}

async fn a_401_says_what_was_wrong_with_the_key(w: &World) {
    let expired = KeySpec { expires: Some(chrono::DateTime::UNIX_EPOCH), ..KeySpec::of("acme") };
    let expired = w.key(expired).await.text;
    let revoked = w.key(KeySpec::of("acme")).await;
    w.revoke(&revoked).await;
    for answer in both(w, |request| request).await {
        assert_401(answer, "missing_api_key");
    }
    // The last letter changed: well-formed, of a key that exists, and not its secret.
    let mut unknown = w.reader_key().to_owned();
    let last = unknown.pop();
    unknown.push(if last == Some('a') { 'b' } else { 'a' });
    for wrong in ["garbage", "a b c", &unknown] {
        for answer in both(w, |r| r.header("authorization", &format!("Bearer {wrong}"))).await {
            assert_401(answer, "invalid_api_key");
        }
    }
    for malformed in ["Basic !!!!", "Basic", "Digest username=\"x\"", "Bearer"] {
        for answer in both(w, |r| r.header("authorization", malformed)).await {
            assert_eq!(answer.status, 401, "{malformed}");
            assert!(answer.headers.contains_key("www-authenticate"), "{malformed}");
        }
    }
    for answer in both(w, |r| r.header("x-api-key", &expired)).await {
        assert_401(answer, "expired_api_key");
    }
    for answer in both(w, |r| r.header("x-api-key", &revoked.text)).await {
        assert_401(answer, "revoked_api_key");
    }
}

async fn revoking_a_key_that_was_just_used_works_within_a_minute(w: &World) {
    let key = w.key(KeySpec::of("acme")).await;
    let client = w.taxii.with_key(&key.text);
    let _ = client.get(COLLECTIONS).await.expect(200);
    w.revoke(&key).await;
    tests::patience::until("the revoked key is refused", async || {
        (client.get(COLLECTIONS).await.status == 401).then_some(())
    })
    .await;
}

over_both_transports!(
    a_key_is_accepted_in_every_form_clients_send,
    a_key_in_the_query_string_is_none,
    a_401_says_what_was_wrong_with_the_key,
    revoking_a_key_that_was_just_used_works_within_a_minute,
);

/// Fails the test unless the answer is an error in the shape of all surfaces but TAXII.
fn assert_error(answer: Answer, status: u16) -> serde_json::Value {
    let answer = answer.expect(status);
    let content_type = answer.header("content-type").unwrap();
    assert!(content_type.starts_with("application/json"), "{content_type}");
    let body = answer.json();
    let error = &body["error"];
    assert!(error["code"].as_str().is_some_and(|code| !code.is_empty()), "{body}");
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
    let request_id = answer.header("x-request-id").expect("every answer carries X-Request-Id");
    assert_eq!(error["request_id"], request_id, "{body}");
    error.clone()
}

async fn send(client: &Client, content_type: &str, body: &str) -> Answer {
    client.post("/api/v1/objects").body(content_type, body.to_owned()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_outside_taxii_have_one_shape() {
    let w = World::http().await;
    let ingest = w.ingest();
    let json = "application/json";
    assert_error(send(&w.http, json, "{}").await, 401);
    let error = assert_error(send(&w.http.with_key(w.reader_key()), json, "[]").await, 403);
    assert_eq!(error["code"], "missing_scope");
    assert!(error.to_string().contains("write:objects"), "{error}");
    assert_error(send(&ingest, json, "{").await, 400);
    assert_error(send(&ingest, "text/html", "[]").await, 415);
    assert_error(ingest.get("/api/v1/nothing").await, 404);
    let wrong_method = ingest.request("PUT", "/api/v1/objects").await;
    assert!(wrong_method.header("allow").is_some_and(|allow| allow.contains("POST")));
    assert_error(wrong_method, 405);
    let unknown = "/api/v1/objects/indicator--00000000-0000-4000-8000-000000000000";
    let error = assert_error(ingest.delete(unknown).await, 404);
    assert_eq!(error["code"], "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_carries_a_request_id_of_its_own() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let mut seen = std::collections::HashSet::new();
    for _ in 0..3 {
        for request in [
            w.reader().get(&c.objects()),
            w.http.get("/nowhere"),
            w.ingest().post("/api/v1/objects").body("application/json", "[]"),
        ] {
            let answer = request.await;
            let id = answer.header("x-request-id").expect(&answer.what).to_owned();
            assert!(seen.insert(id), "a request id twice");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_internal_is_said_in_errors() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let long = "x".repeat(2_000);
    let answers = [
        w.reader().get(&c.objects()).query("limit", &long).await,
        w.reader().get(&c.objects()).query("next", &long).await,
        send(&w.ingest(), "application/json", &"[".repeat(100_000)).await,
        w.ingest().delete(&format!("/api/v1/objects/{long}")).await,
    ];
    for answer in answers {
        assert!((400..500).contains(&answer.status), "{}: {}", answer.what, answer.status);
        let text = answer.text();
        assert!(text.len() < 1_500, "a value is cut short: {} bytes", text.len());
        for word in ["dynamo", "sqlite", "panicked", ".rs:", "arn:aws", "ConditionExpression"] {
            assert!(!text.to_lowercase().contains(&word.to_lowercase()), "{word} in {text}");
        }
    }
}
