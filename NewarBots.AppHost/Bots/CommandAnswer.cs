namespace NewarBots.AppHost.Bots;

/// <summary>The result of a command in the dashboard.</summary>
internal static class CommandAnswer
{
    /// <param name="act">Calls the manager and describes the result in one sentence.</param>
    /// <returns>The result of <paramref name="act"/>, or the reason why the manager rejected the request.</returns>
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
