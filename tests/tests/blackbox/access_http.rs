//! access.md, HTTP habits: encodings of answers, and reads from a browser's page.

use std::io::Read as _;

use tests::fixtures::indicators;
use tests::taxii_reading::Page;
use tests::world::World;

async fn a_large_answer_is_compressed_for_who_asks(w: &World) {
    let c = w.holding(&indicators(100)).await;
    let plain = w.reader().get(&c.objects()).await.expect(200);
    assert_eq!(plain.header("content-encoding"), None);
    let gzip = w.reader().get(&c.objects()).header("accept-encoding", "gzip, deflate").await;
    let mut gzip = gzip.expect(200);
    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
    let vary = gzip.header("vary").expect("Vary names what was decided by").to_lowercase();
    assert!(vary.contains("accept-encoding"), "{vary}");
    assert!(gzip.body.len() < plain.body.len() / 2);
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&*gzip.body).read_to_end(&mut text).unwrap();
    gzip.body = text.into();
    assert_eq!(Page::of(&gzip).items, Page::of(&plain).items);
    let refused = w.reader().get(&c.objects()).header("accept-encoding", "gzip;q=0").await;
    assert_eq!(refused.expect(200).header("content-encoding"), None);
    let either = w.reader().get(&c.objects()).header("accept-encoding", "zstd, br").await;
    let encoding = either.header("content-encoding").map(ToOwned::to_owned);
    assert!(matches!(encoding.as_deref(), Some("zstd" | "br")), "{encoding:?}");
}

async fn a_page_in_a_browser_may_read(w: &World) {
    let c = w.holding(&indicators(1)).await;
    let answer = w.reader().get(&c.objects()).header("origin", "https://app.example.org").await;
    let answer = answer.expect(200);
    assert!(answer.headers.contains_key("access-control-allow-origin"), "{:?}", answer.headers);
    let preflight = w.taxii.anonymous().request("OPTIONS", &c.objects());
    let preflight = preflight
        .header("origin", "https://app.example.org")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization")
        .await;
    assert!([200, 204].contains(&preflight.status), "{}", preflight.status);
    assert!(preflight.headers.contains_key("access-control-allow-origin"));
    let allowed = preflight.header("access-control-allow-headers").unwrap_or_default();
    assert!(allowed == "*" || allowed.to_lowercase().contains("authorization"), "{allowed}");
}

over_both_transports!(a_large_answer_is_compressed_for_who_asks, a_page_in_a_browser_may_read);
