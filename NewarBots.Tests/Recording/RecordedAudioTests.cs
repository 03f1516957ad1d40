using System.Globalization;
using NewarBots.Contract;
using NewarBots.Manager.Recordings;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Lives;
using NewarBots.Tests.Rehearsal;

namespace NewarBots.Tests.Recording;

/// <summary>The recorder in its container, in calls that are hard to record.</summary>
[Trait(LifeTests.Group, CallTests.Name)]
public sealed class RecordedAudioTests
{
    [Fact]
    public async Task A_call_with_a_strict_policy_a_swapped_connection_and_a_busy_page_is_recorded_throughout()
    {
        await using var recorder = await RealRecorder.StartAsync(
            CallPage.Html("""
                await recorded;
                const leave = await connect(500);
                await leave.connected;
                await after(5);
                leave();
                await (await connect(1500)).connected;
                await after(3);
                for (const busy = performance.now(); performance.now() - busy < 2000;);
                await (await connect(2500)).connected;
                await after(4);
                document.body.textContent = 'Your host ended the meeting for everyone';
                """),
            CallPage.StrictPolicy);

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());

        var audio = await recorder.AudioAsync();
        recorder.AssertHeard(audio, 500, seconds: 4);
        recorder.AssertHeard(audio, 1500, seconds: 7.5);
        recorder.AssertHeard(audio, 2500, seconds: 3);
        recorder.AssertOnlyStalls();
        Assert.Equal(EndReason.MeetingEnded, recorder.Statuses()[^1].Reason);
    }

    [Fact]
    public async Task Stereo_whose_channels_cancel_each_other_is_recorded_and_other_stereo_is_mixed()
    {
        await using var recorder = await RealRecorder.StartAsync(CallPage.Html("""
            const connectStereo = async (hz, right) => {
              const [near, far] = [new RTCPeerConnection(), new RTCPeerConnection()];
              near.onicecandidate = event => far.addIceCandidate(event.candidate);
              far.onicecandidate = event => near.addIceCandidate(event.candidate);
              const tone = new OscillatorNode(voices, { frequency: hz }), merged = new ChannelMergerNode(voices, { numberOfInputs: 2 });
              [0.2, 0.2 * right].forEach((gain, channel) => tone.connect(new GainNode(voices, { gain })).connect(merged, 0, channel));
              const out = new MediaStreamAudioDestinationNode(voices, { channelCount: 2 });
              merged.connect(out);
              tone.start();
              far.addTransceiver(out.stream.getAudioTracks()[0], { streams: [out.stream] });
              const stereo = ({ type, sdp }) => ({ type, sdp: sdp.replace('useinbandfec=1', 'useinbandfec=1;stereo=1') });
              await far.setLocalDescription();
              await near.setRemoteDescription(stereo(far.localDescription));
              await near.setLocalDescription(stereo(await near.createAnswer()));
              await far.setRemoteDescription(near.localDescription);
            };
            await recorded;
            await connectStereo(500, -1);
            await connectStereo(1500, 1);
            await connectStereo(2500, 0.5);
            await after(8);
            document.body.textContent = 'Your host ended the meeting for everyone';
            """));

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());
        var audio = await recorder.AudioAsync();
        Assert.All([500, 1500, 2500], hz => recorder.AssertHeard(audio, hz, seconds: 4));
        recorder.AssertOnlyStalls();
    }

    [Fact]
    public async Task Everything_until_the_bot_leaves_is_recorded_at_its_time()
    {
        await using var recorder = await RealRecorder.StartAsync(CallPage.Html("""
            await recorded;
            const first = await connect(500), second = await connect(1500, 0);
            await Promise.all([first.connected, second.connected]);
            await after(8);
            first.level.gain.value = 0;
            second.level.gain.value = 0.2;
            await fetch('/', { method: 'POST', body: Date.now() });
            """));
        await Eventually.TrueAsync(() => recorder.Posts.Count > 0, TimeSpan.FromMinutes(2));
        await recorder.UntilRecordedAsync(recorder.Statuses()[^1].RecordedSeconds!.Value + 3);
        await recorder.StopAsync();

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());
        var audio = await recorder.AudioAsync();
        var length = (double)audio.Length / AudioFile.SampleRate;
        var startedAt = ChunkReader.Read(recorder.Chunks().First(), 0).StartedAt!.Value;
        // The last 0.3 s are still in the jitter buffer and the mix when the bot decides to leave.
        Assert.InRange(startedAt.AddSeconds(length), recorder.Statuses().First(status => status.Status is BotStatus.Leaving).At, DateTimeOffset.MaxValue);
        Assert.Empty(Tone.Holes(audio, 1500, length - 0.2, length, recorder.Gaps()));
        var switchedAt = DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(recorder.Posts.Single().Body, CultureInfo.InvariantCulture));
        var heardAt = startedAt.AddSeconds(audio.Chunk(4_800).TakeWhile(part => Tone.LongestSeconds(part, 1500) == 0).Count() / 10.0);
        Assert.InRange((heardAt - switchedAt).TotalSeconds, -0.3 - recorder.SecondsStalled(), 0.3 + recorder.SecondsStalled());
    }

    [Fact]
    public async Task Speakers_including_a_quiet_one_get_the_names_that_the_page_marks()
    {
        await using var recorder = await RealRecorder.StartAsync(CallPage.Html("""
            const [ada, grace] = ['Ada', 'Grace'].map(name => {
              const tile = document.createElement('div'), text = document.createElement('span');
              tile.dataset.participantId = name;
              text.className = 'notranslate';
              text.textContent = name;
              tile.append(text);
              document.body.append(tile);
              return tile;
            });
            const speak = async (voice, tile, gain) => {
              voice.level.gain.value = gain;
              tile.classList.add('speaking');
              await after(4);
              voice.level.gain.value = 0;
              tile.classList.remove('speaking');
              await after(2);
            };
            await recorded;
            const first = await connect(500, 0), second = await connect(1500, 0);
            await Promise.all([first.connected, second.connected]);
            await after(5);
            await speak(first, ada, 0.2);
            await speak(second, grace, 0.0141);
            document.body.textContent = 'Your host ended the meeting for everyone';
            """));

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());

        var status = recorder.Statuses()[^1];
        // Both speak for 4 s, after 5 s of silence and before 2 s of it.
        Assert.InRange(status.AudibleSeconds!.Value, 7 - recorder.SecondsStalled(), status.RecordedSeconds!.Value - 7);
        var speakers = Speakers.Of(recorder.Speeches(), status.RecordedSeconds!.Value + 1);
        Assert.Equal([("track:1", "Ada"), ("track:2", "Grace")], speakers.Select(speaker => (speaker.Source, speaker.Name)));
        Assert.All(speakers, speaker => Assert.InRange(speaker.SpokenSeconds, 3.5 - recorder.SecondsStalled(), double.MaxValue));
        Assert.InRange(speakers[0].Segments[0].Level, -20, -14);
        Assert.InRange(speakers[1].Segments[0].Level, -43, -37);
        Assert.InRange(speakers[1].Segments[0].StartSeconds - speakers[0].Segments[^1].EndSeconds, 1, double.MaxValue);
        recorder.AssertOnlyStalls();
    }

    [Fact]
    public async Task A_buffer_from_before_the_recording_causes_no_gap()
    {
        await using var recorder = await RealRecorder.StartAsync(CallPage.Html("""
            const Processor = MediaStreamTrackProcessor;
            const aMinuteAgo = data => {
              const samples = new Float32Array(data.numberOfFrames);
              data.copyTo(samples, { planeIndex: 0, format: 'f32-planar' });
              return new AudioData({
                format: 'f32-planar', sampleRate: data.sampleRate, numberOfFrames: data.numberOfFrames, numberOfChannels: 1,
                timestamp: data.timestamp - 60e6, data: samples,
              });
            };
            window.MediaStreamTrackProcessor = class {
              constructor(settings) {
                let isFirst = true;
                this.readable = new Processor(settings).readable.pipeThrough(new TransformStream({
                  transform(data, heard) {
                    if (isFirst) heard.enqueue(aMinuteAgo(data));
                    isFirst = false;
                    heard.enqueue(data);
                  },
                }));
              }
            };
            await recorded;
            await (await connect(500)).connected;
            await after(4);
            document.body.textContent = 'Your host ended the meeting for everyone';
            """));

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());

        recorder.AssertHeard(await recorder.AudioAsync(), 500, seconds: 3);
        recorder.AssertOnlyStalls();
        // The buffer would make it a minute.
        Assert.InRange(recorder.SecondsStalled(), 0, 10);
    }

    [Fact]
    public async Task Buffers_that_a_busy_page_reads_late_are_neither_lost_nor_a_gap()
    {
        await using var recorder = await RealRecorder.StartAsync(CallPage.Html("""
            const Processor = MediaStreamTrackProcessor;
            // Buffers arrive up to 1.2 s late, together, while timers run on time.
            window.MediaStreamTrackProcessor = class {
              constructor(settings) {
                let held = [], number = 0;
                this.readable = new Processor(settings).readable.pipeThrough(new TransformStream({
                  transform(data, late) {
                    held.push(data);
                    if (++number % 200 < 80) return;
                    held.forEach(buffer => late.enqueue(buffer));
                    held = [];
                  },
                }, new CountQueuingStrategy({ highWaterMark: 1000 }), new CountQueuingStrategy({ highWaterMark: 1000 })));
              }
            };
            await recorded;
            await (await connect(500)).connected;
            await after(10);
            document.body.textContent = 'Your host ended the meeting for everyone';
            """));

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());

        // Late deliveries would lose about 2 s, in no gap.
        recorder.AssertHeard(await recorder.AudioAsync(), 500, seconds: 9);
        recorder.AssertOnlyStalls();
    }

    [Fact]
    public async Task A_muted_track_and_a_track_without_data_cause_no_stall()
    {
        await using var recorder = await RealRecorder.StartAsync(CallPage.Html("""
            await recorded;
            const muted = await connect(500), cut = await connect(1500);
            await Promise.all([muted.connected, cut.connected]);
            await after(4);
            await Promise.all([muted.mute(true), cut.cut(true)]);
            await after(6);
            await Promise.all([muted.mute(false), cut.cut(false)]);
            await after(4);
            document.body.textContent = 'Your host ended the meeting for everyone';
            """));

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());

        // A busy machine may cause short gaps; a stall would be one of 6 s.
        Assert.DoesNotContain(recorder.Gaps(), gap => gap.EndSeconds - gap.StartSeconds > 4);
        recorder.AssertOnlyStalls();
        // Both tones are heard before and after the pause, for 4 s each time.
        var audio = await recorder.AudioAsync();
        recorder.AssertHeard(audio, 500, seconds: 6);
        recorder.AssertHeard(audio, 1500, seconds: 6);
        Assert.InRange(audio.Length / 48_000.0, 13.5, double.MaxValue);
    }

    [Fact]
    public async Task A_track_that_delivers_nothing_until_it_or_the_recording_ends_leaves_a_gap()
    {
        await using var recorder = await RealRecorder.StartAsync(CallPage.Html("""
            const Processor = MediaStreamTrackProcessor;
            let isStalled = false;
            window.MediaStreamTrackProcessor = class {
              constructor(settings) {
                this.readable = new Processor(settings).readable.pipeThrough(new TransformStream({
                  transform(data, heard) {
                    if (isStalled) data.close();
                    else heard.enqueue(data);
                  },
                }));
              }
            };
            await recorded;
            const leave = await connect(500);
            await leave.connected;
            await after(4);
            isStalled = true;
            await after(3.5);
            leave();
            isStalled = false;
            await (await connect(1500)).connected;
            await after(6);
            isStalled = true;
            await after(2.5);
            document.body.textContent = 'Your host ended the meeting for everyone';
            """));

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());

        var (audio, stalls) = (await recorder.AudioAsync(), recorder.Gaps().Where(gap => gap.Cause is GapCause.CaptureStalled).ToList());
        recorder.AssertHeard(audio, 500, seconds: 7);
        recorder.AssertHeard(audio, 1500, seconds: 8);
        Assert.Contains(stalls, gap => gap.StartSeconds < 8 && gap.EndSeconds - gap.StartSeconds is > 3 and < 6);
        Assert.InRange(stalls[^1].EndSeconds - stalls[^1].StartSeconds, 2, double.MaxValue);
        Assert.InRange(stalls[^1].EndSeconds, audio.Length / 48_000.0 - 0.5, double.MaxValue);
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task Failed_and_excess_solo_tracks_do_not_affect_the_mix()
    {
        await using var recorder = await RealRecorder.StartAsync(
            CallPage.Html("""
                let encoders = 0;
                window.AudioEncoder = class extends AudioEncoder {
                  number = encoders++;
                  encoded = 0;
                  encode(data) {
                    if (this.number === 2 && ++this.encoded > 100) throw new Error('This encoder fails.');
                    super.encode(data);
                  }
                };
                await recorded;
                await connect(500);
                await connect(1500);
                for (let silent = 0; silent < 16; silent++) await connect(2500, 0);
                await after(8);
                document.body.textContent = 'Your host ended the meeting for everyone';
                """),
            tracks: true);

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());

        var log = await recorder.LogAsync();
        Assert.Contains("has no separate recording: Error: This encoder fails.", log, StringComparison.Ordinal);
        Assert.Contains("has no separate recording: 16 others are recorded at the same time", log, StringComparison.Ordinal);
        // The failed track made room for another one.
        Assert.Equal(17, recorder.Files.Count(name => StorageLayout.TryParseTrackFolderName(name, out _)));
        var audio = await recorder.AudioAsync();
        recorder.AssertHeard(audio, 500, seconds: 7.5);
        recorder.AssertHeard(audio, 1500, seconds: 7.5);
        recorder.AssertOnlyStalls();
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task Statistics_that_hang_do_not_hide_faults_of_other_tracks()
    {
        await using var recorder = await RealRecorder.StartAsync(CallPage.Html("""
            const { getStats } = RTCRtpReceiver.prototype;
            let first;
            RTCRtpReceiver.prototype.getStats = function () {
              return this === (first ??= this) ? new Promise(() => {}) : getStats.call(this);
            };
            await connect(500);
            await after(3);
            window.MediaStreamTrackProcessor = function () { return { readable: new ReadableStream() }; };
            await connect(1500);
            """));

        await Eventually.TrueAsync(() => recorder.Statuses().Any(status => status.Reason is EndReason.NoAudio), TimeSpan.FromMinutes(3));
        await recorder.StopAsync();

        var warning = recorder.Statuses().First(status => status.Reason is EndReason.NoAudio).Detail;
        Assert.StartsWith("Track 2 is received but not recorded", warning, StringComparison.Ordinal);
        Assert.DoesNotContain("no statistics", warning, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task Participants_without_any_track_cause_a_no_audio_warning()
    {
        await using var recorder = await RealRecorder.StartAsync(CallPage.Html("") + "<p aria-label='People - 3 joined'>3</p>");

        await Eventually.TrueAsync(
            () => recorder.Statuses().Any(status => status is { Status: BotStatus.Recording, Reason: EndReason.NoAudio }), TimeSpan.FromMinutes(3));
        await Eventually.TrueAsync(() => recorder.Evidence().ContainsKey("1_no_audio/screenshot.png"), TimeSpan.FromMinutes(1));
        await recorder.StopAsync();

        Assert.Equal((long)RecorderExitCode.EndedByGuess, await recorder.ExitCodeAsync());
        Assert.Equal(EndReason.StopRequested, recorder.Statuses()[^1].Reason);
        Assert.Contains("2 other participants are in the call", recorder.Statuses()[^1].Detail, StringComparison.Ordinal);
        Assert.NotEmpty(recorder.Gaps());
        Assert.All(recorder.Gaps(), gap => Assert.Equal(GapCause.NotHeard, gap.Cause));
        Assert.InRange(recorder.Gaps()[0].StartSeconds, 0, 10);
    }
}
