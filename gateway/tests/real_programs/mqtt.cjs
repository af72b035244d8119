// The platform's documentation in use: MQTT.js connects, subscribes, publishes.
//   node mqtt.cjs subscribe URL ID KEY TOPIC QOS COUNT    prints "subscribed QOS", then "topic base64" for each message
//   node mqtt.cjs publish URL ID KEY TOPIC QOS BASE64     publishes one message and waits for its acknowledgement
const { createRequire } = require("module");
const mqtt = createRequire(process.env.MANYWIRE_PEERS + "/")("mqtt");
const [mode, url, username, password, topic, qos, argument] = process.argv.slice(2);
const client = mqtt.connect(url, { username, password, reconnectPeriod: 0, connectTimeout: 10000 });
let left = Number(argument);
client.on("connect", () => {
  if (mode === "publish") {
    client.publish(topic, Buffer.from(argument, "base64"), { qos: Number(qos) }, (error) => {
      console.log(error ? "error " + error.message : "published");
      client.end(false, () => process.exit(error ? 1 : 0));
    });
    return;
  }
  client.subscribe(topic, { qos: Number(qos) }, (error, granted) => {
    if (error) {
      console.log("error " + error.message);
      process.exit(1);
    }
    console.log("subscribed " + granted[0].qos);
  });
});
client.on("message", (on, payload) => {
  console.log(on + " " + payload.toString("base64"));
  if (--left === 0) client.end(false, () => process.exit(0));
});
client.on("error", (error) => {
  console.log("error " + error.message + " " + error.code);
  console.error(mode, url, error);
  process.exit(1);
});
