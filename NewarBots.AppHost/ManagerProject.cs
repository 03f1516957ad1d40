namespace NewarBots.AppHost;

/// <summary>The manager's project. It is built together with the AppHost, so starting it does not build it again.</summary>
internal sealed class ManagerProject : IProjectMetadata
{
    public string ProjectPath => new Projects.NewarBots_Manager().ProjectPath;

    public bool SuppressBuild => true;
}
