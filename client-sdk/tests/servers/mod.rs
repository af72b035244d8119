//! Servers to test against: the gateway, and a real mosquitto where one is installed.

use std::{
    io::Write as _,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use manywire::{Client, ClientBuilder, Credentials, Reconnect};
use manywire_gateway::{Gateway, Running, Thing};

pub(crate) const CHANNEL: &str = "30315311-56ba-484d-b500-c1e08305511f";

/// A server that speaks MQTT and lets everybody use [`CHANNEL`].
pub(crate) enum Server {
    Gateway(Box<Running>),
    Mosquitto(Mosquitto),
}

impl Server {
    /// The gateway, and mosquitto if it is installed.
    pub(crate) async fn all() -> Vec<Self> {
        let thing = |id| Thing::new(id).uses(CHANNEL).unwrap();
        let gateway = Gateway::builder()
            .thing(thing("sender"), "sender-key")
            .thing(thing("receiver"), "receiver-key")
            .start()
            .await
            .unwrap();
        let mosquitto = Mosquitto::start("").await.map(Self::Mosquitto);
        [Self::Gateway(Box::new(gateway))]
            .into_iter()
            .chain(mosquitto)
            .collect()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        match self {
            Self::Gateway(gateway) => gateway.mqtt_address().unwrap(),
            Self::Mosquitto(mosquitto) => mosquitto.address,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Gateway(_) => "gateway",
            Self::Mosquitto(_) => "mosquitto",
        }
    }

    /// A client as this thing; `query` is empty or `?version=…`.
    pub(crate) fn client(&self, who: &str, query: &str) -> ClientBuilder {
        let mut quickly = Reconnect::default();
        quickly.base = Duration::from_millis(1);
        quickly.limit = Duration::from_millis(10);
        Client::builder(&format!("mqtt://{}{query}", self.address()))
            .unwrap()
            .credentials(Credentials::thing(who, format!("{who}-key")))
            .reconnect(quickly)
    }
}

/// A mosquitto of its own, ended when it is dropped.
pub(crate) struct Mosquitto {
    pub(crate) address: SocketAddr,
    child: Child,
    settings: PathBuf,
}

impl Mosquitto {
    /// With these settings beside its listener; `None`, said loudly, when it is not installed.
    pub(crate) async fn start(settings: &str) -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
        let Some(program) = folders
            .map(|folder| folder.join("mosquitto"))
            .find(|it| it.is_file())
        else {
            // Not `eprintln`, which is only seen when a test fails.
            let text = b"MISSING: mosquitto is not installed, so a test has tested nothing\n";
            std::io::stderr().write_all(text).unwrap();
            return None;
        };
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .port();
            let file =
                std::env::temp_dir().join(format!("manywire-{}-{}.conf", std::process::id(), number()));
            let text =
                format!("listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n{settings}\n");
            std::fs::write(&file, text).unwrap();
            let child = Command::new(&program)
                .arg("-c")
                .arg(&file)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut started = Self {
                address: (Ipv4Addr::LOCALHOST, port).into(),
                child,
                settings: file,
            };
            if started.is_up().await {
                return Some(started);
            }
        }
        panic!("mosquitto does not start");
    }

    /// Waits until it takes connections; false when it ended instead, since another program was faster with the port.
    async fn is_up(&mut self) -> bool {
        let up = async {
            loop {
                if self.child.try_wait().unwrap().is_some() {
                    return false;
                }
                if tokio::net::TcpStream::connect(self.address).await.is_ok() {
                    return true;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), up).await.unwrap()
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        self.child.wait().unwrap();
        std::fs::remove_file(&self.settings).unwrap();
    }
}

fn number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
