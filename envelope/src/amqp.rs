//! The platform's names on RabbitMQ.
//!
//! Its adapters publish to one durable topic exchange with the routing key [`Form::Amqp`](manywire_topics::Form::Amqp)
//! prints; a subscription is a durable queue bound to it, whose name says what is subscribed to and by whom.

use core::fmt;

use manywire_topics::Dialect;

/// The durable exchange of type `topic` to which everything is published.
pub const EXCHANGE: &str = "messages";

/// The content type of an envelope.
pub const CONTENT_TYPE: &str = "application/octet-stream";

/// The binding key of a subscriber to everything.
pub const fn all_keys(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Channels => "channels.#",
        Dialect::Domains | Dialect::FluxMq => "m.#",
    }
}

/// The `app-id` of the platform's publishers, by which its operators tell them apart.
pub const fn app_id(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Channels => "magistrala-publisher",
        Dialect::Domains | Dialect::FluxMq => "supermq-publisher",
    }
}

/// The name of the durable queue with which the subscriber `id` reads what matches `filter`, which is written as
/// [`Form::Nats`](manywire_topics::Form::Nats) prints it: the platform names the queue before it turns the wildcards.
///
/// ```
/// use manywire_envelope::amqp;
///
/// assert_eq!(amqp::queue_name("channels.>", "writer").to_string(), "channels.>-writer");
/// ```
pub const fn queue_name<'a>(filter: &'a str, id: &'a str) -> QueueName<'a> {
    QueueName { filter, id }
}

/// The name of a durable queue; see [`queue_name`].
#[derive(Clone, Copy, Debug)]
pub struct QueueName<'a> {
    filter: &'a str,
    id: &'a str,
}

impl fmt::Display for QueueName<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.filter, self.id)
    }
}
