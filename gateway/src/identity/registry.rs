//! The built-in identity service: things in memory.

use std::collections::{HashMap, HashSet};
use std::future;
use std::sync::{Arc, PoisonError, RwLock};

use manywire_topics::Channel;
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use tokio::sync::watch;

use super::thing::key;
use super::{Action, Answer, Credentials, Denied, Identity, Secret, Thing};

/// Things, the SHA-256 of their keys, and their rights, in memory. A clone is the same registry, so that
/// an application can change the rights of a running gateway.
///
/// Keys are random secrets of high entropy (the platform makes them UUIDs), which is why a plain digest is
/// enough to keep them out of memory dumps and files.
#[derive(Clone, Debug)]
pub struct Registry {
    state: Arc<RwLock<State>>,
    version: Arc<watch::Sender<u64>>,
}

#[derive(Debug, Default)]
struct State {
    by_id: HashMap<Arc<str>, Thing>,
    by_digest: HashMap<[u8; 32], Arc<str>>,
    channels: HashSet<(Option<Box<str>>, Box<str>)>,
}

/// Why a thing cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// There is a thing of this id already.
    #[error("two things have the id {0:?}")]
    SameId(Arc<str>),
    /// Another thing has the same key, so the key alone would not say who it is.
    #[error("the things {0:?} and {1:?} have the same key")]
    SameKey(Arc<str>, Arc<str>),
    /// The id or the key is empty.
    #[error("a thing has an empty id or key")]
    Empty,
}

impl Registry {
    /// A registry without things: nobody may do anything.
    pub fn new() -> Self {
        Self {
            state: Arc::default(),
            version: Arc::new(watch::Sender::new(0)),
        }
    }

    /// Registers a thing and its key.
    ///
    /// # Errors
    /// The id or the key is empty or taken.
    pub fn add(&self, thing: Thing, key: impl Into<Secret>) -> Result<(), RegistryError> {
        let key = key.into();
        if key.expose().is_empty() {
            return Err(RegistryError::Empty);
        }
        self.add_digest(thing, key.digest())
    }

    /// Registers a thing by the SHA-256 of its key.
    ///
    /// # Errors
    /// The id is empty, or the id or the key is taken.
    pub fn add_digest(&self, thing: Thing, digest: [u8; 32]) -> Result<(), RegistryError> {
        self.write(|state| state.add(thing, digest))
    }

    /// Forgets a thing: its connections end. Returns whether it was known.
    pub fn remove(&self, id: &str) -> bool {
        self.write(|state| state.remove(id))
    }

    /// Takes over everything from another registry, in one step: connections of things that are gone, or
    /// have another key, end; subscriptions that are no longer allowed are cut.
    pub fn replace_with(&self, other: &Self) {
        if Arc::ptr_eq(&self.state, &other.state) {
            return;
        }
        let replacement = {
            let state = other.state.read().unwrap_or_else(PoisonError::into_inner);
            State {
                by_id: state.by_id.clone(),
                by_digest: state.by_digest.clone(),
                channels: state.channels.clone(),
            }
        };
        self.write(|state| *state = replacement);
    }

    /// How many things are registered.
    pub fn len(&self) -> usize {
        self.read(|state| state.by_id.len())
    }

    /// Whether nobody is registered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let outcome = change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner));
        self.version
            .send_modify(|version| *version = version.wrapping_add(1));
        outcome
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Identity for Registry {
    fn identify<'a>(&'a self, credentials: &'a Credentials) -> Answer<'a, Result<Thing, Denied>> {
        let digest = credentials.key.digest();
        Box::pin(future::ready(
            self.read(|state| state.identify(credentials.id.as_deref(), &digest)),
        ))
    }

    fn authorize<'a>(
        &'a self,
        thing: &'a Thing,
        action: Action,
        channel: Channel<'a>,
    ) -> Answer<'a, Result<(), Denied>> {
        Box::pin(future::ready(
            self.read(|state| state.authorize(thing, action, channel)),
        ))
    }

    fn refresh<'a>(&'a self, thing: &'a Thing) -> Answer<'a, Result<Thing, Denied>> {
        Box::pin(future::ready(
            self.read(|state| state.identify(Some(thing.id()), &thing.proof)),
        ))
    }

    fn changed(&self, since: u64) -> Answer<'_, u64> {
        let mut version = self.version.subscribe();
        Box::pin(async move {
            let changed = version
                .wait_for(|version| *version != since)
                .await
                .map(|version| *version);
            match changed {
                Ok(version) => version,
                // The sender lives as long as `self`; without it nothing changes any more.
                Err(_) => future::pending().await,
            }
        })
    }
}

impl State {
    fn add(&mut self, mut thing: Thing, digest: [u8; 32]) -> Result<(), RegistryError> {
        let id = Arc::clone(thing.id());
        if id.is_empty() {
            return Err(RegistryError::Empty);
        }
        if self.by_id.contains_key(&id) {
            return Err(RegistryError::SameId(id));
        }
        if let Some(other) = self.by_digest.get(&digest) {
            return Err(RegistryError::SameKey(Arc::clone(other), id));
        }
        thing.proof = digest;
        self.channels.extend(thing.channels().map(owned_key));
        self.by_digest.insert(digest, Arc::clone(&id));
        self.by_id.insert(id, thing);
        Ok(())
    }

    fn remove(&mut self, id: &str) -> bool {
        let Some(thing) = self.by_id.remove(id) else {
            return false;
        };
        self.by_digest.remove(&thing.proof);
        self.channels = self
            .by_id
            .values()
            .flat_map(Thing::channels)
            .map(owned_key)
            .collect();
        true
    }

    /// The comparison is of digests, in constant time, and happens for an unknown id as well: neither the
    /// key nor whether an id exists can be learnt from the time it takes.
    fn identify(&self, id: Option<&str>, digest: &[u8; 32]) -> Result<Thing, Denied> {
        let id = id.or_else(|| self.by_digest.get(digest).map(|id| &**id));
        let thing = id.and_then(|id| self.by_id.get(id));
        let expected = thing.map_or([0; 32], |thing| thing.proof);
        let same = bool::from(expected.ct_eq(digest));
        thing.filter(|_| same).cloned().ok_or(Denied::WrongCredentials)
    }

    fn authorize(&self, thing: &Thing, action: Action, channel: Channel<'_>) -> Result<(), Denied> {
        if thing.may(action, channel) {
            return Ok(());
        }
        match self.channels.contains(&owned_key(channel)) {
            true => Err(Denied::NotAllowed),
            false => Err(Denied::UnknownChannel),
        }
    }
}

fn owned_key(channel: Channel<'_>) -> (Option<Box<str>>, Box<str>) {
    let (domain, id) = key(channel);
    (domain.map(Into::into), id.into())
}

#[cfg(test)]
mod tests {
    use manywire_topics::Dialect;

    use super::*;

    async fn identify(registry: &Registry, credentials: Credentials) -> Result<Arc<str>, Denied> {
        registry
            .identify(&credentials)
            .await
            .map(|thing| Arc::clone(thing.id()))
    }

    fn registry() -> Registry {
        let registry = Registry::new();
        registry
            .add(Thing::new("a").uses("c1").unwrap(), "key-a")
            .unwrap();
        registry
            .add(Thing::new("b").publishes_to("c2").unwrap(), "key-b")
            .unwrap();
        registry
    }

    #[tokio::test]
    async fn a_key_says_who_it_is_and_an_id_must_fit_it() {
        let registry = registry();
        assert_eq!(
            identify(&registry, Credentials::key("key-a")).await.as_deref(),
            Ok("a")
        );
        assert_eq!(
            identify(&registry, Credentials::id_and_key("b", "key-b"))
                .await
                .as_deref(),
            Ok("b")
        );
        assert_eq!(
            identify(&registry, Credentials::id_and_key("", "key-b"))
                .await
                .as_deref(),
            Ok("b")
        );
        for wrong in [
            Credentials::key("key-c"),
            Credentials::key(""),
            Credentials::id_and_key("a", "key-b"),
            Credentials::id_and_key("nobody", "key-a"),
        ] {
            assert_eq!(identify(&registry, wrong).await, Err(Denied::WrongCredentials));
        }
    }

    #[tokio::test]
    async fn rights_are_per_channel_and_direction() {
        let registry = registry();
        let b = registry.identify(&Credentials::key("key-b")).await.unwrap();
        let check = async |action, id| {
            registry
                .authorize(&b, action, Channel::new(Dialect::Channels, None, id).unwrap())
                .await
        };
        assert_eq!(check(Action::Publish, "c2").await, Ok(()));
        assert_eq!(check(Action::Subscribe, "c2").await, Err(Denied::NotAllowed));
        assert_eq!(check(Action::Publish, "c1").await, Err(Denied::NotAllowed));
        assert_eq!(check(Action::Publish, "c3").await, Err(Denied::UnknownChannel));
    }

    #[tokio::test]
    async fn a_removed_thing_and_a_changed_key_are_noticed() {
        let registry = registry();
        let a = registry.identify(&Credentials::key("key-a")).await.unwrap();
        let before = registry.changed(0).await;
        assert!(registry.refresh(&a).await.is_ok());
        let replacement = Registry::new();
        replacement
            .add(Thing::new("a").uses("c1").unwrap(), "another key")
            .unwrap();
        registry.replace_with(&replacement);
        assert_ne!(registry.changed(before).await, before);
        assert_eq!(registry.refresh(&a).await.unwrap_err(), Denied::WrongCredentials);
        assert!(registry.remove("a") && !registry.remove("a"));
    }

    #[test]
    fn ids_and_keys_are_unique() {
        let registry = registry();
        assert_eq!(
            registry.add(Thing::new("a"), "new"),
            Err(RegistryError::SameId("a".into()))
        );
        let same_key = RegistryError::SameKey("a".into(), "c".into());
        assert_eq!(registry.add(Thing::new("c"), "key-a"), Err(same_key));
        assert_eq!(registry.add(Thing::new("c"), ""), Err(RegistryError::Empty));
        assert_eq!(registry.len(), 2);
    }

    #[test]
    fn keys_are_not_printed() {
        let shown = format!(
            "{:?} {:?}",
            Credentials::id_and_key("a", "hidden"),
            Thing::new("a")
        );
        assert!(!shown.contains("hidden"), "{shown}");
    }
}
