using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Stoa.Platform.Http;

/// <summary>Where a caller puts what proves him.</summary>
public enum AccessPlace
{
    /// <summary><c>Authorization: Bearer</c>.</summary>
    Bearer,
    Header,
    Query,
    Cookie,
}

/// <summary>One way in which a caller proves himself, as the API documents tell it. A surface adds its own.</summary>
/// <param name="Name">Its name among the document's security schemes.</param>
/// <param name="Parameter">The name of the header, of the query's parameter or of the cookie.</param>
public sealed record AccessScheme(string Name, AccessPlace Place, string Parameter = "")
{
    public static readonly AccessScheme BearerKey = new("bearer", AccessPlace.Bearer);
    public static readonly AccessScheme HeaderKey = new("x_api_key", AccessPlace.Header, "x-api-key");
    public static readonly AccessScheme Session = new("session", AccessPlace.Cookie, "stoa.session");

    /// <summary>What was sent there; empty when nothing was.</summary>
    internal string SentIn(HttpRequest request) => Place switch
    {
        AccessPlace.Bearer => request.Headers.Authorization.ToString(),
        AccessPlace.Header => request.Headers[Parameter].ToString(),
        AccessPlace.Query => request.Query[Parameter].ToString(),
        AccessPlace.Cookie => request.Cookies[Parameter] ?? "",
    };
}

/// <summary>
/// Who may call a route and how he proves it; every documented route carries one. The API documents show it as <c>security</c> and
/// <c>x-stoa-rule</c>. It is a statement: what enforces it is put on the route in the same breath (<c>RequireCaller</c> and its like).
/// </summary>
/// <param name="Name">One of the words below, or a surface's own.</param>
/// <param name="Schemes">Any of them will do; none for a route that is open to all.</param>
public sealed record AccessRule(string Name, params IReadOnlyList<AccessScheme> Schemes)
{
    /// <summary>Nobody is asked who he is.</summary>
    public const string Anyone = "anyone";

    /// <summary>Any live API key; the route itself looks at what the key may do.</summary>
    public const string Key = "key";

    /// <summary>Any live key or session, of whatever role.</summary>
    public const string Caller = "caller";

    /// <summary>A person who is signed in, about himself; keys have no such routes.</summary>
    public const string Person = "person";

    /// <summary>At least this role in the organization that the caller acts for.</summary>
    public const string Viewer = "viewer", Member = "member", Admin = "admin", Owner = "owner";

    /// <summary>An admin of the organization that runs the installation.</summary>
    public const string Operator = "operator";
}

public static class AccessRules
{
    /// <summary>The route is open to all, and says so.</summary>
    public static TBuilder AllowAnyone<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new AccessRule(AccessRule.Anyone));

    /// <summary>
    /// States that these routes want an API key, as a bearer token and where so said in <c>x-api-key</c> as well. They check it themselves.
    /// </summary>
    public static TBuilder DescribeApiKey<TBuilder>(this TBuilder builder, bool alsoInHeader = false)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(alsoInHeader
            ? new AccessRule(AccessRule.Key, AccessScheme.BearerKey, AccessScheme.HeaderKey)
            : new AccessRule(AccessRule.Key, AccessScheme.BearerKey));
}
