/**
 * AWS's event streams, for clients that read Bedrock's without AWS's own: frames of a length, headers and a payload.
 * https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html
 */

import { isObject } from "./reply.js";

/** Lengths of the frame and of its headers, and their checksum. */
const PRELUDE_BYTES = 12;
const CHECKSUM_BYTES = 4;
/** Bytes of a frame; AWS's are smaller. Of a stream with a longer one nothing more is read. */
const FRAME_BYTES_MAX = 16 * 1024 * 1024;

export class Frames {
  private open = new Uint8Array();

  /** The documents in the frames that `piece` completes. */
  push(piece: Uint8Array): unknown[] {
    const bytes = new Uint8Array(this.open.length + piece.length);
    bytes.set(this.open);
    bytes.set(piece, this.open.length);
    const view = new DataView(bytes.buffer);
    const documents: unknown[] = [];
    let start = 0;
    while (bytes.length - start >= PRELUDE_BYTES) {
      const length = view.getUint32(start);
      if (length < PRELUDE_BYTES + CHECKSUM_BYTES || length > FRAME_BYTES_MAX) return documents;
      if (bytes.length - start < length) break;
      const payload = start + PRELUDE_BYTES + view.getUint32(start + 4);
      documents.push(documentIn(bytes.slice(payload, start + length - CHECKSUM_BYTES)));
      start += length;
    }
    this.open = bytes.slice(start);
    return documents;
  }
}

/** InvokeModel wraps the model's own event in base 64. */
function documentIn(payload: Uint8Array): unknown {
  try {
    const document: unknown = JSON.parse(new TextDecoder().decode(payload));
    if (!isObject(document) || typeof document.bytes !== "string") return document;
    const inner = Uint8Array.from(atob(document.bytes), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(inner));
  } catch {
    return undefined;
  }
}
