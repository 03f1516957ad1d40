// Encoding to Opus packets of 20 ms, and packing packets into a message.

const newEncoder = (bitrate, onPacket, onError) => {
  const encoder = new AudioEncoder({
    output: chunk => {
      const packet = new Uint8Array(chunk.byteLength);
      chunk.copyTo(packet);
      onPacket(packet);
    },
    error: onError,
  });
  encoder.configure({
    codec: 'opus', sampleRate, numberOfChannels: 1, bitrate,
    opus: { frameDuration: 20000, application: 'audio', usedtx: false },
  });
  return encoder;
};

const encode = (encoder, samples, position) => {
  const data = new AudioData({
    format: 'f32-planar', sampleRate, numberOfFrames: samplesPerPacket, numberOfChannels: 1,
    timestamp: position / sampleRate * 1e6, data: samples,
  });
  try {
    encoder.encode(data);
  } finally {
    data.close();
  }
};

const pack = packets => {
  const sizes = packets.map(packet => packet.length);
  const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
  let offset = 0;
  for (const packet of packets) {
    bytes.set(packet, offset);
    offset += packet.length;
  }
  return { bytes: bytes.toBase64(), sizes };
};
