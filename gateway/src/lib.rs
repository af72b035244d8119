//! The messaging of SuperMQ, Magistrala and Mainflux in one process: HTTP, MQTT, WebSocket and CoAP.
