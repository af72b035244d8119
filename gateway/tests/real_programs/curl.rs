//! curl publishes over HTTP as the platform's documentation says.

use tokio::process::Command;

use crate::program::{Outcome, find, run};
use crate::{CHANNEL, KEY, OTHER_CHANNEL, PACK, gateway};

/// curl with the status code as the last line of its output.
async fn curl(arguments: &[&str]) -> Option<Outcome> {
    let curl = find(&["curl"])?;
    Some(
        run(Command::new(curl)
            .args(["-s", "-S", "-w", "\n%{http_code}"])
            .args(arguments))
        .await,
    )
}

fn status(outcome: &Outcome) -> String {
    outcome.text().lines().last().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_publishes_with_the_command_of_the_documentation() {
    let gateway = gateway().await;
    let content_type = "Content-Type: application/senml+json";
    let authorization = format!("Authorization: Thing {KEY}");
    for path in ["", "/http"] {
        for subtopic in ["", "/bedroom/temperature", "/a///b"] {
            let url = format!(
                "{}{path}/channels/{CHANNEL}/messages{subtopic}",
                gateway.urls().http
            );
            let Some(outcome) = curl(&[
                "-i",
                "-X",
                "POST",
                "-H",
                content_type,
                "-H",
                &authorization,
                &url,
                "-d",
                PACK,
            ])
            .await
            else {
                return;
            };
            assert_eq!(status(&outcome), "202", "{url}: {outcome:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_is_told_what_is_wrong() {
    let gateway = gateway().await;
    let http = gateway.urls().http;
    let right = format!("Authorization: Thing {KEY}");
    let senml = "Content-Type: application/senml+json";
    let own = format!("{http}/channels/{CHANNEL}/messages");
    let cases = [
        (
            "a wrong key",
            own.clone(),
            "Authorization: Thing wrong",
            senml,
            "401",
        ),
        ("no key", own.clone(), "X-Nothing: at all", senml, "401"),
        (
            "a channel of others",
            format!("{http}/channels/{OTHER_CHANNEL}/messages"),
            &right,
            senml,
            "401",
        ),
        (
            "a malformed subtopic",
            format!("{own}/a.b*c.d"),
            &right,
            senml,
            "400",
        ),
        ("a wildcard", format!("{own}/a/*"), &right, senml, "400"),
        (
            "a content type nobody knows",
            own.clone(),
            &right,
            "Content-Type: text/html",
            "415",
        ),
        (
            "another path",
            format!("{http}/somewhere/else"),
            &right,
            senml,
            "404",
        ),
    ];
    for (what, url, authorization, content_type, expected) in cases {
        let Some(outcome) = curl(&[
            "-X",
            "POST",
            "-H",
            content_type,
            "-H",
            authorization,
            &url,
            "-d",
            PACK,
        ])
        .await
        else {
            return;
        };
        assert_eq!(status(&outcome), expected, "{what}: {outcome:?}");
    }
    let Some(health) = curl(&[&format!("{http}/health")]).await else {
        return;
    };
    assert_eq!(status(&health), "200");
    assert!(health.text().contains("\"status\":\"pass\""), "{health:?}");
}
