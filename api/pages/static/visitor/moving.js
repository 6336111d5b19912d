// The moving code (RC2:) of a pass: its signed bytes, the time, and a MAC that only this page can make.
// What it is made of is the still code (RC1:) and the key of the pass; the network is not asked.
const moving = (() => {
  "use strict";
  const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

  const fromBase45 = (text) => {
    const bytes = [];
    for (let at = 0; at < text.length; at += 3) {
      const group = [...text.slice(at, at + 3)].map((each) => ALPHABET.indexOf(each));
      const value = group[0] + 45 * group[1] + 2025 * (group[2] ?? 0);
      if (group.length === 3) bytes.push(value >> 8);
      bytes.push(value & 255);
    }
    return bytes;
  };
  const toBase45 = (bytes) => {
    let text = "";
    for (let at = 0; at < bytes.length; at += 2) {
      const isPair = at + 1 < bytes.length;
      let value = isPair ? bytes[at] * 256 + bytes[at + 1] : bytes[at];
      for (let count = isPair ? 3 : 2; count > 0; count -= 1) {
        text += ALPHABET[value % 45];
        value = Math.floor(value / 45);
      }
    }
    return text;
  };

  // CBOR: an array of three, a byte string, a number of four bytes, a byte string of eight.
  const stringHead = (length) => (length < 24 ? [0x40 | length] : length < 256 ? [0x58, length] : [0x59, length >> 8, length & 255]);

  const key = (text) => {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));
    return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  };

  const text = async (still, secret, seconds) => {
    const pass = fromBase45(still.slice(4));
    const time = new Uint8Array(8);
    new DataView(time.buffer).setBigUint64(0, BigInt(seconds));
    const mac = new Uint8Array(await crypto.subtle.sign("HMAC", secret, time)).slice(0, 8);
    return `RC2:${toBase45([0x83, ...stringHead(pass.length), ...pass, 0x1a, ...time.slice(4), 0x48, ...mac])}`;
  };

  // The path of the dark modules, and the side of the square with its quiet zone.
  const drawing = (shown) => {
    const code = qrcode(0, "M");
    code.addData(shown, "Alphanumeric");
    code.make();
    const side = code.getModuleCount();
    let path = "";
    for (let y = 0; y < side; y += 1) {
      for (let x = 0; x < side; x += 1) if (code.isDark(y, x)) path += `M${x + 2} ${y + 2}h1v1h-1z`;
    }
    return { path, side: side + 4 };
  };

  return { key, text, drawing };
})();
