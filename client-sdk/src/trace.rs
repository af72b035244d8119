//! What is told to `tracing`, when that feature is on. Never a payload, never a secret.

#[cfg(feature = "tracing")]
pub(crate) use tracing::{debug, warn};

#[cfg(not(feature = "tracing"))]
macro_rules! nothing {
    ($($field:ident = %$value:expr,)* $(?$value_debug:ident,)* $message:literal) => {{
        $(let _ = &$value;)*
        $(let _ = &$value_debug;)*
    }};
}

#[cfg(not(feature = "tracing"))]
#[allow(unused_imports, reason = "which of them is used depends on the transports")]
pub(crate) use {nothing as debug, nothing as warn};
