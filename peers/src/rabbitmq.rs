//! RabbitMQ with its MQTT plugins.

use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;

use crate::keeper::Keeper;
use crate::place::{find, folder, free_port, unique, write};

/// One RabbitMQ, with `guest` and `guest` as its user.
#[derive(Debug)]
pub struct RabbitMq {
    program: PathBuf,
    folder: PathBuf,
    node: String,
    ports: Ports,
    keeper: Option<Keeper>,
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    amqp: u16,
    mqtt: u16,
    web_mqtt: u16,
    /// Erlang's own: every node talks to others, if only to its command line.
    distribution: u16,
    /// Erlang's directory of nodes. Each server has its own, so that none is left behind.
    epmd: u16,
}

impl RabbitMq {
    /// The one that the tests of this process share: it takes seconds to start. `None`, and a word on standard error, when it
    /// is not installed.
    ///
    /// # Errors
    /// It does not start.
    pub fn shared() -> io::Result<Option<&'static Self>> {
        static SHARED: OnceLock<Result<Option<RabbitMq>, String>> = OnceLock::new();
        match SHARED.get_or_init(|| Self::start().map_err(|error| error.to_string())) {
            Ok(server) => Ok(server.as_ref()),
            Err(error) => Err(io::Error::other(error.as_str())),
        }
    }

    /// Starts one of one's own, to be killed at will.
    ///
    /// # Errors
    /// It does not start.
    pub fn start() -> io::Result<Option<Self>> {
        let (Some(program), Some(_)) = (find("rabbitmq-server"), find("epmd")) else {
            return Ok(None);
        };
        let mut outcome = Self::on_free_ports(program.clone());
        // Somebody else may have been quicker to take a port that was free.
        for _ in 0..ATTEMPTS {
            if outcome.is_ok() {
                break;
            }
            outcome = Self::on_free_ports(program.clone());
        }
        outcome.map(Some)
    }

    fn on_free_ports(program: PathBuf) -> io::Result<Self> {
        let unique = unique();
        let ports = Ports {
            amqp: free_port()?,
            mqtt: free_port()?,
            web_mqtt: free_port()?,
            distribution: free_port()?,
            epmd: free_port()?,
        };
        let folder = folder(&unique)?;
        let settings = format!(
            "listeners.tcp.1 = 127.0.0.1:{}\nloopback_users = none\n\
             mqtt.listeners.tcp.1 = 127.0.0.1:{}\nmqtt.allow_anonymous = true\n\
             mqtt.default_user = guest\nmqtt.default_pass = guest\n\
             web_mqtt.tcp.ip = 127.0.0.1\nweb_mqtt.tcp.port = {}\n\
             log.console = true\nlog.console.level = info\nlog.file = false\n",
            ports.amqp, ports.mqtt, ports.web_mqtt
        );
        write(&folder, "rabbitmq.conf", &settings)?;
        write(&folder, "enabled_plugins", "[rabbitmq_mqtt,rabbitmq_web_mqtt].\n")?;
        let mut server = Self {
            program,
            folder,
            node: format!("peer-{unique}@localhost"),
            ports,
            keeper: None,
        };
        server.again()?;
        Ok(server)
    }

    /// Kills it, as a power cut would, and keeps what it has on disk for [`again`](Self::again).
    ///
    /// # Errors
    /// It cannot be told to end.
    pub fn kill(&mut self) -> io::Result<()> {
        self.keeper.take().map_or(Ok(()), |mut keeper| keeper.stop(true))
    }

    /// Starts it again on its ports and with its data.
    ///
    /// # Errors
    /// It does not start.
    pub fn again(&mut self) -> io::Result<()> {
        // epmd in the foreground, because what becomes a daemon cannot be found again. `pid` is what RabbitMQ writes itself.
        let start = format!(
            "epmd -address 127.0.0.1 -port $ERL_EPMD_PORT >/dev/null 2>&1 &\nepmd=$!\n\
             : >pid\n{} 2>&1 &\npids=\"$! $epmd\"",
            self.program.display()
        );
        let environment = self.environment();
        self.keeper = Some(Keeper::start(
            &self.folder,
            &start,
            &environment,
            "Server startup complete",
        )?);
        Ok(())
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let loopback = "-kernel inet_dist_use_interface {127,0,0,1}".to_owned();
        let file = |name: &str| self.folder.join(name).display().to_string();
        vec![
            ("HOME", file("")),
            ("HOSTNAME", "localhost".to_owned()),
            ("RABBITMQ_NODENAME", self.node.clone()),
            ("RABBITMQ_CONFIG_FILE", file("rabbitmq.conf")),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", file("enabled_plugins")),
            ("RABBITMQ_MNESIA_BASE", file("mnesia")),
            ("RABBITMQ_LOG_BASE", file("log")),
            ("RABBITMQ_LOGS", "-".to_owned()),
            ("RABBITMQ_PID_FILE", file("pid")),
            ("RABBITMQ_DIST_PORT", self.ports.distribution.to_string()),
            ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", loopback),
            ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
            ("ERL_EPMD_PORT", self.ports.epmd.to_string()),
        ]
    }

    /// `amqp://…`, AMQP 0-9-1.
    pub fn amqp_url(&self) -> String {
        format!("amqp://127.0.0.1:{}", self.ports.amqp)
    }

    /// `mqtt://…`
    pub fn mqtt_url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.ports.mqtt)
    }

    /// `mqtt+ws://…`, MQTT over WebSocket.
    pub fn mqtt_ws_url(&self) -> String {
        format!("mqtt+ws://127.0.0.1:{}/ws", self.ports.web_mqtt)
    }
}

const ATTEMPTS: usize = 3;
