using NewarBots.Contract;
using NewarBots.Tests.Rehearsal;

namespace NewarBots.Tests.Recording;

/// <summary>Reads the session folder that a recorder wrote.</summary>
internal class RecorderFolder(string folder)
{
    /// <summary>The names of the files and folders in it.</summary>
    public IEnumerable<string> Files => Directory.EnumerateFileSystemEntries(folder).Select(path => Path.GetFileName(path));

    /// <summary>The time of the last write to a chunk.</summary>
    public DateTimeOffset WrittenAt => new(Chunks().Max(File.GetLastWriteTimeUtc));

    /// <summary>The statuses in the journal.</summary>
    public IReadOnlyList<StatusMessage> Statuses() => [.. Lines().Select(line => line.Status).OfType<StatusMessage>()];

    public IReadOnlyList<Gap> Gaps() => [.. Lines().Select(line => line.Gap).OfType<Gap>()];

    /// <summary>The loss of the network, which may be reported in parts.</summary>
    public Gap NetworkGap()
    {
        var gaps = Gaps().Where(gap => gap.Cause is GapCause.NetworkLost).ToList();
        Assert.NotEmpty(gaps);
        return new(gaps.Min(gap => gap.StartSeconds), gaps.Max(gap => gap.EndSeconds), GapCause.NetworkLost);
    }

    /// <summary>It records, and its last status has no warning.</summary>
    public bool IsWell => Statuses()[^1] is { Status: BotStatus.Recording, Reason: null };

    public IReadOnlyList<Disagreement> Disagreements() => [.. Lines().Select(line => line.Disagreement).OfType<Disagreement>()];

    public IReadOnlyList<Speech> Speeches() => [.. Lines().Select(line => line.Speech).OfType<Speech>()];

    /// <summary>The chunks' paths, in order.</summary>
    public IEnumerable<string> Chunks() => Directory.GetFiles(folder, "chunk_*.ogg").Order();

    /// <summary>All chunks, decoded as one stream: 48 kHz mono.</summary>
    public async Task<float[]> AudioAsync()
    {
        // Elsewhere: the session folder may be on a full disk.
        var temporary = Directory.CreateTempSubdirectory("newarbots-audio-");
        var whole = Path.Combine(temporary.FullName, "whole.ogg");
        await OggFiles.ConcatenateAsync(Chunks(), whole);
        var audio = await AudioFile.DecodeAsync(whole);
        temporary.Delete(recursive: true);
        return audio;
    }

    /// <summary>
    /// Asserts that a tone is audible for that long in all. Audio that the recording declares as stalled counts too, but at least half of the time must
    /// be audible.
    /// </summary>
    /// <param name="audio">The recording or a part of it, 48 kHz mono.</param>
    /// <param name="hz">The tone.</param>
    /// <param name="seconds">How long.</param>
    public void AssertHeard(float[] audio, double hz, double seconds)
    {
        var (heard, stalled) = (SecondsHeard(audio, hz), SecondsStalled());
        Assert.True(heard + stalled >= seconds && heard >= seconds / 2, $"{hz} Hz is audible for {heard:0.0} s instead of {seconds} s. Gaps: {string.Join(", ", Gaps())}");
    }

    /// <summary>The time for which a tone is audible, in all.</summary>
    public static double SecondsHeard(float[] audio, double hz) => audio.Chunk(4_800).Count(part => Tone.LongestSeconds(part, hz) > 0) / 10.0;

    /// <summary>Asserts that the recording has no gaps but those of a busy machine.</summary>
    public void AssertOnlyStalls() => Assert.All(Gaps(), gap => Assert.Equal(GapCause.CaptureStalled, gap.Cause));

    /// <summary>The length of all gaps of a busy machine.</summary>
    public double SecondsStalled() =>
        Gaps().Where(gap => gap.Cause is GapCause.CaptureStalled).Sum(gap => gap.EndSeconds - gap.StartSeconds);

    /// <summary>The evidence files, by folder/file.</summary>
    public IReadOnlyDictionary<string, byte[]> Evidence()
    {
        var evidence = Path.Combine(folder, StorageLayout.EvidenceFolderName);
        return Directory.Exists(evidence)
            ? Directory.EnumerateFiles(evidence, "*", SearchOption.AllDirectories)
                .ToDictionary(path => Path.GetRelativePath(evidence, path), File.ReadAllBytes)
            : new Dictionary<string, byte[]>();
    }

    private IEnumerable<JournalLine> Lines()
    {
        var journal = Path.Combine(folder, Journal.FileName);
        return File.Exists(journal) ? File.ReadAllLines(journal).Select(Journal.TryParse).OfType<JournalLine>() : [];
    }
}
