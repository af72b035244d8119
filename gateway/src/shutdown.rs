//! Telling every task to finish.

use tokio::sync::watch;

/// The side that stops.
#[derive(Debug)]
pub(crate) struct ShutdownControl(watch::Sender<bool>);

/// The side that is stopped.
#[derive(Clone, Debug)]
pub(crate) struct Shutdown(watch::Receiver<bool>);

impl ShutdownControl {
    pub(crate) fn new() -> (Self, Shutdown) {
        let (request, requested) = watch::channel(false);
        (Self(request), Shutdown(requested))
    }

    /// Asks every holder of a [`Shutdown`] to finish.
    pub(crate) fn request(&self) {
        self.0.send_replace(true);
    }
}

impl Shutdown {
    /// Waits until the gateway is to stop. Cancel safe.
    pub(crate) async fn requested(&self) {
        let mut requested = self.0.clone();
        // An error means that the control is gone, which is a request too.
        let _ = requested.wait_for(|requested| *requested).await;
    }
}
