//! cargo-fuzz targets; their bodies are functions that cargo test replays.
