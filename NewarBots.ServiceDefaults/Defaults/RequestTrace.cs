using System.Diagnostics;

namespace NewarBots.ServiceDefaults;

/// <summary>Names the trace of a request after what it starts, instead of after its route.</summary>
public static class RequestTrace
{
    private const string NameProperty = "newarbots.name";

    /// <summary>Names the current request's span; no effect outside a request.</summary>
    /// <param name="name">A verb without ids.</param>
    public static void SetName(string name) => Activity.Current?.SetCustomProperty(NameProperty, name);

    /// <summary>Applies the name. ASP.NET Core's instrumentation sets the route's name when the request ends.</summary>
    internal static void Name(Activity activity)
    {
        if (activity.GetCustomProperty(NameProperty) is string name)
            activity.DisplayName = name;
    }
}
