// A backend behind Hookward: it prints the messages that it gets.
import { createServer } from "node:http";
import type { Delivery, Event } from "./model.ts";

const seen = new Set<string>(); // a real backend asks its database

function handle(event: Event): void {
  if (event.type === "message.received") {
    console.log(`${event.channel}: ${event.senderId} wrote ${JSON.stringify(event.message)}`);
  } else {
    console.log(`${event.channel}: ignored ${event.type}`);
  }
}

const port = Number(process.env.PORT ?? 9000);

createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  if (!["signature", "token"].includes(String(request.headers["x-hookward-assurance"]))) {
    response.writeHead(403).end("not through the gate");
    return;
  }
  const delivery = JSON.parse(Buffer.concat(chunks).toString()) as Delivery;
  for (const event of delivery.events) {
    const key = JSON.stringify([event.endpoint, event.id]);
    if (!seen.has(key)) {
      seen.add(key);
      handle(event);
    }
  }
  response.writeHead(204).end();
}).listen(port, "127.0.0.1", () => console.log("listening on 127.0.0.1", port));
