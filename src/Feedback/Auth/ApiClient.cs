using Microsoft.AspNetCore.Http;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Auth;

/// <summary>The program that calls; people belong to the program through which they came.</summary>
/// <param name="FrontendType">Free text; in use are <c>web</c>, <c>bot</c> and <c>import</c>.</param>
/// <param name="Trusted">It sees people and messages of all programs, and moderates.</param>
internal sealed record ApiClient(Guid Id, string Description, string? FrontendType, bool Trusted)
{
    public static ValueTask<ApiClient?> BindAsync(HttpContext context) => context.SurfaceCaller<ApiClient>();
}

/// <summary>For whom the program says it acts: his name at the provider where he signed in, not yet looked up.</summary>
internal sealed record ActingUser(string AuthMethod, string Username)
{
    public const string QueryName = "oasst_user", HeaderName = "X-OASST-USER";

    /// <summary>
    /// <c>oasst_user</c> of the query, else the header <c>X-OASST-USER</c>: <c>auth_method:username</c>, split at the first colon. A value
    /// without a colon names nobody.
    /// </summary>
    public static ActingUser? Of(HttpRequest request)
    {
        var sent = request.Query[QueryName] is [{ } query] ? query : request.Headers[HeaderName] is [{ } header] ? header : null;
        return sent?.Split(':', 2) is [var method, var username] ? new(method, username) : null;
    }
}
