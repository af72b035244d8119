//! Sessions on disk: what a client has subscribed to, what waits for it, and which of its identifiers are in use.
//!
//! A session has a number, and each thing that is kept of it an entry of its own under that number. An entry whose
//! session is not there belongs to a session that has ended, and is removed at the next start.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use manywire_mqtt_codec::{PacketId, QoS, TopicFilter};
use manywire_topics::{Dialect, FilterBuf, Form};
use serde::{Deserialize, Serialize};

use super::{Store, StoreError, Table};
use crate::Message;
use crate::broker::{Delivery, RetainedHandling, SubscribeOptions};

/// Keeps one session on disk.
#[derive(Debug)]
pub(crate) struct Keeper {
    store: Arc<Store>,
    session: u64,
}

/// A message that is on disk for a session. Dropping it forgets it, but for when the gateway stops.
pub(crate) struct Kept {
    store: Arc<Store>,
    key: Vec<u8>,
}

/// Whose session it is, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionRecord {
    pub(crate) thing: String,
    pub(crate) client_id: String,
    /// How many seconds it outlives its connection.
    pub(crate) expiry: u64,
}

/// A subscription of a session, but for its filter.
#[derive(Serialize, Deserialize)]
struct SubscriptionRecord {
    qos: u8,
    no_local: bool,
    retain_as_published: bool,
    identifier: Option<NonZeroU32>,
}

/// A session as it was when the gateway ended.
#[derive(Debug)]
pub(crate) struct Restored {
    pub(crate) keeper: Keeper,
    pub(crate) record: SessionRecord,
    /// The name under which a filter is shared, the filter, and how it is subscribed to.
    pub(crate) subscriptions: Vec<(Option<Box<str>>, FilterBuf, SubscribeOptions)>,
    /// What waits for the client, in order.
    pub(crate) messages: Vec<RestoredMessage>,
    /// QoS 2 messages of the client that it has not released.
    pub(crate) unreleased: Vec<PacketId>,
}

/// A message that waits for the client of a restored session.
#[derive(Debug)]
pub(crate) struct RestoredMessage {
    pub(crate) message: Arc<Message>,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    pub(crate) identifiers: Vec<NonZeroU32>,
    pub(crate) kept: Kept,
}

impl Keeper {
    /// Keeps a session that is not on disk yet.
    pub(crate) fn new(store: &Arc<Store>) -> Self {
        Self {
            store: Arc::clone(store),
            session: store.next_number(),
        }
    }

    /// Every session on disk. Reads the disk: for the start.
    ///
    /// # Errors
    /// The database is broken.
    pub(crate) fn restore(store: &Arc<Store>, dialect: Dialect) -> Result<Vec<Restored>, StoreError> {
        let mut sessions = HashMap::new();
        for (key, record) in store.scan(Table::Sessions)? {
            let number = key.try_into().map(u64::from_be_bytes).ok();
            let record = serde_json::from_slice::<SessionRecord>(&record).ok();
            let Some((number, record)) = number.zip(record) else {
                tracing::warn!("a session on disk is unreadable");
                continue;
            };
            store.number_is_taken(number);
            sessions.insert(number, Restored::new(store, number, record));
        }
        for (key, value) in store.scan(Table::SessionEntries)? {
            let owner = key
                .split_first_chunk()
                .map(|(number, _)| u64::from_be_bytes(*number));
            let taken = match owner.and_then(|number| sessions.get_mut(&number)) {
                Some(session) => session.take(store, &key, &value, dialect),
                None => None,
            };
            if taken.is_none() {
                store.remove(Table::SessionEntries, key);
            }
        }
        Ok(sessions.into_values().collect())
    }

    /// Puts whose session it is, and for how long, on disk.
    pub(crate) fn put(&self, record: &SessionRecord) {
        self.put_json(Table::Sessions, self.session.to_be_bytes().to_vec(), record);
    }

    /// Forgets the session. Its messages are forgotten as they are dropped.
    pub(crate) fn forget(&self) {
        self.store
            .remove(Table::Sessions, self.session.to_be_bytes().to_vec());
    }

    /// Puts a message on disk. `None` if its topic cannot be written down; it is then only in memory.
    pub(crate) fn keep(&self, delivery: &Delivery<'_>) -> Option<Kept> {
        let record = delivery.message.to_record().ok()?;
        let identifiers: Vec<u32> = delivery.identifiers().map(NonZeroU32::get).collect();
        let count = u32::try_from(identifiers.len()).ok()?;
        let mut value = Vec::with_capacity(8 + 4 * identifiers.len() + record.len());
        value.push(delivery.qos().bits() | u8::from(delivery.retain_flag()) << 2);
        value.extend(count.to_be_bytes());
        value.extend(identifiers.into_iter().flat_map(u32::to_be_bytes));
        value.extend(record);
        let key = self.key(MESSAGE, &self.store.next_number().to_be_bytes());
        self.store.put(Table::SessionEntries, key.clone(), value);
        Some(Kept {
            store: Arc::clone(&self.store),
            key,
        })
    }

    /// Puts a subscription on disk, if its filter can be written down.
    pub(crate) fn subscribe(&self, share: Option<&str>, filter: &FilterBuf, options: &SubscribeOptions) {
        let record = SubscriptionRecord {
            qos: options.qos.bits(),
            no_local: options.no_local,
            retain_as_published: options.retain_as_published,
            identifier: options.identifier,
        };
        if let Some(key) = self.subscription_key(share, filter) {
            self.put_json(Table::SessionEntries, key, &record);
        }
    }

    /// The subscription has ended.
    pub(crate) fn unsubscribe(&self, share: Option<&str>, filter: &FilterBuf) {
        if let Some(key) = self.subscription_key(share, filter) {
            self.store.remove(Table::SessionEntries, key);
        }
    }

    /// A QoS 2 message of the client is being published, and has not been released.
    pub(crate) fn hold(&self, packet_id: PacketId) {
        let key = self.key(UNRELEASED, &packet_id.get().to_be_bytes());
        self.store.put(Table::SessionEntries, key, Vec::new());
    }

    /// It has been released.
    pub(crate) fn release(&self, packet_id: PacketId) {
        let key = self.key(UNRELEASED, &packet_id.get().to_be_bytes());
        self.store.remove(Table::SessionEntries, key);
    }

    fn put_json(&self, table: Table, key: Vec<u8>, record: &impl Serialize) {
        match serde_json::to_vec(record) {
            Ok(value) => self.store.put(table, key, value),
            Err(error) => tracing::error!(%error, "a session cannot be written down"),
        }
    }

    /// A filter as MQTT has it: of a shared subscription, with the name under which it is shared.
    fn subscription_key(&self, share: Option<&str>, filter: &FilterBuf) -> Option<Vec<u8>> {
        let filter = filter.display(Form::Mqtt).ok()?;
        let filter = match share {
            Some(share) => format!("$share/{share}/{filter}"),
            None => filter.to_string(),
        };
        Some(self.key(SUBSCRIPTION, filter.as_bytes()))
    }

    fn key(&self, kind: u8, rest: &[u8]) -> Vec<u8> {
        let mut key = Vec::with_capacity(9 + rest.len());
        key.extend(self.session.to_be_bytes());
        key.push(kind);
        key.extend(rest);
        key
    }
}

impl Restored {
    fn new(store: &Arc<Store>, session: u64, record: SessionRecord) -> Self {
        Self {
            keeper: Keeper {
                store: Arc::clone(store),
                session,
            },
            record,
            subscriptions: Vec::new(),
            messages: Vec::new(),
            unreleased: Vec::new(),
        }
    }

    /// Takes an entry in; `None` if it cannot be read.
    fn take(&mut self, store: &Arc<Store>, key: &[u8], value: &[u8], dialect: Dialect) -> Option<()> {
        match key.get(8..)?.split_first()? {
            (&MESSAGE, number) => {
                store.number_is_taken(u64::from_be_bytes(number.try_into().ok()?));
                let kept = Kept {
                    store: Arc::clone(store),
                    key: key.to_vec(),
                };
                self.messages.push(RestoredMessage::read(value, kept, dialect)?);
            }
            (&SUBSCRIPTION, filter) => {
                let filter = TopicFilter::new(std::str::from_utf8(filter).ok()?).ok()?;
                let (share, filter) = match filter.shared() {
                    Some((share, filter)) => (Some(share.as_str().into()), filter),
                    None => (None, filter),
                };
                let filter = FilterBuf::parse(dialect, Form::Mqtt, filter.as_str()).ok()?;
                let record: SubscriptionRecord = serde_json::from_slice(value).ok()?;
                self.subscriptions.push((share, filter, record.options()?));
            }
            (&UNRELEASED, id) => {
                let id = PacketId::new(u16::from_be_bytes(id.try_into().ok()?))?;
                self.unreleased.push(id);
            }
            _ => return None,
        }
        Some(())
    }
}

impl RestoredMessage {
    fn read(value: &[u8], kept: Kept, dialect: Dialect) -> Option<Self> {
        let (&flags, rest) = value.split_first()?;
        let (count, rest) = rest.split_first_chunk()?;
        let length = usize::try_from(u32::from_be_bytes(*count)).ok()?.checked_mul(4)?;
        let (identifiers, record) = rest.split_at_checked(length)?;
        let identifiers = identifiers
            .chunks_exact(4)
            .map(|one| one.try_into().map(u32::from_be_bytes).ok());
        Some(Self {
            message: Arc::new(Message::from_record(record.to_vec(), dialect)?),
            qos: QoS::from_bits(flags & 3)?,
            retain: flags & 4 != 0,
            identifiers: identifiers
                .map(|id| NonZeroU32::new(id?))
                .collect::<Option<_>>()?,
            kept,
        })
    }
}

impl SubscriptionRecord {
    /// The options to subscribe with again: without the retained messages, which the client has had.
    fn options(&self) -> Option<SubscribeOptions> {
        Some(SubscribeOptions {
            qos: QoS::from_bits(self.qos)?,
            no_local: self.no_local,
            retain_as_published: self.retain_as_published,
            retained: RetainedHandling::Skip,
            identifier: self.identifier,
        })
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if !self.store.is_frozen() {
            self.store
                .remove(Table::SessionEntries, std::mem::take(&mut self.key));
        }
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}

/// The kinds of entries of a session.
const MESSAGE: u8 = b'm';
const SUBSCRIPTION: u8 = b's';
const UNRELEASED: u8 = b'u';

#[cfg(test)]
mod tests {
    use manywire_topics::TopicBuf;

    use super::*;
    use crate::Protocol;

    fn filter() -> FilterBuf {
        FilterBuf::parse(Dialect::Channels, Form::Mqtt, "channels/c/messages/+/#").unwrap()
    }

    fn options() -> SubscribeOptions {
        SubscribeOptions {
            no_local: true,
            identifier: NonZeroU32::new(7),
            ..SubscribeOptions::default()
        }
    }

    fn keep(keeper: &Keeper, payload: &'static str) -> Kept {
        let topic = TopicBuf::parse(Dialect::Channels, Form::Mqtt, "channels/c/messages/a").unwrap();
        let message = Arc::new(Message::new(
            topic,
            payload.into(),
            "thing".into(),
            Protocol::Mqtt,
        ));
        let options = options();
        let delivery = Delivery {
            message: &message,
            subscriptions: &[&options],
            retained: payload == "retained",
        };
        keeper.keep(&delivery).unwrap()
    }

    fn record(client_id: &str) -> SessionRecord {
        SessionRecord {
            thing: "thing".into(),
            client_id: client_id.into(),
            expiry: 60,
        }
    }

    #[tokio::test]
    async fn a_session_is_the_same_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(directory.path()).unwrap());
        let keeper = Keeper::new(&store);
        keeper.put(&record("one"));
        keeper.subscribe(None, &filter(), &options());
        keeper.subscribe(Some("group"), &filter(), &options());
        let kept = [keep(&keeper, "1"), keep(&keeper, "retained")];
        drop(keep(&keeper, "acknowledged"));
        keeper.hold(PacketId::FIRST);
        keeper.hold(PacketId::FIRST.next());
        keeper.release(PacketId::FIRST);
        let ended = Keeper::new(&store);
        ended.put(&record("ended"));
        ended.hold(PacketId::FIRST);
        ended.forget();
        store.freeze();
        drop((kept, keeper, ended, store));

        let store = Arc::new(Store::open(directory.path()).unwrap());
        let mut sessions = Keeper::restore(&store, Dialect::Channels).unwrap();
        let session = sessions.pop().unwrap();
        assert!(sessions.is_empty());
        assert_eq!(session.record, record("one"));
        let messages: Vec<_> = session
            .messages
            .iter()
            .map(|one| (&one.message.payload[..], one.retain, &one.identifiers[..]))
            .collect();
        let identifiers = &[NonZeroU32::new(7).unwrap()][..];
        assert_eq!(
            messages,
            [(&b"1"[..], false, identifiers), (b"retained", true, identifiers)]
        );
        assert_eq!(session.unreleased, [PacketId::FIRST.next()]);
        let shares: Vec<_> = session
            .subscriptions
            .iter()
            .map(|(share, ..)| share.as_deref())
            .collect();
        assert_eq!(shares, [Some("group"), None]);
        let (_, restored, options) = &session.subscriptions[0];
        assert!(*restored == filter() && options.no_local && options.retained == RetainedHandling::Skip);
        assert!(
            Keeper::new(&store).session > session.keeper.session + 2,
            "no number is given twice"
        );
    }

    #[tokio::test]
    async fn a_dropped_message_is_forgotten_unless_the_gateway_stops() {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(directory.path()).unwrap());
        let kept = keep(&Keeper::new(&store), "1");
        store.committed().await.unwrap();
        assert_eq!(store.scan(Table::SessionEntries).unwrap().len(), 1);
        drop(kept);
        store.committed().await.unwrap();
        assert_eq!(store.scan(Table::SessionEntries).unwrap().len(), 0);
    }
}
