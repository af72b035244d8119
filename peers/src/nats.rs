//! nats-server with JetStream, MQTT and WebSocket.

use std::io;
use std::path::PathBuf;

use crate::keeper::Keeper;
use crate::place::{find, folder, free_port, unique, write};

/// One nats-server.
#[derive(Debug)]
pub struct Nats {
    program: PathBuf,
    folder: PathBuf,
    ports: Ports,
    keeper: Option<Keeper>,
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    nats: u16,
    mqtt: u16,
    websocket: u16,
}

impl Nats {
    /// Starts one. `None`, and a word on standard error, when it is not installed.
    ///
    /// # Errors
    /// It does not start.
    pub fn start() -> io::Result<Option<Self>> {
        let Some(program) = find("nats-server") else {
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
            nats: free_port()?,
            mqtt: free_port()?,
            websocket: free_port()?,
        };
        let folder = folder(&unique)?;
        let Ports {
            nats,
            mqtt,
            websocket,
        } = ports;
        let store = folder.join("jetstream");
        let settings = format!(
            "server_name: \"peer-{unique}\"\nhost: 127.0.0.1\nport: {nats}\n\
             jetstream {{ store_dir: \"{}\", max_mem: 256M, max_file: 1G }}\n\
             mqtt {{ host: 127.0.0.1, port: {mqtt} }}\n\
             websocket {{ host: 127.0.0.1, port: {websocket}, no_tls: true }}\n",
            store.display()
        );
        write(&folder, "nats.conf", &settings)?;
        let mut server = Self {
            program,
            folder,
            ports,
            keeper: None,
        };
        server.again()?;
        Ok(server)
    }

    /// Kills it and keeps what it has on disk for [`again`](Self::again).
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
        let start = format!(
            "{} -c nats.conf 2>&1 &\npids=$!\necho $pids >pid",
            self.program.display()
        );
        self.keeper = Some(Keeper::start(&self.folder, &start, &[], "Server is ready")?);
        Ok(())
    }

    /// `nats://…`, its own protocol.
    pub fn nats_url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.ports.nats)
    }

    /// `mqtt://…`
    pub fn mqtt_url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.ports.mqtt)
    }

    /// `mqtt+ws://…`, MQTT over WebSocket.
    pub fn mqtt_ws_url(&self) -> String {
        format!("mqtt+ws://127.0.0.1:{}/mqtt", self.ports.websocket)
    }
}

const ATTEMPTS: usize = 3;
