namespace NewarBots.AppHost.Bots;

/// <summary>What a command answers in the dashboard.</summary>
internal static class CommandAnswer
{
    /// <param name="act">Calls the manager and returns what was done.</param>
    /// <returns>What was done, or why the manager did not do it.</returns>
    public static async Task<ExecuteCommandResult> OfAsync(Func<Task<string>> act)
    {
        try
        {
            return CommandResults.Success(await act());
        }
        catch (HttpRequestException exception)
        {
            return CommandResults.Failure(exception.Message);
        }
        catch (TaskCanceledException exception) when (exception.InnerException is TimeoutException)
        {
            return CommandResults.Failure("The manager did not answer in time.");
        }
    }
}
