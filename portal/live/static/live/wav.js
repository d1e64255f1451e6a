// What this browser still holds of a recording, as a file that any player opens.
import { Kind, Outbox, RATE } from "./outbox.js";

const HEAD_BYTES = 44;
const ENTRY_HEAD_BYTES = 5;
const KIND_AT = 4;
const AT_ONCE = 200;

const head = (bytes) => {
  const view = new DataView(new ArrayBuffer(HEAD_BYTES));
  const text = (at, letters) =>
    [...letters].forEach((letter, i) => {
      view.setUint8(at + i, letter.charCodeAt(0));
    });
  text(0, "RIFF");
  view.setUint32(4, HEAD_BYTES - 8 + bytes, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // mono
  view.setUint32(24, RATE, true);
  view.setUint32(28, RATE * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, bytes, true);
  return view.buffer;
};

/** A Blob with the audio of `recording` that is not on the server; pauses take no time in it. */
export const wav = async (recording) => {
  const pieces = [];
  for (const row of await Outbox.parts(recording)) {
    const outbox = new Outbox(row);
    for (let seq = row.acked; seq < row.next; seq += AT_ONCE) {
      for (const { message } of await outbox.read(seq, AT_ONCE)) {
        if (message[KIND_AT] === Kind.AUDIO) pieces.push(message.subarray(ENTRY_HEAD_BYTES));
      }
    }
  }
  const bytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  return new Blob([head(bytes), ...pieces], { type: "audio/wav" });
};
