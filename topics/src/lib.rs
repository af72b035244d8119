//! Channels, subtopics and filters of SuperMQ, Magistrala and Mainflux, in every protocol's form: no_std.
#![no_std]
