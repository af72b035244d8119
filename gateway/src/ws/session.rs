//! One WebSocket on a channel.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use manywire_topics::{Dialect, FilterBuf, TopicBuf};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Message as Frame, Utf8Bytes};

use super::close::Close;
use crate::ContentType;
use crate::broker::{Inbox, Received, SubscribeOptions};
use crate::hub::Hub;
use crate::identity::{Action, Thing};
use crate::listener::{Connection, Io};
use crate::message::{Message, Origin, Protocol};

/// What a handshake has established.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) thing: Thing,
    pub(super) filter: FilterBuf,
    /// Where it publishes: nowhere, if the path has wildcards.
    pub(super) topic: Option<TopicBuf>,
    pub(super) content_type: Option<ContentType>,
}

impl Session {
    pub(super) async fn serve<S: Io>(self, socket: WebSocketStream<S>, connection: Connection) {
        let Connection {
            hub, peer, shutdown, ..
        } = &connection;
        let _counted = hub.connected(Protocol::WebSocket);
        let metrics = &hub.metrics().websocket;
        let (mut sink, mut stream) = socket.split();
        let inbox = hub.inbox();
        // With domains a socket hears itself, and clients wait for that.
        let options = SubscribeOptions {
            no_local: !hub.dialect().has_domains(),
            ..SubscribeOptions::default()
        };
        let close = match inbox.subscribe(self.filter.clone(), options).await {
            Err(_) => Close::NotTaken,
            Ok(_) => {
                metrics.subscriptions.up();
                let origin = inbox.origin();
                let heard = AtomicBool::new(true);
                let close = tokio::select! {
                    close = self.upstream(&mut stream, hub, origin, &heard) => close,
                    close = downstream(&mut sink, inbox, hub, &heard) => close,
                    () = shutdown.requested() => Close::GoingAway,
                };
                metrics.subscriptions.down();
                close
            }
        };
        tracing::debug!(%peer, ?close, "a WebSocket ends");
        match close {
            Close::NotAllowed | Close::Revoked => metrics.denied.add(1),
            Close::WildcardPath | Close::TooLarge | Close::NotUtf8 | Close::Protocol => {
                metrics.rejected.add(1)
            }
            _ => {}
        }
        if let Some(frame) = close.frame() {
            // Wait for the peer's answer too: closing the connection with bytes unread would reset it and
            // might take the reason away with it.
            let farewell = async {
                let _ = sink.send(Frame::Close(Some(frame))).await;
                while let Some(Ok(_)) = stream.next().await {}
            };
            let _ = timeout(FAREWELL, farewell).await;
        }
    }

    /// Publishes what the peer sends, and watches over its rights.
    async fn upstream<S: Io>(
        &self,
        stream: &mut SplitStream<WebSocketStream<S>>,
        hub: &Hub,
        origin: Origin,
        heard: &AtomicBool,
    ) -> Close {
        let mut rights = hub.rights_changed();
        let mut thing = self.thing.clone();
        loop {
            let frame = tokio::select! {
                frame = stream.next() => frame,
                Ok(()) = rights.changed() => {
                    let Ok(refreshed) = self.still_allowed(&thing, hub).await else { return Close::Revoked };
                    thing = refreshed;
                    continue;
                }
            };
            heard.store(true, Ordering::Relaxed);
            let payload: Bytes = match frame {
                None => return Close::Gone,
                Some(Err(error)) => return error.into(),
                Some(Ok(Frame::Text(text))) => text.into(),
                Some(Ok(Frame::Binary(bytes))) => bytes,
                // Pings are answered by the WebSocket layer; a close is answered there too, then comes the end.
                Some(Ok(_)) => continue,
            };
            if let Err(close) = self.publish(payload, &thing, hub, origin).await {
                return close;
            }
        }
    }

    async fn publish(&self, payload: Bytes, thing: &Thing, hub: &Hub, origin: Origin) -> Result<(), Close> {
        let topic = self.topic.as_ref().ok_or(Close::WildcardPath)?;
        let allowed = hub
            .authorize(thing, Action::Publish, topic.as_topic().channel())
            .await;
        allowed.map_err(|_| Close::NotAllowed)?;
        let mut message = Message::new(
            topic.clone(),
            payload,
            Arc::clone(thing.id()),
            Protocol::WebSocket,
        );
        message.origin = Some(origin);
        message.content_type.clone_from(&self.content_type);
        hub.publish(message).await.map_err(|_| Close::NotTaken)
    }

    async fn still_allowed(&self, thing: &Thing, hub: &Hub) -> Result<Thing, crate::Denied> {
        let thing = hub.refresh(thing).await?;
        hub.authorize(&thing, Action::Subscribe, self.filter.as_filter().channel())
            .await?;
        Ok(thing)
    }
}

/// Sends what is published, and pings a silent peer to learn whether it is still there.
async fn downstream<S: Io>(
    sink: &mut SplitSink<WebSocketStream<S>, Frame>,
    mut inbox: Inbox,
    hub: &Hub,
    heard: &AtomicBool,
) -> Close {
    let mut pulse = interval(hub.limits().idle_timeout.max(MIN_IDLE));
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pinged = false;
    loop {
        let received = tokio::select! {
            received = inbox.receive() => received,
            _ = pulse.tick() => {
                if heard.swap(false, Ordering::Relaxed) {
                    pinged = false;
                } else if pinged {
                    return Close::Gone;
                } else {
                    pinged = true;
                    if sink.send(Frame::Ping(Bytes::new())).await.is_err() {
                        return Close::Gone;
                    }
                }
                continue;
            }
        };
        let mut next = Some(received);
        while let Some(received) = next {
            let received = match received {
                Ok(received) => received,
                Err(lagged) => {
                    hub.metrics().websocket.lost.add(lagged.lost);
                    return Close::TooSlow;
                }
            };
            hub.metrics()
                .websocket
                .count_delivered(received.message.payload.len());
            if sink.feed(frame(&received, hub.dialect())).await.is_err() {
                return Close::Gone;
            }
            next = inbox.try_receive();
        }
        if sink.flush().await.is_err() {
            return Close::Gone;
        }
    }
}

/// The frame a payload is sent in: see the module's documentation.
fn frame(received: &Received, dialect: Dialect) -> Frame {
    let payload = received.message.payload.clone();
    if dialect.has_domains() || received.message.content_type == Some(ContentType::SenmlCbor) {
        return Frame::Binary(payload);
    }
    match Utf8Bytes::try_from(payload.clone()) {
        Ok(text) => Frame::Text(text),
        Err(_) => Frame::Binary(payload),
    }
}

/// How long to wait for the peer's close frame after ours.
const FAREWELL: Duration = Duration::from_secs(1);

/// An interval must not be zero.
const MIN_IDLE: Duration = Duration::from_millis(10);
