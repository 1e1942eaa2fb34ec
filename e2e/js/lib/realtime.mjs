// PocketBase realtime in Node, and how to wait for what it brings.
import { setTimeout as sleep } from 'node:timers/promises';
import { EventSource } from 'eventsource';

globalThis.EventSource ??= EventSource;

/** Long enough for an event that is wrongly sent to arrive. */
export const QUIET_MS = 1_500;

const listening = new Set();

/** Subscribes and gives the list that the events are appended to. */
export async function watch(pb, collection, topic, options) {
  const events = [];
  listening.add(pb);
  await pb.collection(collection).subscribe(topic, (event) => { events.push(event); }, options);
  return events;
}

/** Closes every connection. The SDK's unsubscribe() would go on reconnecting to a server that is gone. */
export function hangUp() {
  for (const pb of listening) pb.realtime.disconnect();
  listening.clear();
}

/** Waits until `holds()`; false after limitMs. */
export async function eventually(holds, limitMs = 5_000) {
  const deadline = Date.now() + limitMs;
  while (!holds()) {
    if (Date.now() > deadline) return false;
    await sleep(25);
  }
  return true;
}
