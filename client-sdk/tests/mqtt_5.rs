//! What MQTT 5 adds, against the gateway and against mosquitto.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    missing_docs
)]

mod servers;

use std::{collections::BTreeSet, future::IntoFuture, time::Duration};

use manywire::{Channel, Client, ContentType, Delivery, Error, ErrorKind, Properties, QoS, Subscription};
use servers::{CHANNEL, Server};

async fn within<T>(what: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), what)
        .await
        .expect("in time")
}

async fn connect(server: &Server, who: &str, query: &str) -> (Client, Channel) {
    let client = within(server.client(who, query).connect()).await.unwrap();
    let channel = client.channel(CHANNEL).unwrap();
    (client, channel)
}

async fn publish(channel: &Channel, subtopic: &str, payload: &str) {
    within(channel.subtopic(subtopic).unwrap().publish(payload))
        .await
        .unwrap();
}

async fn next(messages: &mut Subscription) -> Delivery {
    within(messages.next()).await.expect("a message")
}

fn text(message: &Delivery) -> String {
    String::from_utf8(message.payload().to_vec()).unwrap()
}

#[tokio::test]
async fn the_url_says_the_version_or_the_server_does() {
    for server in Server::all().await {
        for (query, newest) in [("", true), ("?version=5", true), ("?version=3.1.1", false)] {
            let (client, channel) = connect(&server, "sender", query).await;
            let can = client.capabilities();
            assert_eq!(
                (can.properties, can.shared_subscriptions),
                (newest, newest),
                "{} {query}",
                server.name()
            );
            publish(&channel, "a", query).await;
        }
    }
}

#[tokio::test]
async fn the_old_version_refuses_what_only_the_new_one_has_before_anything_is_sent() {
    for server in Server::all().await {
        let (_client, channel) = connect(&server, "sender", "?version=3.1.1").await;
        let publish = channel.publish("x").user_property("unit", "K");
        let errors = [
            within(publish).await.unwrap_err(),
            within(channel.subscribe("a").shared("group")).await.unwrap_err(),
            within(channel.requester("answers")).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
        }
    }
}

#[tokio::test]
async fn what_goes_beside_the_payload_arrives() {
    for server in Server::all().await {
        let (_sender, to) = connect(&server, "sender", "").await;
        let (_receiver, from) = connect(&server, "receiver", "").await;
        let mut messages = within(from.subscribe(">")).await.unwrap();
        let topic = to.subtopic("reading").unwrap();
        let properties = Properties::new()
            .with_response_topic(topic.topic().clone())
            .with_correlation_data("7")
            .with_user_property("unit", "K")
            .with_user_property("unit", "C");
        // Three times: from the second on the topic is an alias, where the server takes them.
        for _ in 0..3 {
            let publish = topic
                .publish("21.5")
                .content_type(ContentType::JSON)
                .expires_after(Duration::from_secs(600))
                .properties(properties.clone());
            within(publish).await.unwrap();
            let got = next(&mut messages).await;
            assert_eq!(got.properties(), &properties, "{}", server.name());
            assert_eq!(got.content_type(), Some(&ContentType::JSON));
            assert_eq!(got.topic(), Some(topic.topic()));
            let left = got.expires_after().unwrap();
            assert!(
                left <= Duration::from_secs(600) && left > Duration::from_secs(500),
                "{left:?}"
            );
        }
    }
}

#[tokio::test]
async fn filters_that_overlap_each_receive_a_message_once() {
    for server in Server::all().await {
        let (_sender, to) = connect(&server, "sender", "").await;
        let (_receiver, from) = connect(&server, "receiver", "").await;
        let mut below = within(from.subscribe("room/>")).await.unwrap();
        let mut one = within(from.subscribe("room/*")).await.unwrap();
        let mut exact = within(from.subscribe("room/a")).await.unwrap();
        for payload in ["1", "2", "last"] {
            publish(&to, "room/a", payload).await;
        }
        for messages in [&mut below, &mut one, &mut exact] {
            for payload in ["1", "2", "last"] {
                assert_eq!(text(&next(messages).await), payload, "{}", server.name());
            }
        }
    }
}

#[tokio::test]
async fn each_message_goes_to_one_of_a_group() {
    for server in Server::all().await {
        let (_sender, to) = connect(&server, "sender", "").await;
        let (_first, one) = connect(&server, "receiver", "").await;
        let (_second, other) = connect(&server, "receiver", "").await;
        let mut shares = [
            within(one.subscribe("work/*").shared("workers")).await.unwrap(),
            within(other.subscribe("work/*").shared("workers")).await.unwrap(),
        ];
        // Not in the group, on the connection of one who is: it receives everything, and nothing twice.
        let mut all = within(one.subscribe("work/*")).await.unwrap();
        for number in 0..20 {
            publish(&to, "work/item", &number.to_string()).await;
        }
        for number in 0..20 {
            assert_eq!(
                text(&next(&mut all).await),
                number.to_string(),
                "{}",
                server.name()
            );
        }
        let mut shared = BTreeSet::new();
        while shared.len() < 20 {
            let [one, other] = &mut shares;
            let got = within(async {
                tokio::select! { got = one.next() => got, got = other.next() => got }
            });
            let number: u32 = text(&got.await.unwrap()).parse().unwrap();
            assert!(shared.insert(number), "{}: {number} came twice", server.name());
        }
        drop(shares);
        publish(&to, "work/item", "to nobody").await;
        assert_eq!(text(&next(&mut all).await), "to nobody");
    }
}

#[tokio::test]
async fn the_name_of_a_group_is_checked_before_anything_is_sent() {
    let server = Server::all().await.remove(0);
    let (_client, channel) = connect(&server, "sender", "").await;
    for group in ["", "a/b", "+", "a#"] {
        let error = within(channel.subscribe("a").shared(group)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Topic, "{group}");
    }
}

#[tokio::test]
async fn a_second_subscriber_gets_what_the_platform_kept_and_the_first_is_not_disturbed() {
    for server in Server::all().await {
        let (_sender, to) = connect(&server, "sender", "").await;
        let topic = to.subtopic("state").unwrap();
        within(topic.publish("kept").retain(true)).await.unwrap();
        for (query, again) in [("?version=5", false), ("?version=3.1.1", true)] {
            let (_receiver, from) = connect(&server, "receiver", query).await;
            let mut first = within(from.subscribe("state")).await.unwrap();
            let got = next(&mut first).await;
            assert!(got.is_retained() && text(&got) == "kept");
            let mut second = within(from.subscribe("state")).await.unwrap();
            let got = next(&mut second).await;
            assert!(
                got.is_retained() && text(&got) == "kept",
                "{} {query}",
                server.name()
            );
            publish(&to, "state", "new").await;
            // 3.1.1 does not say for whom a retained message is.
            if again {
                assert!(next(&mut first).await.is_retained());
            }
            for messages in [&mut first, &mut second] {
                let got = next(messages).await;
                assert!(
                    !got.is_retained() && text(&got) == "new",
                    "{} {query}: {got:?}",
                    server.name()
                );
            }
        }
        within(topic.publish("").retain(true)).await.unwrap();
    }
}

#[tokio::test]
async fn requests_are_answered_in_any_order_each_by_its_own_answer() {
    for server in Server::all().await {
        let (asking, asker) = connect(&server, "sender", "").await;
        let (answering, answerer) = connect(&server, "receiver", "").await;
        let mut requests = within(answerer.subscribe("pump/commands")).await.unwrap();
        let requester = within(asker.requester("answers/sender")).await.unwrap();
        let commands = asker.subtopic("pump/commands").unwrap();
        let asking_all = futures_util::future::join_all(
            (0..5).map(|number| within(requester.request(&commands, number.to_string()))),
        );
        let answering_all = async {
            let mut all = Vec::new();
            for _ in 0..5 {
                all.push(next(&mut requests).await);
            }
            for request in all.iter().rev() {
                let answer = format!("answer to {}", text(request));
                within(answering.respond(request, answer)).await.unwrap();
            }
        };
        let (answers, ()) = tokio::join!(asking_all, answering_all);
        for (number, answer) in answers.into_iter().enumerate() {
            assert_eq!(
                text(&answer.unwrap()),
                format!("answer to {number}"),
                "{}",
                server.name()
            );
        }
        assert!(asking.is_connected());
    }
}

#[tokio::test]
async fn a_request_without_an_answer_times_out_and_the_next_one_is_answered() {
    let server = Server::all().await.remove(0);
    let (_client, channel) = connect(&server, "sender", "").await;
    let requester = within(channel.requester("answers/sender")).await.unwrap();
    let commands = channel.subtopic("commands").unwrap();
    let request = requester
        .request(&commands, "x")
        .timeout(Duration::from_millis(50));
    let error = within(request).await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    let mut requests = within(channel.subscribe("commands")).await.unwrap();
    let (client, _) = connect(&server, "receiver", "").await;
    let answering = async {
        let request = next(&mut requests).await;
        within(client.respond(&request, "yes")).await
    };
    let asking = within(requester.request(&commands, "y"));
    let (answer, answered): (Result<Delivery, Error>, _) = tokio::join!(asking, answering);
    answered.unwrap();
    assert_eq!(text(&answer.unwrap()), "yes");
}

#[tokio::test]
async fn a_message_that_asks_nothing_cannot_be_answered() {
    let server = Server::all().await.remove(0);
    let (client, channel) = connect(&server, "sender", "").await;
    let mut messages = within(channel.subscribe("a")).await.unwrap();
    publish(&channel, "a", "x").await;
    let message = next(&mut messages).await;
    let error = within(client.respond(&message, "y").qos(QoS::AtMostOnce))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Topic);
}
