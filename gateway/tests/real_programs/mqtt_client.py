"""paho-mqtt in use.

mqtt_client.py HOST PORT TRANSPORT VERSION ID KEY TOPIC QOS BASE64
Subscribes to TOPIC, publishes one message on it, prints "granted QOS" and "topic qos base64", and ends.
"""
import base64
import sys

import paho.mqtt.client as paho

host, port, transport, version, id, key, topic, qos, payload = sys.argv[1:]
client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=int(version), transport=transport)
client.username_pw_set(id, key)
if transport == "websockets":
    client.ws_set_options(path="/mqtt")


def on_connect(client, userdata, flags, reason, properties):
    if reason.is_failure:
        print("refused", reason, flush=True)
        client.disconnect()
    else:
        client.subscribe(topic, int(qos))


def on_subscribe(client, userdata, mid, reasons, properties):
    print("granted", reasons[0].value, flush=True)
    client.publish(topic, base64.b64decode(payload), int(qos))


def on_message(client, userdata, message):
    print(message.topic, message.qos, base64.b64encode(message.payload).decode(), flush=True)
    client.disconnect()


client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
client.connect(host, int(port))
client.loop_forever()
