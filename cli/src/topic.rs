//! `manywire topic`: what a topic means, in every form, or why it is refused.

use std::fmt::Display;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use manywire_topics::{
    Action, AsPlatform, Dialect, Error, ErrorKind, Filter, Form, Health, Topic, parse_as_platform,
};
use serde_json::{Value, json};

use crate::dialect::DialectName;

/// Takes a topic apart and prints it in every protocol's form, as one JSON object; or says why it is refused.
///
/// A form that cannot carry the topic is null, and `refused` says why. Exits with 1 when the topic is refused.
#[derive(Debug, Args)]
pub(crate) struct TopicArgs {
    /// The generation of the platform whose rules hold.
    #[arg(long, value_enum, default_value_t = DialectName::Channels)]
    dialect: DialectName,
    #[command(flatten)]
    purpose: Purpose,
    /// Take it as a deployed platform does, with every meaning that it gives by accident.
    #[arg(long)]
    as_platform: bool,
    /// How TOPIC is written; without it, a leading `/`, a `%` or a `?` says path, and anything else is MQTT.
    #[arg(long, value_enum, conflicts_with = "as_platform")]
    form: Option<FormName>,
    /// The address, such as `channels/<id>/messages/bedroom/temperature`.
    topic: String,
}

/// What the topic is for: the rules differ.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Purpose {
    /// To send messages there: no wildcards.
    #[arg(long)]
    publish: bool,
    /// To receive the messages that come there.
    #[arg(long)]
    subscribe: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormName {
    /// A URL path.
    Path,
    /// An MQTT topic or filter.
    Mqtt,
    /// A NATS subject.
    Nats,
    /// An AMQP routing or binding key.
    Amqp,
}

/// The forms and their names in the output.
const FORMS: [(&str, Form); 4] = [
    ("path", Form::Path),
    ("mqtt", Form::Mqtt),
    ("nats", Form::Nats),
    ("amqp", Form::Amqp),
];

/// Prints one JSON object on standard output.
pub(crate) fn run(args: &TopicArgs) -> ExitCode {
    let dialect = args.dialect.into();
    let described = if args.as_platform {
        let action = if args.purpose.publish {
            Action::Publish
        } else {
            Action::Subscribe
        };
        parse_as_platform(dialect, action, &args.topic).map(|address| describe_as_platform(&address))
    } else {
        describe(dialect, args.form(), args.purpose.publish, &args.topic)
    };
    match described {
        Ok(object) => {
            println!("{object}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!(
                "{}",
                json!({"error": name(error.kind()), "at": error.at(), "rule": error.rule()})
            );
            ExitCode::FAILURE
        }
    }
}

impl TopicArgs {
    fn form(&self) -> Form {
        match self.form {
            Some(FormName::Path) => Form::Path,
            Some(FormName::Mqtt) => Form::Mqtt,
            Some(FormName::Nats) => Form::Nats,
            Some(FormName::Amqp) => Form::Amqp,
            None if self.topic.starts_with('/') || self.topic.contains(['%', '?']) => Form::Path,
            None => Form::Mqtt,
        }
    }
}

fn describe(dialect: Dialect, form: Form, publish: bool, text: &str) -> Result<Value, Error> {
    let health = Health::parse(dialect, form, text);
    if let Ok(health) = health {
        let object = object(Some(health.domain()), None, None);
        return Ok(with_forms(object, |form| match form {
            Form::Path | Form::Mqtt => Ok(Some(health.to_string())),
            Form::Nats | Form::Amqp => Ok(None),
        }));
    }
    let filter = if publish {
        Filter::from(Topic::parse(dialect, form, text).map_err(|error| explain(error, health))?)
    } else {
        Filter::parse(dialect, form, text).map_err(|error| explain(error, health))?
    };
    let channel = filter.channel();
    let object = object(channel.domain(), Some(channel.id()), Some(&filter.subtopic()));
    let print = |filter: Filter<'_>, form| match filter.as_topic() {
        Some(topic) if publish => topic.display(form).map(|printed| printed.to_string()),
        _ => filter.display(form).map(|printed| printed.to_string()),
    };
    let mut object = with_forms(object, |form| print(filter, form).map(Some));
    // Where one filter is not enough, the other one.
    for (name, form) in FORMS {
        if let Some(Ok(also)) = filter.also(form).map(|also| print(also, form)) {
            add(&mut object, "also", name, also.into());
        }
    }
    Ok(object)
}

/// For what looks like a health topic, why it is none.
fn explain(error: Error, health: Result<Health<'_>, Error>) -> Error {
    match health {
        Err(why) if error.kind() == ErrorKind::Health => why,
        _ => error,
    }
}

fn describe_as_platform(address: &AsPlatform<'_>) -> Value {
    let subtopic = address.subtopic();
    let channel = address.channel();
    let subtopic = channel.is_some().then_some(&subtopic as &dyn Display);
    let object = object(address.domain(), channel, subtopic);
    with_forms(object, |form| {
        Ok(address.display(form).map(|printed| printed.to_string()))
    })
}

fn object(domain: Option<&str>, channel: Option<&str>, subtopic: Option<&dyn Display>) -> Value {
    json!({
        "domain": domain,
        "channel": channel,
        "subtopic": subtopic.map(|subtopic| subtopic.to_string()),
    })
}

/// Adds the address in every form; a refusal is null, and its rule goes under `refused`.
fn with_forms(mut object: Value, print: impl Fn(Form) -> Result<Option<String>, Error>) -> Value {
    for (name, form) in FORMS {
        let printed = print(form).unwrap_or_else(|error| {
            add(&mut object, "refused", name, error.rule().into());
            None
        });
        if let Some(fields) = object.as_object_mut() {
            fields.insert(name.to_owned(), printed.into());
        }
    }
    object
}

/// Adds a field to the object under `key`, which is made if need be.
fn add(object: &mut Value, key: &str, name: &str, value: Value) {
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    let inner = fields.entry(key).or_insert_with(|| json!({}));
    if let Some(inner) = inner.as_object_mut() {
        inner.insert(name.to_owned(), value);
    }
}

/// `PlusIsSpace` as `plus-is-space`.
fn name(kind: ErrorKind) -> String {
    let mut name = String::new();
    for char in format!("{kind:?}").chars() {
        if char.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.extend(char.to_lowercase());
    }
    name
}
