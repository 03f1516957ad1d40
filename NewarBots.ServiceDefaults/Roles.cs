namespace NewarBots.ServiceDefaults;

/// <summary>What those are called who may know more than others.</summary>
public static class Roles
{
    public const string Admin = "admin";
}
