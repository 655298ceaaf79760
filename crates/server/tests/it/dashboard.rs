//! The dashboard as browsers get it, whether it was built or not.

use crate::harness::Server;

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

#[tokio::test]
async fn browsers_get_the_page_on_every_path_that_could_be_one() {
    let server = Server::start().await;
    for path in ["/", "/explorer?model=gpt-4o", "/projects"] {
        let answer = server.get(path).header("accept", BROWSER).send().await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.text().contains("AI Cost Tracker"), "{path}");
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn each_page_has_a_nonce_of_its_own() {
    let server = Server::start().await;
    let mut policies = Vec::new();
    for _ in 0..2 {
        let answer = server.get("/").send().await;
        policies.push(answer.headers["content-security-policy"].to_str().unwrap().to_owned());
    }
    assert_ne!(policies[0], policies[1]);
}

#[tokio::test]
async fn programs_hear_that_there_is_nothing() {
    let server = Server::start().await;
    for (path, accept) in
        [("/explorer", "application/json"), ("/api/nothing", BROWSER), ("/assets/gone.js", BROWSER)]
    {
        let answer = server.get(path).header("accept", accept).send().await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.value()["error"]["code"], "route_not_found", "{path}");
    }
}
