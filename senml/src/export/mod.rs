//! Readings in the forms that other programs take.

mod csv;
mod influx;
mod primary;
