using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Feedback.Auth;

/// <summary>The credentials of Open-Assistant's surface.</summary>
internal static class OasstAccess
{
    private static readonly AccessScheme Key = new("oasst_key", AccessPlace.Header, "X-API-Key");
    private static readonly AccessScheme QueryKey = new("oasst_key_in_query", AccessPlace.Query, "api_key");
    private static readonly AccessScheme Root = new("oasst_root", AccessPlace.Bearer);

    /// <summary>Any enabled client; handlers take it as <see cref="ApiClient"/>.</summary>
    public static TBuilder RequireApiClient<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder =>
        builder.RequireSurfaceCaller(
            new AccessRule("api_client", Key, QueryKey), context => ValueTask.FromResult(Client(context, mustBeTrusted: false)));

    /// <summary>A client that is trusted.</summary>
    public static TBuilder RequireTrustedClient<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder =>
        builder.RequireSurfaceCaller(
            new AccessRule("trusted_client", Key, QueryKey), context => ValueTask.FromResult(Client(context, mustBeTrusted: true)));

    /// <summary><c>Authorization: Bearer</c> with a root token.</summary>
    public static TBuilder RequireRootToken<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder =>
        builder.RequireSurfaceCaller(new AccessRule("root", Root), context => ValueTask.FromResult(RequireRoot(context)));

    /// <summary>
    /// The query wins over the header, as in the original. The refusal is the same for no key, a wrong one and a disabled one.
    /// </summary>
    private static ApiClient Client(HttpContext context, bool mustBeTrusted)
    {
        var sent = context.Request.Query["api_key"] is { Count: > 0 } query ? query : context.Request.Headers["X-API-Key"];
        return sent is [{ Length: > 0 } key]
            && context.RequestServices.GetRequiredService<ApiClients>().Find(key) is { } client
            && (client.Trusted || !mustBeTrusted)
                ? client
                : throw new Failure(FailureKind.Forbidden, OasstErrors.ApiClientNotAuthorized, "The API client is not authorized");
    }

    private static RootCaller RequireRoot(HttpContext context)
    {
        var sent = context.Request.BearerToken();
        var isRoot = false;
        foreach (var token in context.RequestServices.GetRequiredService<IOptions<FeedbackAuthOptions>>().Value.RootTokens)
        {
            // All are compared, so that the time does not tell which one was near.
            isRoot |= SharedSecret.Matches(sent, token);
        }
        return isRoot ? RootCaller.Instance
            : throw new Failure(FailureKind.Forbidden, OasstErrors.RootTokenNotAuthorized, "The root token is not authorized");
    }

    private sealed class RootCaller
    {
        public static readonly RootCaller Instance = new();
    }
}
