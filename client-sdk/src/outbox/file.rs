//! An outbox in a file: redb, written by a thread of its own.

use std::{
    collections::HashSet,
    fmt,
    num::NonZeroU16,
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, SystemTime},
};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use super::{Exchange, Recovered, Store, Stored, record};
use crate::{
    engine::slot::Slot,
    error::{Error, ErrorKind},
    message::Message,
};

/// Messages, by the order of their acceptance.
const MESSAGES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("messages");
/// Those that may have been sent and must not be sent anew: the number of the exchange, and how far it got.
const EXCHANGES: TableDefinition<'_, u64, (u16, bool)> = TableDefinition::new("exchanges");

pub(super) struct FileStore {
    shared: Arc<Shared>,
    next: u64,
    writer: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    commands: Vec<Command>,
    /// How long a write may be put off.
    interval: Duration,
    closing: bool,
    notify: Option<Arc<dyn Fn() + Send + Sync>>,
}

enum Command {
    Put {
        key: u64,
        record: Vec<u8>,
        stored: Stored,
    },
    Mark {
        key: u64,
        exchange: Exchange,
        stored: Stored,
    },
    Remove {
        key: u64,
    },
}

impl FileStore {
    pub(super) fn open(path: &Path) -> Result<(Self, Vec<Recovered>), Error> {
        let database = Database::create(path).map_err(storage)?;
        let recovered = read(&database).map_err(storage)?;
        let shared = Arc::new(Shared::default());
        let writer = {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new()
                .name("manywire-outbox".to_owned())
                .spawn(move || shared.write(&database))
                .map_err(storage)?
        };
        let next = recovered.last().map_or(0, |last| last.key + 1);
        Ok((
            Self {
                shared,
                next,
                writer: Some(writer),
            },
            recovered,
        ))
    }

    fn command(&self, command: Command) {
        self.shared.lock().commands.push(command);
        self.shared.work.notify_one();
    }
}

impl Store for FileStore {
    fn put(&mut self, message: &Message) -> (u64, Stored) {
        let key = self.next;
        self.next += 1;
        let stored = Slot::new();
        if !self.shared.lock().interval.is_zero() {
            stored.fill(Ok(()));
        }
        let record = record::encode(message, SystemTime::now());
        self.command(Command::Put {
            key,
            record,
            stored: Arc::clone(&stored),
        });
        (key, stored)
    }

    fn mark(&mut self, key: u64, exchange: Exchange) -> Stored {
        let stored = Slot::new();
        self.command(Command::Mark {
            key,
            exchange,
            stored: Arc::clone(&stored),
        });
        stored
    }

    fn remove(&mut self, key: u64) {
        self.command(Command::Remove { key });
    }

    fn notify_with(&mut self, notify: Box<dyn Fn() + Send + Sync>) {
        self.shared.lock().notify = Some(Arc::from(notify));
    }

    fn sync_every(&mut self, interval: Duration) {
        self.shared.lock().interval = interval;
    }
}

impl Drop for FileStore {
    /// What was asked for is written before the file is closed.
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.work.notify_one();
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has nothing left to say.
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore")
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// Writes what is asked for until the end: everything that waits, in one transaction.
    fn write(&self, database: &Database) {
        let mut postponed: Vec<u64> = Vec::new();
        while let Some((commands, notify)) = self.take() {
            let outcome = write(database, &commands, &postponed).map_err(storage);
            let removals = commands.iter().filter_map(|command| match command {
                Command::Remove { key } => Some(*key),
                _ => None,
            });
            match outcome {
                Ok(()) => postponed.clear(),
                // A message that is delivered and stays in the file would be delivered again.
                Err(_) => postponed.extend(removals),
            }
            for command in commands {
                if let Command::Put { stored, .. } | Command::Mark { stored, .. } = command {
                    stored.fill(outcome.clone());
                }
            }
            if let Some(notify) = notify {
                notify();
            }
        }
    }

    /// Waits for something to write; `None` at the end.
    #[expect(clippy::type_complexity, reason = "a pair that is taken apart at once")]
    fn take(&self) -> Option<(Vec<Command>, Option<Arc<dyn Fn() + Send + Sync>>)> {
        let mut state = self.lock();
        while state.commands.is_empty() {
            if state.closing {
                return None;
            }
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let interval = state.interval;
        if !interval.is_zero() {
            // Nothing of it is urgent unless a message waits for its mark.
            let may_wait = |state: &mut State| {
                !state.closing
                    && !state
                        .commands
                        .iter()
                        .any(|command| matches!(command, Command::Mark { .. }))
            };
            let waited = self.work.wait_timeout_while(state, interval, may_wait);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Some((std::mem::take(&mut state.commands), state.notify.clone()))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(database: &Database) -> Result<Vec<Recovered>, redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(MESSAGES)?;
    transaction.open_table(EXCHANGES)?;
    transaction.commit()?;
    let transaction = database.begin_read()?;
    let exchanges = transaction.open_table(EXCHANGES)?;
    let now = SystemTime::now();
    let mut recovered = Vec::new();
    for entry in transaction.open_table(MESSAGES)?.iter()? {
        let (key, record) = entry?;
        let key = key.value();
        let message = record::decode(record.value(), now)
            .ok_or_else(|| redb::Error::Corrupted(format!("record {key} is no message")))?;
        let exchange = exchanges.get(key)?.map(|noted| noted.value());
        let exchange = exchange.map(|(number, received)| {
            NonZeroU16::new(number)
                .map(|number| Exchange { number, received })
                .ok_or_else(|| redb::Error::Corrupted(format!("exchange {key} has no number")))
        });
        recovered.push(Recovered {
            key,
            message,
            exchange: exchange.transpose()?,
        });
    }
    Ok(recovered)
}

fn write(database: &Database, commands: &[Command], postponed: &[u64]) -> Result<(), redb::Error> {
    // What comes and goes in one transaction need not be written at all.
    let removed = commands.iter().filter_map(|command| match command {
        Command::Remove { key } => Some(*key),
        _ => None,
    });
    let removed: HashSet<u64> = removed.chain(postponed.iter().copied()).collect();
    let transaction = database.begin_write()?;
    {
        let mut messages = transaction.open_table(MESSAGES)?;
        let mut exchanges = transaction.open_table(EXCHANGES)?;
        for command in commands {
            match command {
                Command::Put { key, record, .. } if !removed.contains(key) => {
                    messages.insert(key, record.as_slice())?;
                }
                Command::Mark { key, exchange, .. } if !removed.contains(key) => {
                    exchanges.insert(key, (exchange.number.get(), exchange.received))?;
                }
                _ => {}
            }
        }
        for key in removed {
            messages.remove(key)?;
            exchanges.remove(key)?;
        }
    }
    transaction.commit()?;
    Ok(())
}

fn storage(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::caused_by(ErrorKind::Storage, error)
}
