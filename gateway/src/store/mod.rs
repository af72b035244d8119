//! What survives a restart: an embedded database in the data directory.
//!
//! Everybody hands changes in without waiting, in order; one thread writes what has gathered as one
//! transaction and syncs it to disk, so that the cost of a sync is shared by all who wait for it. Whoever
//! must not be told before something is safe awaits [`Store::committed`].

mod keeper;
mod record;

pub(crate) use self::keeper::{Keeper, Kept, Restored, RestoredMessage, SessionRecord};

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::{fs, io};

use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition, TableError};
use thiserror::Error;
use tokio::sync::oneshot;

/// A database in a directory. Dropping it writes what has been handed in.
pub(crate) struct Store {
    path: PathBuf,
    database: Arc<Database>,
    /// How many changes have been handed in, and how many of them are on disk.
    handed_in: AtomicU64,
    on_disk: Arc<AtomicU64>,
    /// The next number of a session or message.
    next_number: AtomicU64,
    /// Whether the gateway stops: then what is dropped from memory is not forgotten on disk.
    frozen: AtomicBool,
    changes: Mutex<Option<Sender<Change>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// Topic (as a path) to message.
    Retained,
    /// The number of a session to whose it is.
    Sessions,
    /// The number of a session, the kind of an entry and which it is, to what is kept of it.
    SessionEntries,
}

enum Change {
    Put {
        table: Table,
        key: Vec<u8>,
        value: Vec<u8>,
    },
    Remove {
        table: Table,
        key: Vec<u8>,
    },
    /// Answered when everything before it is on disk.
    Barrier(oneshot::Sender<bool>),
}

/// Keys and values.
pub(crate) type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// Why the data directory cannot be used.
#[derive(Debug, Error)]
#[error("cannot use the data directory {}", path.display())]
pub struct StoreError {
    path: PathBuf,
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// The disk did not take what was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotCommitted;

impl Table {
    fn definition(self) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
        TableDefinition::new(match self {
            Self::Retained => "retained",
            Self::Sessions => "sessions",
            Self::SessionEntries => "session-entries",
        })
    }
}

impl Store {
    /// Opens the database of the directory; both are made if they are not there.
    ///
    /// # Errors
    /// It cannot be read or written, is not one, or another gateway has it open.
    pub(crate) fn open(directory: &Path) -> Result<Self, StoreError> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| StoreError {
            path: directory.to_owned(),
            source,
        };
        fs::create_dir_all(directory).map_err(|error| failed(error.into()))?;
        let database = Database::create(directory.join(FILE)).map_err(|error| failed(error.into()))?;
        let database = Arc::new(database);
        let on_disk = Arc::new(AtomicU64::new(0));
        let (changes, incoming) = mpsc::channel();
        let (written, counter) = (Arc::clone(&database), Arc::clone(&on_disk));
        let writer = thread::Builder::new()
            .name("manywire-store".into())
            .spawn(move || write_all(&written, &counter, &incoming))
            .map_err(|error: io::Error| failed(error.into()))?;
        Ok(Self {
            path: directory.to_owned(),
            database,
            handed_in: AtomicU64::new(0),
            on_disk,
            next_number: AtomicU64::new(0),
            frozen: AtomicBool::new(false),
            changes: Mutex::new(Some(changes)),
            writer: Mutex::new(Some(writer)),
        })
    }

    /// Everything in a table, in the order of the keys. Reads the disk: for the start.
    ///
    /// # Errors
    /// The database is broken.
    pub(crate) fn scan(&self, table: Table) -> Result<Entries, StoreError> {
        self.read(table).map_err(|error| StoreError {
            path: self.path.clone(),
            source: error.into(),
        })
    }

    fn read(&self, table: Table) -> Result<Entries, redb::Error> {
        let transaction = self.database.begin_read()?;
        let table = match transaction.open_table(table.definition()) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut all = Vec::new();
        for entry in table.iter()? {
            let (key, value) = entry?;
            all.push((key.value().to_vec(), value.value().to_vec()));
        }
        Ok(all)
    }

    /// Keeps a value.
    pub(crate) fn put(&self, table: Table, key: Vec<u8>, value: Vec<u8>) {
        self.hand_in(Change::Put { table, key, value });
    }

    /// Forgets a value.
    pub(crate) fn remove(&self, table: Table, key: Vec<u8>) {
        self.hand_in(Change::Remove { table, key });
    }

    /// Resolves when everything handed in before the call is on disk.
    pub(crate) fn committed(&self) -> impl Future<Output = Result<(), NotCommitted>> + Send + use<> {
        let (done, committed) = oneshot::channel();
        self.hand_in(Change::Barrier(done));
        async move {
            if committed.await == Ok(true) {
                Ok(())
            } else {
                Err(NotCommitted)
            }
        }
    }

    /// A number that is greater than those before it, also before a restart.
    fn next_number(&self) -> u64 {
        self.next_number.fetch_add(1, Ordering::Relaxed)
    }

    /// The number is on disk.
    fn number_is_taken(&self, number: u64) {
        self.next_number
            .fetch_max(number.saturating_add(1), Ordering::Relaxed);
    }

    /// From now on, dropping a [`Kept`] leaves it on disk.
    pub(crate) fn freeze(&self) {
        self.frozen.store(true, Ordering::Release);
    }

    fn is_frozen(&self) -> bool {
        self.frozen.load(Ordering::Acquire)
    }

    /// Whether everything handed in before the call is on disk already. After a failure it never is.
    pub(crate) fn is_clean(&self) -> bool {
        self.on_disk.load(Ordering::Acquire) == self.handed_in.load(Ordering::Acquire)
    }

    fn hand_in(&self, change: Change) {
        if let Some(changes) = &*self.changes.lock().unwrap_or_else(PoisonError::into_inner) {
            self.handed_in.fetch_add(1, Ordering::AcqRel);
            // Without the writer a barrier is dropped unanswered, which says that nothing was committed.
            let _ = changes.send(change);
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store(..)")
    }
}

/// Writes until the store is dropped: all changes that wait go into one transaction.
fn write_all(database: &Database, on_disk: &AtomicU64, incoming: &Receiver<Change>) {
    while let Ok(first) = incoming.recv() {
        let mut barriers = Vec::new();
        let batch: Vec<_> = std::iter::once(first)
            .chain(incoming.try_iter())
            .take(BATCH)
            .collect();
        let size = u64::try_from(batch.len()).unwrap_or(0);
        let outcome = write(database, batch, &mut barriers);
        if outcome.is_ok() {
            on_disk.fetch_add(size, Ordering::AcqRel);
        }
        if let Err(error) = &outcome {
            tracing::error!(%error, "the data directory does not take what is to be kept");
        }
        for barrier in barriers {
            // Whoever waited may have gone.
            let _ = barrier.send(outcome.is_ok());
        }
    }
}

fn write(
    database: &Database,
    batch: Vec<Change>,
    barriers: &mut Vec<oneshot::Sender<bool>>,
) -> Result<(), redb::Error> {
    let (mut puts, mut failed) = (Vec::new(), None);
    for change in batch {
        match change {
            Change::Barrier(barrier) => barriers.push(barrier),
            change => puts.push(change),
        }
    }
    if puts.is_empty() {
        return Ok(());
    }
    let transaction = database.begin_write()?;
    for change in puts {
        if let Err(error) = apply(&transaction, change) {
            failed = Some(error);
            break;
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(transaction.commit()?),
    }
}

fn apply(transaction: &redb::WriteTransaction, change: Change) -> Result<(), redb::Error> {
    match change {
        Change::Put { table, key, value } => {
            transaction
                .open_table(table.definition())?
                .insert(key.as_slice(), value.as_slice())?;
        }
        Change::Remove { table, key } => {
            transaction
                .open_table(table.definition())?
                .remove(key.as_slice())?;
        }
        Change::Barrier(_) => {}
    }
    Ok(())
}

/// The file in the data directory.
const FILE: &str = "gateway.redb";

/// The most changes in one transaction.
const BATCH: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_committed_is_there_after_reopening() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        store.put(Table::Retained, b"a".to_vec(), b"1".to_vec());
        store.put(Table::Retained, b"b".to_vec(), b"2".to_vec());
        store.remove(Table::Retained, b"a".to_vec());
        store.committed().await.unwrap();
        assert!(Store::open(directory.path()).is_err(), "only one at a time");
        drop(store);
        let store = Store::open(directory.path()).unwrap();
        assert_eq!(
            store.scan(Table::Retained).unwrap(),
            [(b"b".to_vec(), b"2".to_vec())]
        );
    }

    #[tokio::test]
    async fn many_who_wait_share_transactions() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let waiting = (0..1_000_u32).map(|number| {
            store.put(Table::Retained, number.to_be_bytes().to_vec(), vec![]);
            store.committed()
        });
        for committed in waiting.collect::<Vec<_>>() {
            committed.await.unwrap();
        }
        assert_eq!(store.scan(Table::Retained).unwrap().len(), 1_000);
    }
}
