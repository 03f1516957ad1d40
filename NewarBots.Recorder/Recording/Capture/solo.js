// Solo tracks: separate encoders in addition to the mix. A solo packet has the same position as the mix's. An error in a solo
// track never affects the mix.

const soloBitrate = 32000;

const newSoloTracks = () => {
  const solos = new Map(); // track number -> its ring, its encoder and its encoded packets
  const failed = new Set(), rejected = new Set();
  let batches = [], failures = [];

  const collect = (track, solo) => {
    if (solo.packets.length === 0) return;
    batches.push({ track, first: solo.first, ...pack(solo.packets) });
    solo.first += solo.packets.length;
    solo.packets = [];
  };

  const end = number => {
    const solo = solos.get(number);
    solos.delete(number);
    collect(number, solo);
    if (solo.encoder.state !== 'closed') solo.encoder.close();
  };

  const fail = (number, error) => {
    failed.add(number);
    failures.push({ track: number, error: String(error) });
    if (solos.has(number)) end(number);
  };

  const reject = number => {
    if (rejected.has(number)) return;
    rejected.add(number);
    failures.push({ track: number, error: `${maxSoloTracks} others are recorded at the same time` });
  };

  const start = (number, mixed) => {
    const solo = { first: mixed / samplesPerPacket, ring: newRing(), packets: [] };
    try {
      solo.encoder = newEncoder(soloBitrate, packet => solo.packets.push(packet), error => fail(number, error));
      solos.set(number, solo);
    } catch (error) {
      fail(number, error);
    }
  };

  return {
    add(number, samples, position, mixed) {
      if (maxSoloTracks === 0 || failed.has(number)) return;
      if (!solos.has(number) && solos.size >= maxSoloTracks) return reject(number);
      if (!solos.has(number)) start(number, mixed);
      solos.get(number)?.ring.add(samples, position, mixed);
    },
    encode(position) {
      for (const [number, solo] of solos) {
        try {
          solo.ring.take(position, samples => encode(solo.encoder, samples, position));
        } catch (error) {
          fail(number, error);
        }
      }
    },
    // The packets and failures since the last call.
    take() {
      for (const [number, solo] of solos) collect(number, solo);
      const taken = { solo: batches, trackFailures: failures };
      [batches, failures] = [[], []];
      return taken;
    },
    // Ends the solo tracks whose numbers are not given.
    keep(numbers) {
      for (const number of [...solos.keys()]) if (!numbers.has(number)) end(number);
    },
    async flush() {
      const flushed = [...solos.values()].map(({ encoder }) => encoder.flush().catch(() => {}));
      await Promise.race([Promise.all(flushed), new Promise(resolve => setTimeout(resolve, 500))]);
    },
    close() {
      for (const number of [...solos.keys()]) end(number);
    },
  };
};
