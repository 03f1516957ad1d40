using NewarBots.Contract;

namespace NewarBots.Recorder.Hosting;

/// <summary>Reads the files that the manager put into the session folder (<see cref="SessionInput"/>).</summary>
internal static class InputFile
{
    /// <summary>Reads a file and deletes it, even if it is invalid, so that only this process knows its secrets.</summary>
    /// <exception cref="InvalidRecorderInputException">Names the file and the position in it.</exception>
    public static T Take<T>(string folder, string name, Func<string, T> parse)
    {
        return Read(folder, name, ReadAndDelete, parse);

        static string ReadAndDelete(string path)
        {
            var text = File.ReadAllText(path);
            File.Delete(path);
            return text;
        }
    }

    /// <summary>Reads a file and keeps it.</summary>
    /// <exception cref="InvalidRecorderInputException">Names the file and the position in it.</exception>
    public static T Read<T>(string folder, string name, Func<string, T> parse) => Read(folder, name, File.ReadAllText, parse);

    private static T Read<T>(string folder, string name, Func<string, string> read, Func<string, T> parse)
    {
        try
        {
            return parse(read(Path.Combine(folder, name)));
        }
        catch (Exception exception) when (exception is InvalidJsonFileException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidRecorderInputException([$"{name}: {exception.Message.TrimEnd('.')}"]);
        }
    }
}
