//! Real message brokers for tests: nats-server and RabbitMQ as Debian packages them.
//!
//! Each is started on free ports of the loopback interface with a folder of its own, and is gone with the process that
//! started it, however that ends. A program that is not installed is reported on standard error; `.ci/run` installs all.
//!
//! ```no_run
//! # fn main() -> std::io::Result<()> {
//! let Some(rabbit) = manywire_peers::RabbitMq::shared()? else {
//!     return Ok(()); // it has been said loudly that nothing is tested
//! };
//! println!("{} and {}", rabbit.amqp_url(), rabbit.mqtt_url());
//! # Ok(())
//! # }
//! ```

mod keeper;
mod nats;
mod place;
mod rabbitmq;

pub use self::nats::Nats;
pub use self::place::{find, free_port};
pub use self::rabbitmq::RabbitMq;
