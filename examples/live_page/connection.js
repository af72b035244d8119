// One connection, whichever library makes it: {subscribe(filter), publish(topic, text), close()}, each returning a promise,
// with `message(topic, text)` called for what arrives and `lost(reason)` when the connection is gone.

const libraries = {
  paho({ url, id, key, message, lost }) {
    const client = new Paho.Client(url, "page-" + crypto.randomUUID().slice(0, 8));
    const delivered = new Map();
    client.onConnectionLost = ({ errorCode, errorMessage }) => errorCode && lost(errorMessage);
    client.onMessageArrived = ({ destinationName, payloadString }) => message(destinationName, payloadString);
    client.onMessageDelivered = (sent) => delivered.get(sent)?.();
    const connection = {
      subscribe: (filter) => new Promise((onSuccess, refuse) =>
        client.subscribe(filter, { qos: 1, onSuccess, onFailure: ({ errorCode }) => refuse(new Error(`not subscribed (${errorCode})`)) })),
      publish: (topic, text) => new Promise((done) => {
        const sent = new Paho.Message(text);
        sent.destinationName = topic;
        sent.qos = 1;
        delivered.set(sent, () => { delivered.delete(sent); done(); });
        client.send(sent);
      }),
      close: async () => client.disconnect(),
    };
    return new Promise((resolve, reject) => client.connect({
      userName: id,
      password: key,
      mqttVersion: 4,
      onSuccess: () => resolve(connection),
      onFailure: ({ errorMessage }) => reject(new Error(errorMessage)),
    }));
  },

  async "mqtt.js"({ url, id, key, message, lost }) {
    const client = await mqtt.connectAsync(url, { username: id, password: key, protocolVersion: 5, reconnectPeriod: 0 }, false);
    client.on("message", (topic, payload) => message(topic, payload.toString()));
    client.on("close", () => lost("the connection is closed"));
    return {
      subscribe: (filter) => client.subscribeAsync(filter, { qos: 1 }),
      publish: (topic, text) => client.publishAsync(topic, text, { qos: 1 }),
      close: () => client.endAsync(),
    };
  },
};
