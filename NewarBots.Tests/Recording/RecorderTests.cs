using System.Text;
using System.Text.Json.Nodes;
using NewarBots.Contract;
using NewarBots.Manager.Finalizing;
using NewarBots.Tests.Fixtures;
using NewarBots.Tests.Lives;

namespace NewarBots.Tests.Recording;

/// <summary>The recorder in its container, against pages that are hard on it.</summary>
[Collection(AloneOnTheMachine.Name)]
public sealed class RecorderTests
{
    private const string Policy = "default-src 'none'; script-src 'nonce-n'; require-trusted-types-for 'script'; trusted-types none";

    /// <summary>
    /// A call at once. <c>connect(hz)</c> lets a remote voice be heard over a connection of its own; what it returns closes that,
    /// has the voice's volume as <c>level</c>, and mutes the track as a server does (<c>mute</c>) or sends nothing at all over it
    /// (<c>cut</c>). In silence nothing is sent (DTX).
    /// </summary>
    private static string Call(string script) => $$"""
        <!doctype html><title>Call</title><button aria-label="Leave call">Leave</button>
        <script nonce="n">
        const voices = new AudioContext({ sampleRate: 48000 });
        const connect = async (hz, gain = 0.2) => {
          const [near, far] = [new RTCPeerConnection(), new RTCPeerConnection()];
          near.onicecandidate = event => far.addIceCandidate(event.candidate);
          far.onicecandidate = event => near.addIceCandidate(event.candidate);
          const tone = new OscillatorNode(voices, { frequency: hz }), level = new GainNode(voices, { gain });
          const out = voices.createMediaStreamDestination();
          tone.connect(level).connect(out);
          tone.start();
          const [track] = out.stream.getAudioTracks(), { sender } = far.addTransceiver(track, { streams: [out.stream] });
          const negotiate = async () => {
            await far.setLocalDescription();
            await near.setRemoteDescription(far.localDescription);
            await near.setLocalDescription();
            await far.setRemoteDescription({ type: 'answer', sdp: near.localDescription.sdp.replace('useinbandfec=1', 'useinbandfec=1;usedtx=1') });
          };
          await negotiate();
          return Object.assign(() => { near.close(); far.close(); }, {
            level,
            mute(isMuted) {
              for (const transceiver of far.getTransceivers()) transceiver.direction = isMuted ? 'inactive' : 'sendrecv';
              return negotiate();
            },
            cut: isCut => sender.replaceTrack(isCut ? null : track),
          });
        };
        const after = seconds => new Promise(resolve => setTimeout(resolve, seconds * 1000));
        (async () => { {{script}} })();
        </script>
        """;

    [Fact]
    public async Task A_call_with_a_strict_policy_that_swaps_its_connection_and_is_busy_is_heard_throughout()
    {
        await using var recorder = await RealRecorder.StartAsync(
            Call("""
                const leave = await connect(500);
                await after(5);
                leave();
                await connect(1500);
                await after(3);
                for (const busy = performance.now(); performance.now() - busy < 2000;);
                await connect(2500);
                await after(4);
                document.body.textContent = 'Your host ended the meeting for everyone';
                """),
            Policy);

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());

        var audio = await recorder.AudioAsync();
        var (first, second, third) = (LongestTone(audio, 500), LongestTone(audio, 1500), LongestTone(audio, 2500));
        Assert.InRange(first, 3, 6);
        Assert.InRange(second, 7, 10);
        Assert.InRange(third, 3, 5);
        Assert.Equal(EndReason.MeetingEnded, recorder.Statuses()[^1].Reason);
    }

    [Fact]
    public async Task Who_spoke_when_is_told_a_quiet_one_too_by_the_names_that_the_page_marks()
    {
        await using var recorder = await RealRecorder.StartAsync(Call("""
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
            const first = await connect(500, 0), second = await connect(1500, 0);
            await after(5);
            await speak(first, ada, 0.2);
            await speak(second, grace, 0.0141);
            document.body.textContent = 'Your host ended the meeting for everyone';
            """));

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());

        var status = recorder.Statuses()[^1];
        Assert.InRange(status.AudibleSeconds!.Value, 7, 10);
        var speakers = Speakers.Of(recorder.Speeches(), status.RecordedSeconds!.Value + 1);
        Assert.Equal([("track:1", "Ada"), ("track:2", "Grace")], speakers.Select(speaker => (speaker.Source, speaker.Name)));
        Assert.All(speakers, speaker => Assert.InRange(speaker.SpokenSeconds, 3.5, 4.8));
        Assert.InRange(speakers[0].Segments[0].Level, -20, -14);
        Assert.InRange(speakers[1].Segments[0].Level, -43, -37);
        Assert.InRange(speakers[1].Segments[0].StartSeconds - speakers[0].Segments[0].StartSeconds, 5.5, 6.8);
        Assert.Empty(recorder.Gaps());
    }

    [Fact]
    public async Task What_a_track_delivers_from_before_the_recording_is_no_hole_in_it()
    {
        await using var recorder = await RealRecorder.StartAsync(Call("""
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
            await after(3);
            await connect(500);
            await after(4);
            document.body.textContent = 'Your host ended the meeting for everyone';
            """));

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());

        Assert.InRange(LongestTone(await recorder.AudioAsync(), 500), 3, 6);
        Assert.Empty(recorder.Gaps());
    }

    [Fact]
    public async Task A_track_that_is_muted_meanwhile_or_carries_nothing_has_not_stalled()
    {
        await using var recorder = await RealRecorder.StartAsync(Call("""
            const muted = await connect(500), cut = await connect(1500);
            await after(4);
            await Promise.all([muted.mute(true), cut.cut(true)]);
            await after(3);
            await Promise.all([muted.mute(false), cut.cut(false)]);
            await after(4);
            document.body.textContent = 'Your host ended the meeting for everyone';
            """));

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());

        // A busy machine may make short ones; this would be one of 3 s.
        Assert.DoesNotContain(recorder.Gaps(), gap => gap.EndSeconds - gap.StartSeconds > 1.5);
        var audio = await recorder.AudioAsync();
        Assert.InRange(LongestTone(audio, 500), 2, 5);
        Assert.InRange(LongestTone(audio, 1500), 2, 5);
        Assert.InRange(audio.Length / 48_000.0, 10.5, 14);
    }

    [Fact]
    public async Task Asked_to_stop_it_leaves_within_ten_seconds_and_loses_nothing()
    {
        await using var recorder = await RealRecorder.StartAsync(Call("await connect(500);"));
        await recorder.UntilRecordedAsync(3);

        await recorder.StopAsync();

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());
        var statuses = recorder.Statuses();
        Assert.Equal(
            [BotStatus.Joining, BotStatus.Recording, BotStatus.Leaving],
            statuses.Select(status => status.Status).Distinct());
        Assert.Equal(EndReason.StopRequested, statuses[^1].Reason);
        Assert.InRange((await recorder.AudioAsync()).Length / 48_000.0, statuses[^1].RecordedSeconds!.Value, double.MaxValue);
    }

    [Fact]
    public async Task What_a_page_that_hangs_hands_over_no_more_is_a_gap_until_the_end()
    {
        await using var recorder = await RealRecorder.StartAsync(Call("await connect(500); await after(8); for (;;);"));
        await Eventually.TrueAsync(() => recorder.Chunks().Any(), TimeSpan.FromSeconds(30));
        await Eventually.TrueAsync(() => TimeProvider.System.GetUtcNow() - recorder.WrittenAt > TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(30));

        await recorder.StopAsync();

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());
        // A busy machine may have made short ones before.
        var gap = recorder.Gaps()[^1];
        Assert.Equal(GapCause.CaptureStalled, gap.Cause);
        Assert.InRange(gap.StartSeconds, 4, 9);
        Assert.InRange(gap.EndSeconds - gap.StartSeconds, 3.5, 10);
        var audio = await recorder.AudioAsync();
        Assert.InRange(audio.Length / 48_000.0, gap.EndSeconds - 0.1, gap.EndSeconds + 0.1);
        Assert.InRange(LongestTone(audio, 500), 3, gap.StartSeconds + 0.2);
    }

    [Theory]
    [Trait("Suite", "Long")]
    [InlineData("type=renderer")]
    [InlineData("about:blank")]
    public async Task A_browser_that_dies_is_replaced_and_the_hole_is_named(string process)
    {
        await using var recorder = await RealRecorder.StartAsync(Call("await connect(500);"));
        await recorder.UntilRecordedAsync(5);
        var recorded = recorder.Statuses()[^1].RecordedSeconds!.Value;

        await recorder.KillAsync(process);
        await Eventually.TrueAsync(() => recorder.Gaps().Count > 0, TimeSpan.FromSeconds(60));
        var gap = recorder.Gaps()[0];
        await recorder.UntilRecordedAsync(gap.EndSeconds + 3);
        await recorder.StopAsync();

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());
        var audio = await recorder.AudioAsync();
        Assert.Equal("browser_restarted", gap.Cause);
        Assert.InRange(gap.StartSeconds, recorded - 1, recorded + 5);
        Assert.InRange(LongestTone(audio[..(int)(gap.StartSeconds * 48_000)], 500), recorded - 2, gap.StartSeconds);
        Assert.InRange(LongestTone(audio[(int)(gap.EndSeconds * 48_000)..], 500), 2, double.MaxValue);
        var statuses = recorder.Statuses();
        Assert.Equal([BotStatus.Joining, BotStatus.Recording, BotStatus.Leaving], statuses.Select(status => status.Status).Distinct());
        Assert.Equal(EndReason.StopRequested, statuses[^1].Reason);
        Assert.Single(statuses, status => status.Detail?.Contains("Joins again (1 of 2)", StringComparison.Ordinal) is true);
        Assert.Contains("1_browser_crashed/looks.txt", recorder.Evidence().Keys);
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task A_page_that_dies_again_and_again_is_given_up_and_what_was_heard_is_kept()
    {
        await using var recorder = await RealRecorder.StartAsync(Call("await connect(500);"));
        for (var crashes = 1; crashes <= 3; crashes++)
        {
            await Eventually.TrueAsync(() => recorder.Gaps().Count == crashes - 1, TimeSpan.FromSeconds(60));
            await recorder.UntilRecordedAsync((recorder.Gaps() is [.., var last] ? last.EndSeconds : 0) + 3);
            await recorder.KillAsync("type=renderer");
        }

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());
        Assert.Equal(EndReason.BrowserCrashed, recorder.Statuses()[^1].Reason);
        var audio = await recorder.AudioAsync();
        Assert.InRange(LongestTone(audio[(int)(recorder.Gaps()[^1].EndSeconds * 48_000)..], 500), 2, double.MaxValue);
    }

    [Fact]
    public async Task A_page_that_turns_the_bot_away_is_shown_as_evidence()
    {
        await using var recorder = await RealRecorder.StartAsync("""
            <!doctype html><title>Sorry</title><h1>You can't join this video call</h1>
            <script>console.warn('no entry'); alert('go away'); fetch('/nowhere').catch(() => {}); new RTCPeerConnection();</script>
            """);

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());
        Assert.Equal(EndReason.BlockedByPlatform, recorder.Statuses()[^1].Reason);
        var evidence = recorder.Evidence().ToDictionary(file => file.Key, file => Encoding.UTF8.GetString(file.Value));
        Assert.StartsWith("\uFFFDPNG", evidence["1_blocked_by_platform/screenshot.png"], StringComparison.Ordinal);
        Assert.Contains("You can't join this video call</h1>", evidence["1_blocked_by_platform/page.html"], StringComparison.Ordinal);
        Assert.Contains("warning: no entry", evidence["1_blocked_by_platform/console.txt"], StringComparison.Ordinal);
        Assert.Contains("dialog dismissed: alert \"go away\"", evidence["1_blocked_by_platform/console.txt"], StringComparison.Ordinal);
        Assert.Contains("[blocked.cannot_join]", evidence["1_blocked_by_platform/looks.txt"], StringComparison.Ordinal);
        Assert.Contains("\"state\": \"new\"", evidence["1_blocked_by_platform/webrtc.json"], StringComparison.Ordinal);
        Assert.Contains("\"reason\": \"blocked_by_platform\"", evidence["1_blocked_by_platform/summary.json"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dialogs_a_window_and_a_download_end_nothing_and_are_in_the_evidence()
    {
        await using var recorder = await RealRecorder.StartAsync("""
            <!doctype html><title>Call</title><button aria-label="Leave call">Leave</button><button id="hint">Got it</button>
            <script>
            addEventListener('beforeunload', event => event.preventDefault());
            document.getElementById('hint').onclick = ({ target }) => {
              target.remove();
              window.open('/?window');
              Object.assign(document.createElement('a'), { href: URL.createObjectURL(new Blob(['words'])), download: 'words.txt' }).click();
              alert('muted');
              console.log(`answers: ${confirm('still there?')}, ${prompt('your name?')}`);
              setTimeout(() => { document.body.textContent = "You can't join this video call"; }, 2000);
            };
            </script>
            """);

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());

        Assert.Equal(EndReason.BlockedByPlatform, recorder.Statuses()[^1].Reason);
        var console = Encoding.UTF8.GetString(recorder.Evidence()["1_blocked_by_platform/console.txt"]);
        Assert.Contains("dialog dismissed: alert \"muted\"", console, StringComparison.Ordinal);
        Assert.Contains("log: answers: false, null", console, StringComparison.Ordinal);
        Assert.Contains("window closed: ", console, StringComparison.Ordinal);
        Assert.Contains("download refused: blob:", console, StringComparison.Ordinal);
        Assert.Contains("1_blocked_by_platform/screenshot.png", recorder.Evidence().Keys);
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task While_it_waits_it_says_how_long_it_still_will()
    {
        await using var recorder = await RealRecorder.StartAsync(
            "<!doctype html><title>Meet</title><h1>Asking to be let in</h1>", leave: new() { WaitingRoomTimeout = TimeSpan.FromSeconds(25) });

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());

        Assert.Collection(
            recorder.Statuses(),
            joining => Assert.Equal(BotStatus.Joining, joining.Status),
            first => Assert.Equal((BotStatus.Waiting, "Waits to be let in, for 25 s more."), (first.Status, first.Detail)),
            second =>
            {
                Assert.Equal(BotStatus.Waiting, second.Status);
                Assert.Matches("^Waits to be let in, for ([7-9]|10) s more.$", second.Detail);
            },
            last => Assert.Equal((BotStatus.Leaving, EndReason.WaitingRoomTimeout), (last.Status, last.Reason)));
    }

    [Theory]
    [Trait("Suite", "Long")]
    [InlineData("headed", "Chrome")]
    [InlineData("headless_shell", "HeadlessChrome")]
    public async Task The_browser_speaks_English_and_says_openly_what_it_is(string browser, string product)
    {
        await using var recorder = await RealRecorder.StartAsync(
            """
            <!doctype html><title>Call</title>
            <script>
            fetch('/', {
              method: 'POST',
              body: JSON.stringify({
                webdriver: navigator.webdriver,
                webdriverIsItsOwn: Object.getOwnPropertyNames(navigator).length === 0,
                userAgent: navigator.userAgent,
                version: navigator.userAgentData.brands.find(({ brand }) => brand === 'Chromium').version,
                languages: navigator.languages,
                locale: Intl.DateTimeFormat().resolvedOptions().locale,
              }),
            }).then(() => document.body.textContent = "You can't join this video call");
            </script>
            """,
            joining: _ => new() { Browser = browser });

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());

        var (headers, body) = Assert.Single(recorder.Told);
        var said = JsonNode.Parse(body)!;
        Assert.True((bool)said["webdriver"]! && (bool)said["webdriverIsItsOwn"]!, body);
        Assert.Contains($" {product}/{said["version"]}.", (string?)said["userAgent"], StringComparison.Ordinal);
        Assert.Equal((string?)said["userAgent"], headers.UserAgent);
        Assert.Equal("en-US", (string?)said["languages"]![0]);
        Assert.Equal("en-US", (string?)said["locale"]);
        Assert.StartsWith("en-US", headers.AcceptLanguage, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task Tracks_that_fail_or_are_too_many_to_be_recorded_alone_cost_the_mix_nothing()
    {
        await using var recorder = await RealRecorder.StartAsync(
            Call("""
                let encoders = 0;
                window.AudioEncoder = class extends AudioEncoder {
                  number = encoders++;
                  encoded = 0;
                  encode(data) {
                    if (this.number === 2 && ++this.encoded > 100) throw new Error('This encoder fails.');
                    super.encode(data);
                  }
                };
                await connect(500);
                await connect(1500);
                for (let silent = 0; silent < 16; silent++) await connect(2500, 0);
                await after(8);
                document.body.textContent = 'Your host ended the meeting for everyone';
                """),
            tracks: true);

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());

        var log = await recorder.LogAsync();
        Assert.Contains("is not recorded alone: Error: This encoder fails.", log, StringComparison.Ordinal);
        Assert.Contains("is not recorded alone: 16 others are recorded at the same time", log, StringComparison.Ordinal);
        // The one that failed has made room for another.
        Assert.Equal(17, recorder.Files.Count(name => StorageLayout.TryParseTrackFolderName(name, out _)));
        var audio = await recorder.AudioAsync();
        Assert.InRange(LongestTone(audio, 500), 7.5, double.MaxValue);
        Assert.InRange(LongestTone(audio, 1500), 7.5, double.MaxValue);
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task A_page_that_hangs_for_ever_does_not_keep_the_bot_beyond_its_time()
    {
        await using var recorder = await RealRecorder.StartAsync(
            Call("await connect(500); await after(8); for (;;);"), leave: new() { MaxDuration = TimeSpan.FromSeconds(20) });

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync(TimeSpan.FromSeconds(80)));

        Assert.Equal(EndReason.MaxDuration, recorder.Statuses()[^1].Reason);
        var audio = await recorder.AudioAsync();
        Assert.InRange(LongestTone(audio, 500), 4, double.MaxValue);
        Assert.Equal(GapCause.CaptureStalled, recorder.Gaps()[^1].Cause);
        Assert.InRange(audio.Length / 48_000.0, 19, recorder.Gaps()[^1].EndSeconds + 0.1);
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task A_full_disk_ends_the_recording_and_damages_nothing()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "A disk of its own can be mounted by root only.");
        await using var recorder = await RealRecorder.StartAsync(Call("await connect(500);"), diskKilobytes: 128);

        Assert.Equal((long)RecorderExitCode.Ended, await recorder.ExitCodeAsync());

        Assert.Contains("reason StorageFailed", await recorder.LogAsync(), StringComparison.Ordinal);
        Assert.All(recorder.Chunks(), path =>
        {
            var chunk = ChunkReader.Read(path, index: 0);
            Assert.True(chunk is { Packets: > 0, Problem: null }, $"{chunk}");
        });
        Assert.InRange(LongestTone(await recorder.AudioAsync(), 500), 8, double.MaxValue);
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task Statistics_that_hang_hide_nothing_of_what_the_others_tell()
    {
        await using var recorder = await RealRecorder.StartAsync(Call("""
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

        await Eventually.TrueAsync(() => recorder.Statuses().Any(status => status.Reason is EndReason.NoAudio), TimeSpan.FromSeconds(90));
        await recorder.StopAsync();

        var told = recorder.Statuses().First(status => status.Reason is EndReason.NoAudio).Detail;
        Assert.StartsWith("Track 2 is received and not heard", told, StringComparison.Ordinal);
        Assert.DoesNotContain("has not told", told, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Suite", "Long")]
    public async Task Others_without_any_track_are_no_silence_but_no_audio()
    {
        await using var recorder = await RealRecorder.StartAsync(Call("") + "<p aria-label='People - 3 joined'>3</p>");

        await Eventually.TrueAsync(
            () => recorder.Statuses().Any(status => status is { Status: BotStatus.Recording, Reason: EndReason.NoAudio }), TimeSpan.FromSeconds(60));
        await Eventually.TrueAsync(() => recorder.Evidence().ContainsKey("1_no_audio/screenshot.png"), TimeSpan.FromSeconds(30));
        await recorder.StopAsync();

        // Not complete, and why.
        Assert.Equal((long)RecorderExitCode.EndedByGuess, await recorder.ExitCodeAsync());
        Assert.Equal(EndReason.StopRequested, recorder.Statuses()[^1].Reason);
        Assert.Contains("2 others are in the call", recorder.Statuses()[^1].Detail, StringComparison.Ordinal);
        Assert.NotEmpty(recorder.Gaps());
        Assert.All(recorder.Gaps(), gap => Assert.Equal(GapCause.NotHeard, gap.Cause));
        Assert.InRange(recorder.Gaps()[0].StartSeconds, 0, 4);
    }

    [Fact]
    public async Task A_recorder_that_is_killed_leaves_chunks_that_play()
    {
        await using var recorder = await RealRecorder.StartAsync(Call("await connect(500);"));
        await recorder.UntilRecordedAsync(5);
        var recorded = recorder.Statuses()[^1].RecordedSeconds!.Value;

        await recorder.KillAsync("NewarBots.Recorder");

        Assert.Equal(137, await recorder.ExitCodeAsync());
        Assert.InRange((await recorder.AudioAsync()).Length / 48_000.0, recorded - 2, double.MaxValue);
    }

    /// <summary>How long (seconds) a tone sounds at most without a break of 100 ms.</summary>
    private static double LongestTone(float[] audio, double hz)
    {
        const int window = 4_800;
        var (longest, current) = (0, 0);
        for (var start = 0; start + window <= audio.Length; start += window)
        {
            var (real, imaginary) = (0.0, 0.0);
            for (var i = start; i < start + window; i++)
            {
                var (sine, cosine) = Math.SinCos(2 * Math.PI * hz * i / 48_000);
                real += audio[i] * cosine;
                imaginary += audio[i] * sine;
            }

            var level = 2 * Math.Sqrt((real * real) + (imaginary * imaginary)) / window;
            current = level > 0.05 ? current + 1 : 0;
            longest = Math.Max(longest, current);
        }

        return longest * window / 48_000.0;
    }
}
