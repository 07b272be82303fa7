//! stix-export.md: parameters, refusals, media types, tags.

use shared::access::Scope;
use shared::tlp::Tlp;
use tests::export::{Bundle, PATH};
use tests::fixtures::indicators;
use tests::keys::KeySpec;
use tests::world::World;

const STIX: &str = "application/stix+json;version=2.1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_parameter_is_refused_by_its_name_with_what_is_allowed() {
    let world = World::of_operator().await;
    let export = world.exporter(Tlp::Amber).await;
    for (name, bad, allowed) in [
        ("type", "ip", "ipv4, ipv6, domain, url"),
        ("type", "", "mitre_attack"),
        ("since", "yesterday", "2026-05-15T00:00:00Z"),
        ("limit", "0", "1 to 1000"),
        ("limit", "ten", "1 to 1000"),
        ("format", "csv", "bundle or objects"),
        ("include_identity", "maybe", "true or false"),
        ("include_markings", "maybe", "true or false"),
        ("include_marking", "maybe", "true or false"),
        ("include_observables", "maybe", "true or false"),
        ("include_context", "maybe", "true or false"),
        ("include_revoked", "maybe", "true or false"),
        ("tlp", "purple", "clear, green, amber, amber+strict or red"),
        ("tlp_version", "3.0", "2.0 or 1.0"),
        ("cursor", "garbage", "X-Next-Cursor"),
    ] {
        let error = export.request(&[(name, bad)]).await.expect(400).json();
        assert_eq!(error["error"]["details"]["parameter"], name, "{error}");
        let message = error["error"]["message"].as_str().unwrap();
        assert!(message.contains(allowed), "{message}");
    }
    let _ = export.request(&[("limit", "1"), ("limit", "2")]).await.expect(400);
    let long = export.request(&[("tlp", &"x".repeat(5_000))]).await.expect(400);
    assert!(long.text().len() < 500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_needs_the_scope_and_the_plan() {
    let world = World::of_operator().await;
    let answer = world.http.get(PATH).await.expect(401);
    assert!(answer.header("www-authenticate").is_some());
    let client = async |spec: KeySpec| world.http.with_key(&world.key(spec).await.text);
    let taxii = client(KeySpec::of("reader").read_only()).await;
    assert_eq!(taxii.get(PATH).await.expect(403).json()["error"]["code"], "missing_scope");
    let free = client(KeySpec::of("reader").with([Scope::ReadStix]).on("free")).await;
    assert_eq!(free.get(PATH).await.expect(403).json()["error"]["code"], "plan_required");
    let _ = client(KeySpec::of("reader").on("pro")).await.get(PATH).await.expect(200);
    let export = world.exporter(Tlp::Amber).await;
    let answer = export.0.post(PATH).body("application/json", "{}").await.expect(405);
    assert_eq!(answer.header("allow"), Some("GET, HEAD"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_has_the_type_accepted_a_file_name_and_a_tag() {
    let world = World::of_operator().await;
    world.send(&indicators(3)).await;
    world.at_rest().await;
    let export = world.exporter(Tlp::Amber).await;
    for (accept, sent) in [
        ("*/*", STIX),
        ("application/stix+json", STIX),
        ("application/json, application/stix+json;version=2.1;q=0.1", STIX),
        ("application/json", "application/json"),
        ("text/html, application/json;q=0.5", "application/json"),
    ] {
        let answer = export.request(&[]).accept(accept).await.expect(200);
        assert_eq!(answer.header("content-type"), Some(sent), "{accept}");
    }
    for accept in ["text/html", "application/stix+json;version=2.0"] {
        let _ = export.request(&[]).accept(accept).await.expect(406);
    }
    let answer = export.request(&[]).await.expect(200);
    let disposition = answer.header("content-disposition").unwrap();
    assert!(disposition.starts_with("attachment; filename=\""), "{disposition}");
    let tag = answer.header("etag").unwrap().to_owned();
    let again = export.request(&[]).header("if-none-match", &tag).await.expect(304);
    assert!(again.body.is_empty());
    assert_eq!(again.header("etag"), Some(tag.as_str()));
    let same = export.0.get("/api/v1/export/stix").await.expect(200);
    assert_eq!((same.header("etag"), &same.body), (Some(tag.as_str()), &answer.body));
    let compressed = export.request(&[]).header("accept-encoding", "gzip").await.expect(200);
    assert_eq!(compressed.header("content-encoding"), Some("gzip"));
    assert_eq!(compressed.header("etag"), Some(tag.as_str()));
    let head = export.0.request("HEAD", PATH).await.expect(200);
    assert_eq!((head.header("etag"), head.body.len()), (Some(tag.as_str()), 0));
    world.send(&indicators(1)).await;
    world.at_rest().await;
    let changed = export.request(&[]).header("if-none-match", &tag).await.expect(200);
    assert_eq!(Bundle::of(&changed).indicators().len(), 4);
}
