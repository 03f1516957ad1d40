using NewarBots.Contract;

namespace NewarBots.Manager.Api;

/// <summary>Lets only session ids into a route, so that anything else is simply not found.</summary>
internal sealed class SessionIdConstraint : IRouteConstraint
{
    public const string Name = "sessionId";

    public bool Match(
        HttpContext? httpContext, IRouter? route, string routeKey, RouteValueDictionary values, RouteDirection routeDirection) =>
        SessionId.TryParse(values[routeKey]?.ToString(), provider: null, out _);
}
