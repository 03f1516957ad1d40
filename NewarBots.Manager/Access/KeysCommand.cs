using Microsoft.Extensions.Logging.Abstractions;
using NewarBots.Contract;
using NewarBots.Manager.Api;
using NewarBots.Manager.Hosting;

namespace NewarBots.Manager.Access;

/// <summary>
/// <c>keys add|list|revoke</c>. It changes the key file in the storage folder of the manager's settings, whether or not a manager is running.
/// </summary>
internal sealed class KeysCommand(KeyFile file, TimeProvider time, TextWriter output, TextWriter error)
{
    public const string Name = "keys";

    private const int Done = 0;
    private const int Failed = 1;
    private const int Invalid = 2;

    private const string Usage =
        """
        keys add NAME [--user USER] [--role user|admin]   creates a key and prints it once
        keys list                                         lists all keys, without their secrets
        keys revoke ID                                    revokes a key and ends its sessions

        A user's key reaches the bots of its user; an admin's key reaches all bots, and the keys. The default role is
        user, the default user is default. Keys are stored in the storage folder (Storage__Path). Running managers apply
        changes at once.
        """;

    /// <param name="arguments">The arguments after <see cref="Name"/>.</param>
    /// <param name="configuration">The manager's configuration.</param>
    /// <returns>The exit code: 1 if it failed, 2 if the arguments are invalid.</returns>
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
                ["help" or "--help" or "-h"] => PrintUsage(output, Done),
                [] => PrintUsage(error, Invalid),
                _ => InvalidUsage($"'{Name} {string.Join(' ', arguments)}' is not a command."),
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
                        return InvalidUsage($"--user {ApiProblems.UserIdFault}.");
                    break;
                case "--role":
                    if (!WireWord.TryParse(arguments.ElementAtOrDefault(++i), out role))
                        return InvalidUsage($"--role {CreateKeyRequest.RoleFault}.");
                    break;
                case var option when option.StartsWith('-'):
                    return InvalidUsage($"{option} is not an option.");
                case var word when name is null:
                    name = word;
                    break;
                default:
                    return InvalidUsage($"Unexpected argument '{arguments[i]}'. Quote a name that has spaces.");
            }
        }

        if (!AccessKey.IsName(name))
            return InvalidUsage($"The key's name {CreateKeyRequest.NameFault}.");
        var secret = Credential.New();
        var key = new AccessKey(secret.Id, name!, user, role, time.GetUtcNow(), secret.Hash);
        await file.ChangeAsync(list => list.Add(key));
        output.WriteLine(secret.Text);
        error.WriteLine($"Key {key.Id} of user {key.UserId} with the role {WireWord.Of(key.Role)} is stored in {file.Path}. It is shown only once.");
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
            case AccessState.Unavailable unavailable:
                error.WriteLine(unavailable.Reason);
                return Failed;
            default:
                error.WriteLine($"{file.Path} has no keys.");
                return Done;
        }
    }

    private async Task<int> RevokeAsync(string id)
    {
        AccessKey? key = null;
        var remaining = await file.ChangeAsync(list => (key = list.Keys.SingleOrDefault(candidate => candidate.Id == id)) is null ? list : list.Remove(key));
        if (key is null)
        {
            error.WriteLine($"{file.Path} has no key {id}. List all keys with '{Name} list'.");
            return Failed;
        }

        error.WriteLine($"Key {id} ({key.Name}) is revoked.");
        if (remaining.Keys.Count == 0)
            error.WriteLine($"It was the last key. All requests are rejected until you create another one. To run without keys, remove {file.Path} and restart the manager.");
        return Done;
    }

    private int InvalidUsage(string reason)
    {
        error.WriteLine(reason);
        error.WriteLine();
        return PrintUsage(error, Invalid);
    }

    private static int PrintUsage(TextWriter writer, int code)
    {
        writer.WriteLine(Usage);
        return code;
    }
}
