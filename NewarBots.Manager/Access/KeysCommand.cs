using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Manager.Api;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Access;

/// <summary>
/// <c>keys add|list|revoke</c>, on the storage folder of the manager's own settings: it runs beside the manager, or without one.
/// </summary>
internal sealed class KeysCommand(KeyFile file, TimeProvider time, TextWriter output, TextWriter error)
{
    public const string Name = "keys";

    private const int Done = 0;
    private const int Failed = 1;
    private const int Misused = 2;

    private const string Usage =
        """
        keys add NAME [--user USER] [--role user|admin]   makes a key and prints it, this once
        keys list                                         prints all keys, without their secrets
        keys revoke ID                                    ends a key, and every session of it

        A user's key (the default) reaches the bots of its user (default), an admin's those of all, and the keys.
        The keys lie in the storage folder (Storage__Path); managers that run notice every change.
        """;

    /// <param name="arguments">Behind <see cref="Name"/>.</param>
    /// <param name="configuration">The manager's.</param>
    /// <returns>The exit code: 1 where it could not be done, 2 where it was not understood.</returns>
    public static Task<int> RunAsync(string[] arguments, IConfiguration configuration)
    {
        var storage = configuration.GetSection(StorageOptions.Section).Get<StorageOptions>() ?? new();
        var file = new KeyFile(new StorageLayout(storage.Path), TimeProvider.System, NullLogger<KeyFile>.Instance);
        return new KeysCommand(file, TimeProvider.System, Console.Out, Console.Error).RunAsync(arguments);
    }

    /// <inheritdoc cref="RunAsync(string[], IConfiguration)"/>
    public async Task<int> RunAsync(string[] arguments)
    {
        try
        {
            return arguments switch
            {
                ["add", .. var rest] => await AddAsync(rest),
                ["list"] => List(),
                ["revoke", var id] => await RevokeAsync(id),
                ["help" or "--help" or "-h"] => Explain(output, Done),
                [] => Explain(error, Misused),
                _ => Misunderstood($"'{Name} {string.Join(' ', arguments)}' is no command."),
            };
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            error.WriteLine(exception.Message);
            return Failed;
        }
    }

    private async Task<int> AddAsync(string[] arguments)
    {
        string? name = null;
        var (user, role) = (UserId.Default, AccessRole.User);
        for (var i = 0; i < arguments.Length; i++)
        {
            switch (arguments[i])
            {
                case "--user":
                    if (!UserId.TryParse(arguments.ElementAtOrDefault(++i), provider: null, out user))
                        return Misunderstood($"--user {ApiProblems.UserIdFault}.");
                    break;
                case "--role":
                    if (!WireWord.TryParse(arguments.ElementAtOrDefault(++i), out role))
                        return Misunderstood($"--role {CreateKeyRequest.RoleFault}.");
                    break;
                case var option when option.StartsWith('-'):
                    return Misunderstood($"{option} is no option of it.");
                case var word when name is null:
                    name = word;
                    break;
                default:
                    return Misunderstood($"There is one name too many: '{arguments[i]}'. A name with spaces is quoted.");
            }
        }

        if (!AccessKey.IsName(name))
            return Misunderstood($"The key's name {CreateKeyRequest.NameFault}.");
        var secret = Credential.New();
        var key = new AccessKey(secret.Id, name!, user, role, time.GetUtcNow(), secret.Hash);
        await file.ChangeAsync(list => list.Add(key));
        output.WriteLine(secret.Text);
        error.WriteLine($"Key {key.Id} of user {key.UserId} with the role {WireWord.Of(key.Role)} is in {file.Path}. It is shown this once.");
        return Done;
    }

    private int List()
    {
        switch (file.State)
        {
            case AccessState.Keyed { List.Keys: { Count: > 0 } keys }:
                output.WriteLine($"{"ID",-12}  {"ROLE",-5}  {"USER",-16}  {"CREATED",-16}  NAME");
                foreach (var key in keys)
                    output.WriteLine($"{key.Id,-12}  {WireWord.Of(key.Role),-5}  {key.UserId,-16}  {key.CreatedAt.UtcDateTime,-16:yyyy-MM-dd HH:mm}  {key.Name}");
                return Done;
            case AccessState.Unavailable jammed:
                error.WriteLine(jammed.Why);
                return Failed;
            default:
                error.WriteLine($"There are no keys in {file.Path}.");
                return Done;
        }
    }

    private async Task<int> RevokeAsync(string id)
    {
        AccessKey? key = null;
        var left = await file.ChangeAsync(list => (key = list.Keys.SingleOrDefault(one => one.Id == id)) is null ? list : list.Remove(key));
        if (key is null)
        {
            error.WriteLine($"There is no key {id} in {file.Path}; '{Name} list' shows all.");
            return Failed;
        }

        error.WriteLine($"Key {id} ({key.Name}) is revoked.");
        if (left.Keys.Count == 0)
            error.WriteLine($"It was the last one: nobody is let in until there is another. For no keys at all, remove {file.Path} and restart the manager.");
        return Done;
    }

    private int Misunderstood(string why)
    {
        error.WriteLine(why);
        error.WriteLine();
        return Explain(error, Misused);
    }

    private static int Explain(TextWriter where, int code)
    {
        where.WriteLine(Usage);
        return code;
    }
}
