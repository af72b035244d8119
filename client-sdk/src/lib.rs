//! Publish and subscribe on the channels of SuperMQ, Magistrala and Mainflux over HTTP, MQTT, WebSocket and CoAP.
