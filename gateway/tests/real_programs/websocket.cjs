// The platform's documentation in use: npm `ws` subscribes to and publishes on a channel.
//   node websocket.cjs subscribe URL COUNT     prints "open", then each message in base64, one a line
//   node websocket.cjs publish URL BASE64      sends one message, then closes
const { createRequire } = require("module");
const WebSocket = createRequire(process.env.MANYWIRE_PEERS + "/")("ws");
const [mode, url, argument] = process.argv.slice(2);
const ws = new WebSocket(url);
let left = Number(argument);
ws.on("open", () => {
  console.log("open");
  if (mode === "publish") {
    ws.send(Buffer.from(argument, "base64"), () => ws.close(1000));
  }
});
ws.on("message", (data) => {
  console.log(Buffer.from(data).toString("base64"));
  if (--left === 0) ws.close(1000);
});
ws.on("unexpected-response", (_, response) => {
  console.log("refused " + response.statusCode);
  process.exit(1);
});
ws.on("error", (error) => {
  console.log("error " + error.message);
  process.exit(1);
});
ws.on("close", (code) => {
  console.log("close " + code);
  process.exit(0);
});
